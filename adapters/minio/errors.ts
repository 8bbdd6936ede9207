// Says in Keel's words what went wrong with an S3 request. Called by the MinIO object store only. The vendor's own text
// and error object never pass: they may quote keys and signatures.
import { KeelError } from '../../ports/errors.js';

export interface S3Place {
  /** scheme://host:port, without credentials. */
  readonly endpoint: string;
  readonly bucket: string;
}

const denied = new Set([
  'AccessDenied',
  'AllAccessDisabled',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'AuthorizationHeaderMalformed',
  'RequestTimeTooSkewed',
  'ExpiredToken',
  'InvalidToken',
  'BucketAlreadyExists',
]);
const full = new Set([
  'XMinioStorageFull',
  'QuotaExceeded',
  'XMinioAdminBucketQuotaExceeded',
  'InsufficientStorage',
]);
const away = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'TimeoutError',
  'AbortError',
  'ABORT_ERR',
  'SlowDown',
  'SlowDownRead',
  'SlowDownWrite',
  'InternalError',
  'ServiceUnavailable',
  'RequestTimeout',
  'OperationAborted',
  'XMinioServerNotInitialized',
]);

/** The code of an S3 answer, of a broken connection, or of a status the client gives as text only. */
const causeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown error';
  const status = /Retryable HTTP status: (\d{3})/.exec(error.message)?.[1];
  if (status !== undefined) return `HTTP ${status}`;
  if ('code' in error && typeof error.code === 'string' && error.code !== '') return error.code;
  return error.name;
};

const certificate = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|ERR_SSL|ERR_TLS|EPROTO/;

/** The error that a cause stands for: its code, class and what to do. */
const classify = (cause: string, place: S3Place): [string, 'retryable' | 'final', string] => {
  if (cause === 'NoSuchKey' || cause === 'NotFound')
    return ['OBJECT_MISSING', 'final', 'there is no such object.'];
  if (cause === 'NoSuchBucket') {
    const advice = 'the bucket does not exist. Check objectStore.bucket, or start Keel anew, which makes it.';
    return ['OBJECT_STORE_BUCKET_MISSING', 'final', advice];
  }
  if (cause.startsWith('InvalidBucketName')) {
    const advice = 'S3 does not allow that bucket name. Use 3 to 63 of a-z, 0-9 and hyphens.';
    return ['OBJECT_STORE_BUCKET_INVALID', 'final', advice];
  }
  if (denied.has(cause)) {
    const advice =
      'the server refuses these credentials. Check access key, secret key, region, and this clock.';
    return ['OBJECT_STORE_DENIED', 'final', advice];
  }
  if (full.has(cause) || cause === 'HTTP 507') {
    return ['OBJECT_STORE_FULL', 'retryable', 'it is full. Free or add space there; it is tried again.'];
  }
  if (away.has(cause) || cause.startsWith('HTTP ')) {
    return ['OBJECT_STORE_AWAY', 'retryable', `it does not answer. Check that ${place.endpoint} is up.`];
  }
  if (certificate.test(cause)) {
    return [
      'OBJECT_STORE_TLS',
      'final',
      'its certificate is not trusted, or it does not speak TLS. Check the endpoint.',
    ];
  }
  return ['OBJECT_STORE_FAILED', 'final', 'an answer that Keel does not know. Look at its log.'];
};

/** Turns an error of the client into a KeelError; one that is a KeelError already stays as it is. */
export const s3Error = (error: unknown, action: string, key: string, place: S3Place): KeelError => {
  if (error instanceof KeelError) return error;
  const cause = causeOf(error);
  const [code, errorClass, advice] = classify(cause, place);
  return new KeelError(
    code,
    `Could not ${action} (bucket ${place.bucket} at ${place.endpoint}): ${advice} Cause: ${cause}.`,
    { errorClass, facts: { key, bucket: place.bucket, endpoint: place.endpoint, cause } },
  );
};
