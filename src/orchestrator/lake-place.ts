import path from 'node:path'
import type { LakePlace } from '../flow/lake-home.ts'
import type { RemoteAccess } from '../flow/remote-stores.ts'
import type { Home } from './home.ts'
import { bucketOf } from './lake-settings.ts'
import type { Settings } from './settings.ts'

/** Where the settings say that the lake is: in the home, or in a bucket. */
export function lakePlace(home: Home, settings: Settings): LakePlace {
  const at = settings.lake === undefined ? undefined : bucketOf(settings.lake)
  if (at === undefined) return { folder: home.lake }
  return { folder: home.lake, remote: { ...at, ...remoteAccess(home, settings) } }
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
