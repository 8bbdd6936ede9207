// What a model was found able to do when somebody probed it. Written by `keel doctor --llm`, read before each question.
// Errors: KeelError DATABASE_AWAY (retryable).

export interface ModelAbility {
  readonly baseUrl: string;
  readonly model: string;
  readonly api: 'responses' | 'chat';
  /** It answers over this API at all. */
  readonly answers: boolean;
  /** It keeps to a JSON schema. */
  readonly schemaKept: boolean;
  /** It tells what is in a picture. */
  readonly picturesSeen: boolean;
  /** In words, without secrets. */
  readonly found: string;
  /** ISO 8601 UTC. */
  readonly probedAt: string;
}

export interface ModelAbilityStore {
  /** One row for each API; the last probe counts. */
  put(ability: Omit<ModelAbility, 'probedAt'>): Promise<void>;
  of(baseUrl: string, model: string): Promise<readonly ModelAbility[]>;
}
