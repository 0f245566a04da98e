import path from 'node:path'
import { TableMissingError } from '../lake/errors.ts'
import { parseMetadataFile } from '../lake/iceberg/metadata-file.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { ObjectStore } from '../model/object-store.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { type S3Store, s3Store } from '../storage/s3/store.ts'
import { openLocalScratch } from '../storage/scratch.ts'
import { deltaDoor } from './delta-door.ts'
import { icebergDoor } from './iceberg-door.ts'
import { lakePorts } from './lake-home.ts'
import type { RemoteAccess, RemoteStores } from './remote-stores.ts'
import type { TableDoor, TableFormat } from './table-door.ts'
import { missingAt } from './table-missing.ts'

/** How any bucket is reached, and where the engine that reads tables gets its files from. */
export interface BucketAccess {
  readonly access: RemoteAccess
  readonly stores: () => Promise<RemoteStores>
}

export interface TablesInBuckets {
  /** Open the table at `s3://bucket/path`. @throws TableMissingError */
  door(place: string, format?: TableFormat): Promise<TableDoor>
  close(): void
}

export interface TablesInBucketsOptions {
  readonly engine: () => Promise<ComputeEngine>
  readonly clock: Clock
  readonly randomness: Randomness
  /** Absent: no bucket can be reached. */
  readonly remote?: BucketAccess
}

const BUCKET_URL = /^s3[an]?:\/\/([^/]+)\/+(.*?)\/*$/

export const isInBucket = (place: string): boolean => BUCKET_URL.test(place)

/** Tables by the URL of their folder, whoever's they are. Each bucket is opened once. */
export function tablesInBuckets(options: TablesInBucketsOptions | undefined): TablesInBuckets {
  const buckets = new Map<string, S3Store>()
  const open = async ({ access, stores }: BucketAccess, bucket: string): Promise<ObjectStore> => {
    const store = buckets.get(bucket) ?? s3Store({ ...access, bucket })
    buckets.set(bucket, store)
    return (await stores()).add(store)
  }
  return {
    async door(place, format) {
      const [, bucket, key] = BUCKET_URL.exec(place) as unknown as [string, string, string]
      if (options?.remote === undefined)
        throw new TableMissingError(`${place} cannot be reached from here.`)
      const store = await open(options.remote, bucket)
      const found = await formatsInBucket(store, key)
      const chosen = format === undefined ? found[0] : found.find((each) => each === format)
      if (chosen === undefined) throw missingAt(place, format, { found, isThere: found.length > 0 })
      const deps = await depsIn(store, options, options.remote.access)
      return chosen === 'delta'
        ? deltaDoor(deps, { name: place, key })
        : icebergDoor(deps, { name: place, table: key })
    },
    close() {
      for (const store of buckets.values()) store.close()
    },
  }
}

async function depsIn(
  store: ObjectStore,
  { engine, clock, randomness }: TablesInBucketsOptions,
  { cache }: RemoteAccess,
) {
  const scratch = await openLocalScratch({
    folder: path.join(cache.folder, 'scratch'),
    nowMs: () => clock.nowMs(),
  })
  return { store, ports: { ...lakePorts(await engine()), scratch }, clock, randomness }
}

/** Delta first, as for folders. */
async function formatsInBucket(store: ObjectStore, key: string): Promise<readonly TableFormat[]> {
  const formats: TableFormat[] = []
  for await (const _ of store.list({ prefix: `${key}/_delta_log/` })) {
    formats.push('delta')
    break
  }
  const prefix = `${key}/metadata/`
  for await (const found of store.list({ prefix, delimiter: '/' })) {
    if (parseMetadataFile(found.key.slice(prefix.length)) === undefined) continue
    formats.push('iceberg')
    break
  }
  return formats
}
