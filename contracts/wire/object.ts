// A reference to an object of the object store; what travels instead of the bytes.

/** Content-addressed: the key holds the SHA-256 of the bytes. */
export interface ObjectRef {
  readonly key: string;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
}

/** A picture, with its size in pixels. */
export interface PictureRef extends ObjectRef {
  readonly width: number;
  readonly height: number;
}
