import path from 'node:path'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import type { IcebergDeps } from '../lake/iceberg/deps.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { ObjectStore } from '../model/object-store.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { lakeRows } from '../sql/duckdb/lake-rows.ts'
import { parquetTables } from '../sql/duckdb/parquet-tables.ts'
import { fileStager } from '../sql/duckdb/stage-files.ts'
import { openLocalStore } from '../storage/local.ts'
import { TEMPORARY_FOLDER } from '../storage/object-key.ts'
import { openS3Store, s3Store } from '../storage/s3/store.ts'
import { openLocalScratch } from '../storage/scratch.ts'
import { type HomeCatalog, homeCatalog } from './home-catalog.ts'
import { openRemoteStores, type RemoteAccess, type RemoteStores } from './remote-stores.ts'

/** What tables of both formats need from outside. */
export interface LakeDeps extends DeltaDeps, Omit<IcebergDeps, keyof DeltaDeps> {}

/** Where the tables of a lake are. */
export interface LakePlace {
  /** Local folder. What is the home's own is in it: the catalog of Iceberg tables, files on their way. */
  readonly folder: string
  /** Where the tables are, if not in that folder. */
  readonly remote?: RemoteLake
}

export interface RemoteLake extends RemoteAccess {
  readonly bucket: string
  /** Tables are at `<prefix>/<layer>/<table>`. Empty for the bucket itself. */
  readonly prefix: string
}

export interface LakeHomeOptions extends LakePlace {
  readonly engine: ComputeEngine
  readonly clock: Clock
  readonly randomness: Randomness
  /** True takes it that the lake's store can be written to safely, and does not look. For looking only. Default: false. */
  readonly isReader?: boolean
  /** Open remote stores to join, which stay open. Default: the lake has its own. */
  readonly stores?: RemoteStores
}

/** What the tables of a lake are made of, by format. Delta tables are known by their folders, Iceberg tables by the catalog. */
export interface LakeHome {
  readonly delta: DeltaDeps
  readonly iceberg: IcebergDeps & { readonly catalog: HomeCatalog }
  close(): void
}

/** The lake of a home: objects on local disk or in a bucket, with the compute engine to write and read Parquet. */
export async function openLakeHome(options: LakeHomeOptions): Promise<LakeHome> {
  const { folder, engine, clock, randomness } = options
  const nowMs = () => clock.nowMs()
  const { store, close } = await openStore(options, nowMs)
  const delta: DeltaDeps = {
    store,
    ports: {
      ...lakePorts(engine),
      // On the store's own disk, or the cache's, so that moving a file in is a rename.
      scratch: await openLocalScratch({ folder: path.join(folder, TEMPORARY_FOLDER), nowMs }),
    },
    clock,
    randomness,
  }
  const catalog = homeCatalog({ folder, store, clock, randomness })
  return {
    delta,
    iceberg: { ...delta, catalog },
    close() {
      catalog.close()
      close()
    },
  }
}

interface OpenStore {
  readonly store: ObjectStore
  close(): void
}

async function openStore(
  { folder, remote, engine, isReader, stores: joined }: LakeHomeOptions,
  nowMs: () => number,
): Promise<OpenStore> {
  if (remote === undefined) return { store: await openLocalStore({ folder, nowMs }), close() {} }
  const s3 = isReader === true ? s3Store(remote) : await openS3Store(remote)
  const stores = joined ?? openRemoteStores(remote.cache)
  const store = stores.add(s3)
  engine.readRemote(stores)
  return {
    store,
    close() {
      if (joined === undefined) stores.close()
      s3.close()
    },
  }
}

/** What the compute engine does for tables. */
export function lakePorts(engine: ComputeEngine): Omit<LakeDeps['ports'], 'scratch'> {
  return {
    stageFiles: fileStager(engine),
    parquet: parquetTables(() => engine.connection()),
    tableRows: lakeRows({
      connect: () => engine.connection(),
      relationName: (word) => engine.relationName(word),
    }),
  }
}

/** Key of a table in the lake: `bronze.user_events` is at `bronze/user_events`. */
export const tableKey = (name: string): string => name.replaceAll('.', '/')
