/**
 * Objects in a bucket of Amazon S3, or of anything that speaks its protocol: MinIO, Ceph, R2, moto.
 *
 * Delivery: a put is acknowledged by the service before it returns. A put that only one writer can win is a `PutObject` with
 * `If-None-Match: *` (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html); a service that takes the header
 * and does not heed it cannot hold tables, and `openS3Store` finds that out. Files above `partBytes` go up in parts. Not
 * supported: objects above 5 TiB, versions, encryption with keys of the customer's.
 */
export interface S3StoreConfig {
  readonly bucket: string
  /** Keys begin below it. Without slashes at its ends; empty for the whole bucket. Default: empty. */
  readonly prefix?: string
  /** Default: `us-east-1`, which services that have no regions take. */
  readonly region?: string
  /** URL of a service other than Amazon's: `http://127.0.0.1:9000`. Buckets are then part of the path. */
  readonly endpoint?: string
  /** Default: what Amazon's own tools would take, from the environment, files or the machine's role. */
  readonly credentials?: S3Credentials
  /** For each request. */
  readonly timeoutMs?: number
  /** Files larger than this are sent in parts of this size. At least 5 MiB, and files have at most 10,000 parts. */
  readonly partBytes?: number
}

/** Never printed. */
export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/**
 * A minute for a request: a part of 32 MiB takes seconds on any line worth having, and is sent again when it fails. Parts of that size
 * make files of up to 320 GB.
 */
export const DEFAULT_S3_STORE_CONFIG = Object.freeze({
  prefix: '',
  region: 'us-east-1',
  timeoutMs: 60_000,
  partBytes: 32 * 1024 * 1024,
})
