import { choice, integer, text } from './setting-kinds.ts'

/** Settings of where the lake is. Part of `SETTINGS`. */
export const LAKE_SETTINGS = {
  lake: text({
    variable: 'MEKONG_LAKE',
    doc: "Where the lake's tables live when it is set: s3://bucket/prefix. Otherwise in the home folder.",
    default: undefined,
    example: 's3://bucket/lake',
  }),
  awsRegion: text({
    variable: 'AWS_REGION',
    doc: 'Region of the bucket.',
    default: 'us-east-1',
  }),
  awsEndpoint: text({
    variable: 'AWS_ENDPOINT_URL_S3',
    doc: "Address of an object store other than Amazon's that speaks S3: MinIO, Ceph, R2.",
    default: undefined,
    example: 'http://127.0.0.1:9000',
  }),
  awsAccessKeyId: text({
    variable: 'AWS_ACCESS_KEY_ID',
    doc: "Key of the object store. Without it, what Amazon's own tools would take: profiles, roles. From the environment only.",
    default: undefined,
    secret: true,
  }),
  awsSecretAccessKey: text({
    variable: 'AWS_SECRET_ACCESS_KEY',
    doc: 'Secret to that key. From the environment only.',
    default: undefined,
    secret: true,
  }),
  awsSessionToken: text({
    variable: 'AWS_SESSION_TOKEN',
    doc: 'Token of a key for a while. From the environment only.',
    default: undefined,
    secret: true,
  }),
  icebergCredentials: choice({
    variable: 'MEKONG_ICEBERG_CREDENTIALS',
    doc: 'Whether clients of the Iceberg catalog that ask for it are given the key of a lake in a bucket (`vended`): the very `AWS_ACCESS_KEY_ID`, with all that it may. With API keys, only those that may operate.',
    choices: ['none', 'vended'],
    default: 'none',
  }),
  lakeCacheMb: integer({
    variable: 'MEKONG_LAKE_CACHE_MB',
    doc: 'Most disk that files of a lake in a bucket take in the home while and after they are read. What one statement reads must fit.',
    unit: 'MB',
    default: 20_000,
    min: 64,
    max: 100_000_000,
  }),
} as const

const LAKE = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/*$/

/** The parts of an `s3://` URL; `undefined` when it is none. Bucket names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export function bucketOf(
  url: string,
): { readonly bucket: string; readonly prefix: string } | undefined {
  const found = LAKE.exec(url)
  return found === null ? undefined : { bucket: found[1]!, prefix: found[2] ?? '' }
}
