// Keeps secrets closed at rest that must be read again. Implemented in adapters/seal, used by api/services.
export interface Seal {
  /** @param owner whose secret it is: it opens for him alone */
  close(text: string, owner: string): string;
  /**
   * @returns the text, and whether it was sealed with the current key; with the one before it, it should be sealed anew
   * @throws KeelError SEAL_BROKEN (final)
   */
  open(sealed: string, owner: string): { readonly text: string; readonly current: boolean };
}
