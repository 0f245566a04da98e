import { existsSync } from 'node:fs'
import { TableMissingError } from '../lake/errors.ts'
import { parseMetadataFile } from '../lake/iceberg/metadata-file.ts'
import { messageOf } from '../model/errors.ts'
import type { ObjectStore } from '../model/object-store.ts'
import { deltaDoor } from './delta-door.ts'
import { icebergDoor } from './iceberg-door.ts'
import { type LakeHome, type LakePlace, tableKey } from './lake-home.ts'
import type { TableCommit, TableDoor, TableFormat, TablePoint, TableState } from './table-door.ts'

/** One table of the lake, as it stands now. */
export type LakeTableFacts =
  | {
      readonly status: 'readable'
      /** `layer.name` */
      readonly name: string
      readonly format: TableFormat
      /** Delta's version, Iceberg's snapshot id; `undefined` for an Iceberg table that nothing was committed to. */
      readonly version: number | bigint | undefined
      /** `undefined` when a file has no statistics. */
      readonly rows: number | undefined
      readonly files: number
      readonly bytes: number
      /** When the newest version was committed, milliseconds since 1970; `undefined` when nothing says so any more. */
      readonly committedMs: number | undefined
    }
  | { readonly status: 'unreadable'; readonly name: string; readonly problem: string }

/** What people ask about the tables of a lake, in both formats. Works in any process, whoever writes meanwhile. */
export interface LakeCatalog {
  /** Names of all tables, `layer.name`, in order. */
  names(): Promise<readonly string[]>
  /** Every table; one that cannot be read is listed with its problem and does not hide the others. */
  list(): Promise<readonly LakeTableFacts[]>
  /**
   * A table by name. `format` is needed only where a folder holds both, as after a conversion; Delta goes first.
   * @throws TableMissingError naming the tables there are
   */
  door(name: string, format?: TableFormat): Promise<TableDoor>
  /** By default the newest. @throws TableMissingError, SnapshotMissingError */
  state(name: string, point?: TablePoint): Promise<TableState>
  /** Newest first. @throws TableMissingError */
  history(name: string, limit: number): Promise<readonly TableCommit[]>
}

/** Where the lake is; tables are at `<layer>/<table>` in it. It need not exist yet. */
export interface LakeCatalogOptions extends LakePlace {
  /** What reads the tables; asked when a table is looked at. */
  readonly home: () => Promise<LakeHome>
}

/**
 * All tables of a lake: its folders are the list of the Delta tables, the home's catalog that of the Iceberg tables. Both are what writers
 * go by, so there is nothing beside the tables that could disagree with them. An Iceberg table that is in a folder alone, as after a
 * conversion, is found there.
 */
export function lakeCatalog({ home, ...place }: LakeCatalogOptions): LakeCatalog {
  const list = async (): Promise<readonly Found[]> => {
    // A folder that is not there yet has no tables of either kind, and nothing needs to be opened to know.
    if (place.remote === undefined && !existsSync(place.folder)) return []
    const { delta, iceberg } = await home()
    const cataloged = iceberg.catalog.tables()
    const inFolders = await tablesInFolders(delta.store, new Set(cataloged))
    const found = [
      ...inFolders,
      ...cataloged.map((name) => ({ name, format: 'iceberg', isCataloged: true }) as const),
    ]
    return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  }
  const names = async () => [...new Set((await list()).map(({ name }) => name))]
  const door = async (name: string, format?: TableFormat): Promise<TableDoor> => {
    const known = await list()
    const found = known.find(
      (table) => table.name === name && (format ?? table.format) === table.format,
    )
    if (found === undefined) throw tableMissing({ name, format, known, place })
    return openFound(await home(), found)
  }
  return {
    names,
    list: async () => Promise.all((await names()).map((name) => factsOf(name, () => door(name)))),
    door,
    state: async (name, point) => (await door(name)).state(point),
    history: async (name, limit) => (await door(name)).history(limit),
  }
}

