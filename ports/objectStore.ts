// Bytes under keys: files under the data directory, MinIO or any S3.

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** When it was last put, by the store's clock, ISO 8601 UTC. */
  readonly modifiedAt: string;
}

export interface ObjectStorePort {
  /** Makes the bucket (or directory) when it is missing. Idempotent. */
  ensureBucket(): Promise<void>;
  put(key: string, bytes: Uint8Array, contentType: string): Promise<void>;
  /** @throws KeelError OBJECT_MISSING (final) when there is no such key. */
  get(key: string): Promise<Uint8Array>;
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>;
  has(key: string): Promise<boolean>;
  /** As it is now; null when there is no such key. */
  stat(key: string): Promise<StoredObject | null>;
  /** Every object, in no order; what changes meanwhile may be in it or not. */
  list(): AsyncIterable<StoredObject>;
  /** A URL that gives the object to whoever holds it, for so many seconds. File URLs do not expire. */
  presignedUrl(key: string, seconds: number): Promise<string>;
}
