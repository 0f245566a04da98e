import path from 'node:path'
import type { LakePlace } from '../flow/lake-home.ts'
import type { RemoteAccess } from '../flow/remote-stores.ts'
import type { ClientStorage } from '../lake/iceberg/rest-exchange.ts'
import type { Home } from './home.ts'
import { bucketOf } from './lake-settings.ts'
import type { Settings } from './settings.ts'

/** Where the settings say that the lake is: in the home, or in a bucket. */
export function lakePlace(home: Home, settings: Settings): LakePlace {
  const at = settings.lake === undefined ? undefined : bucketOf(settings.lake)
  if (at === undefined) return { folder: home.lake }
  return { folder: home.lake, remote: { ...at, ...remoteAccess(home, settings) } }
}

/**
 * What clients of the Iceberg catalog are told of the lake's store, in their words: `s3.*` and `client.*` are those of PyIceberg and of
 * Iceberg in Java (https://iceberg.apache.org/docs/latest/aws/). Files of a local lake they find by their paths.
 */
export function clientStorage(settings: Settings): ClientStorage {
  if (settings.lake === undefined) return { defaults: {} }
  const { awsEndpoint, awsRegion, awsAccessKeyId, awsSecretAccessKey, awsSessionToken } = settings
  const isGiven = settings.icebergCredentials === 'vended'
  return {
    defaults: {
      'client.region': awsRegion,
      // As we ourselves reach a service that is not Amazon's.
      ...(awsEndpoint === undefined
        ? {}
        : { 's3.endpoint': awsEndpoint, 's3.path-style-access': 'true' }),
    },
    ...(!isGiven || awsAccessKeyId === undefined || awsSecretAccessKey === undefined
      ? {}
      : {
          credentials: {
            's3.access-key-id': awsAccessKeyId,
            's3.secret-access-key': awsSecretAccessKey,
            ...(awsSessionToken === undefined ? {} : { 's3.session-token': awsSessionToken }),
          },
        }),
  }
}

/** How objects on S3 are reached from this home. */
export function remoteAccess(home: Home, settings: Settings): RemoteAccess {
  const { awsRegion: region, awsEndpoint: endpoint, lakeCacheMb } = settings
  const { awsAccessKeyId, awsSecretAccessKey, awsSessionToken: sessionToken } = settings
  return {
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(awsAccessKeyId === undefined || awsSecretAccessKey === undefined
      ? {}
      : {
          credentials: {
            ...{ accessKeyId: awsAccessKeyId, secretAccessKey: awsSecretAccessKey },
            ...(sessionToken === undefined ? {} : { sessionToken }),
          },
        }),
    // Beside the files on their way to the bucket, so that what was written is kept by a link.
    cache: { folder: path.join(home.lake, '.mekong-cache'), bytesMax: lakeCacheMb * 1024 * 1024 },
  }
}