interface Found {
  readonly name: string
  readonly format: TableFormat
  /** Absent for tables that are known by their folder. */
  readonly isCataloged?: boolean
}

function openFound({ delta, iceberg }: LakeHome, found: Found): Promise<TableDoor> {
  const { name, format, isCataloged } = found
  if (format === 'delta') return deltaDoor(iceberg, { name, key: tableKey(name) })
  if (isCataloged === true) return icebergDoor(iceberg, { name, table: name })
  return icebergDoor(delta, { name, table: tableKey(name) })
}

function tableMissing({
  name,
  format,
  known,
  place,
}: {
  readonly name: string
  readonly format: TableFormat | undefined
  readonly known: readonly Found[]
  readonly place: LakePlace
}): TableMissingError {
  const other = known.find((table) => table.name === name)
  if (other !== undefined)
    return new TableMissingError(
      `${name} is no ${formatName(format!)} table; it is a table of ${formatName(other.format)}.`,
    )
  return new TableMissingError(
    known.length === 0
      ? `There is no table "${name}": the lake in ${placeName(place)} has none yet. Tables appear when a pipeline first runs.`
      : `There is no table "${name}" in the lake. There are: ${[...new Set(known.map((table) => table.name))].join(', ')}.`,
  )
}

/** For people: a folder, or the URL of a bucket's part. */
export const placeName = ({ folder, remote }: LakePlace): string =>
  remote === undefined ? folder : `s3://${[remote.bucket, remote.prefix].filter(Boolean).join('/')}`

/** As its makers write it. */
export const formatName = (format: TableFormat): string =>
  format === 'delta' ? 'Delta Lake' : 'Apache Iceberg'

async function factsOf(name: string, open: () => Promise<TableDoor>): Promise<LakeTableFacts> {
  try {
    const table = await open()
    const state = await table.state()
    const [newest] = await table.history(1)
    return {
      status: 'readable',
      name,
      format: table.format,
      version: state.version,
      ...(await state.size()),
      committedMs: newest?.committedMs,
    }
  } catch (error) {
    return { status: 'unreadable', name, problem: messageOf(error) }
  }
}

/** The tables that are known by their folders; those of the catalog are known already. */
async function tablesInFolders(
  store: ObjectStore,
  cataloged: ReadonlySet<string>,
): Promise<readonly Found[]> {
  const layers = await foldersIn(store, '')
  const tables = await Promise.all(
    layers.map(async (layer) => {
      const inside = await foldersIn(store, `${layer}/`)
      return Promise.all(
        inside.map(async (table) => {
          const name = `${layer}.${table}`
          const isCataloged = cataloged.has(name)
          const formats = await formatsIn(store, `${layer}/${table}`, isCataloged)
          return formats.map((format) => ({ name, format }))
        }),
      )
    }),
  )
  return tables.flat(2)
}

/** The formats of the table in a folder that are known by the folder alone; Delta first. */
async function formatsIn(
  store: ObjectStore,
  folder: string,
  isCataloged: boolean,
): Promise<readonly TableFormat[]> {
  const inside = await foldersIn(store, `${folder}/`)
  const formats: TableFormat[] = []
  if (inside.includes('_delta_log')) formats.push('delta')
  if (!isCataloged && inside.includes('metadata') && (await hasNumberedMetadata(store, folder)))
    formats.push('iceberg')
  return formats
}

async function hasNumberedMetadata(store: ObjectStore, folder: string): Promise<boolean> {
  const prefix = `${folder}/metadata/`
  for await (const { key } of store.list({ prefix, delimiter: '/' }))
    if (parseMetadataFile(key.slice(prefix.length))?.version !== undefined) return true
  return false
}

async function foldersIn(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  const names: string[] = []
  for await (const name of store.folders(prefix)) if (!name.startsWith('.')) names.push(name)
  return names
}
