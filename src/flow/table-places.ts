import { existsSync } from 'node:fs'
import { readdir, rmdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseMetadataFile } from '../lake/iceberg/metadata-file.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { openFileSystem } from '../storage/local.ts'
import { TEMPORARY_FOLDER } from '../storage/object-key.ts'
import { openLocalScratch } from '../storage/scratch.ts'
import { deltaDoor } from './delta-door.ts'
import { icebergDoor } from './iceberg-door.ts'
import type { LakeCatalog } from './lake-catalog.ts'
import { type LakeDeps, lakePorts } from './lake-home.ts'
import type { TableDoor, TableFormat } from './table-door.ts'
import { missingAt } from './table-missing.ts'
import { type BucketAccess, isInBucket, tablesInBuckets } from './tables-in-buckets.ts'

/** Tables as people name them: `layer.table` of the lake, the path of any folder of this machine, or `s3://bucket/path`. */
export interface TablePlaces {
  /**
   * Open a table. A name of the lake goes before a path; `format` says which is wanted where a folder holds both.
   * @throws TableMissingError saying what is there instead
   */
  door(place: string, format?: TableFormat): Promise<TableDoor>
  close(): Promise<void>
}

export interface TablePlacesOptions {
  readonly lake: LakeCatalog
  /** Absent: tables of the lake alone, and no file of this machine can be named. */
  readonly paths?: PathAccess
}

/** What opening tables by path takes. Only for whoever may read the machine's files anyway. */
export interface PathAccess {
  /** Relative paths start here. */
  readonly cwd: string
  readonly engine: () => Promise<ComputeEngine>
  readonly clock: Clock
  readonly randomness: Randomness
  /** Absent: tables of this machine alone. */
  readonly remote?: BucketAccess
}

export function tablePlaces({ lake, paths }: TablePlacesOptions): TablePlaces {
  const folders = new Set<string>()
  const buckets = tablesInBuckets(paths)
  return {
    async door(place, format) {
      const isPath = paths !== undefined && /[/\\]/.test(place)
      if (!isPath || (await lake.names()).includes(place)) return lake.door(place, format)
      if (isInBucket(place)) return buckets.door(place, format)
      const folder = folderOf(place, paths.cwd)
      folders.add(folder)
      return doorAtPath(folder, format, paths)
    },
    async close() {
      buckets.close()
      // What writing has left, if it left nothing else in there.
      for (const folder of folders) await rmdir(path.join(folder, TEMPORARY_FOLDER)).catch(() => {})
    },
  }
}

/** Where a place written by a person is: a path, or a `file:` URL. */
function folderOf(place: string, cwd: string): string {
  const plain = /^file:\/\//.test(place) ? fileURLToPath(place) : place
  return path.resolve(cwd, plain)
}

async function doorAtPath(
  folder: string,
  format: TableFormat | undefined,
  access: PathAccess,
): Promise<TableDoor> {
  const found = await formatsAt(folder)
  const chosen = format === undefined ? found[0] : found.find((each) => each === format)
  if (chosen === undefined) throw missingAt(folder, format, { found, isThere: existsSync(folder) })
  const deps = await depsAt(folder, access)
  const key = folder.slice(path.parse(folder).root.length)
  return chosen === 'delta'
    ? deltaDoor(deps, { name: folder, key })
    : icebergDoor(deps, { name: folder, table: key })
}

async function depsAt(
  folder: string,
  { engine, clock, randomness }: PathAccess,
): Promise<LakeDeps> {
  const temporaryFolder = path.join(folder, TEMPORARY_FOLDER)
  const scratch = {
    makeFolder: async () =>
      (
        await openLocalScratch({ folder: temporaryFolder, nowMs: () => clock.nowMs() })
      ).makeFolder(),
  }
  return {
    store: openFileSystem({ temporaryFolder }),
    ports: { ...lakePorts(await engine()), scratch },
    clock,
    randomness,
  }
}

/** Delta first. Iceberg's metadata may belong to any catalog: for reading, the highest-numbered is the newest. */
async function formatsAt(folder: string): Promise<readonly TableFormat[]> {
  const formats: TableFormat[] = []
  if (existsSync(path.join(folder, '_delta_log'))) formats.push('delta')
  const files = await readdir(path.join(folder, 'metadata')).catch(() => [])
  if (files.some((file) => parseMetadataFile(file) !== undefined)) formats.push('iceberg')
  return formats
}
