import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Randomness } from '../../model/clock.ts'
import type { ObjectStore } from '../../model/object-store.ts'
import { uuidV7Maker } from '../../model/uuid.ts'
import type { ParquetPort } from '../parquet-port.ts'
import type { RowsPort } from '../rows-port.ts'
import type { ScratchPort } from '../scratch-port.ts'
import type { StageFilesPort } from '../stage-files.ts'
import type { Catalog } from './catalog.ts'
import { fileCatalog } from './file-catalog.ts'

/** All that Iceberg tables need from outside. */
export interface IcebergDeps {
  readonly store: ObjectStore
  readonly ports: {
    readonly stageFiles: StageFilesPort
    readonly parquet: ParquetPort
    readonly scratch: ScratchPort
    readonly tableRows: RowsPort
  }
  readonly clock: Clock
  readonly randomness: Randomness
  /** Waits between attempts. Default: the system's timer; a simulation has its own. */
  readonly pause?: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Who knows the tables. Default: the file system (`file-catalog.ts`), where a table's name is its folder's key. */
  readonly catalog?: Catalog
}

/** The same with everything settled. */
export interface IcebergTools extends Omit<Required<IcebergDeps>, 'pause'> {
  pause(ms: number, signal?: AbortSignal): Promise<void>
  /** A UUID, ascending in time. */
  newId(): string
  /** A snapshot's id: positive and of 63 bits, by chance. */
  newSnapshotId(): bigint
  /** Sixteen bytes of chance for an Avro file. */
  newSync(): Uint8Array
}

export function icebergTools(deps: IcebergDeps): IcebergTools {
  const { clock, randomness } = deps
  return {
    ...deps,
    catalog: deps.catalog ?? fileCatalog(deps),
    pause: deps.pause ?? (async (ms, signal) => void (await sleep(ms, undefined, { signal }))),
    newId: uuidV7Maker(clock, randomness),
    newSync: () => randomness.bytes(new Uint8Array(16)),
    newSnapshotId: () => {
      const bytes = randomness.bytes(new Uint8Array(8))
      const id = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0) >> 1n
      return id === 0n ? 1n : id
    },
  }
}
