import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { openDeltaTable } from '../lake/delta/table.ts'
import { TableMissingError } from '../lake/errors.ts'
import { openIcebergTable } from '../lake/iceberg/table.ts'
import { messageOf } from '../model/errors.ts'
import { type LakeHome, tableKey } from './lake-home.ts'
import {
  deltaCommit,
  deltaSnapshot,
  icebergCommit,
  icebergSnapshot,
  type LakeCommit,
  type LakeFormat,
  type LakeSnapshot,
} from './lake-snapshot.ts'

/** One table of the lake, as it stands now. */
export type LakeTableFacts =
  | {
      readonly status: 'readable'
      /** `layer.name` */
      readonly name: string
      readonly format: LakeFormat
      readonly version: number
      /** `undefined` when metadata alone cannot tell. */
      readonly rows: number | undefined
      readonly files: number
      readonly bytes: number
      /** When the newest version was committed, milliseconds since 1970; `undefined` when nothing says so any more. */
      readonly committedMs: number | undefined
    }
  | { readonly status: 'unreadable'; readonly name: string; readonly problem: string }

/** What people ask about the tables of a lake. Reads only, so it works in any process, whoever writes meanwhile. */
export interface LakeCatalog {
  /** Names of all tables, `layer.name`, in order. */
  names(): Promise<readonly string[]>
  /** Every table; one that cannot be read is listed with its problem and does not hide the others. */
  list(): Promise<readonly LakeTableFacts[]>
  /** @throws TableMissingError naming the tables there are */
  snapshot(name: string): Promise<LakeSnapshot>
  /** Newest first. @throws TableMissingError */
  history(name: string, limit: number): Promise<readonly LakeCommit[]>
}

export interface LakeCatalogOptions {
  /** Folder of the lake; tables are at `<layer>/<table>` in it. It need not exist yet. */
  readonly folder: string
  /** What reads the tables; asked when a table is looked at. */
  readonly home: () => Promise<LakeHome>
}

interface OpenTable {
  readonly format: LakeFormat
  snapshot(): Promise<LakeSnapshot>
  history(limit: number): Promise<readonly LakeCommit[]>
}

/**
 * All tables of a lake: its folders are the list of the Delta tables, the home's catalog that of the Iceberg tables. Both are what writers
 * go by, so there is nothing beside the tables that could disagree with them.
 */
export function lakeCatalog({ folder, home }: LakeCatalogOptions): LakeCatalog {
  const names = async () => {
    // A folder that is not there yet has no tables of either kind, and nothing needs to be opened to know.
    if (!existsSync(folder)) return []
    const { iceberg } = await home()
    return [...new Set([...(await deltaNames(folder)), ...iceberg.catalog.tables()])].sort()
  }
  const open = async (name: string): Promise<OpenTable> => {
    const known = await names()
    if (known.includes(name)) return openTable(await home(), name)
    throw new TableMissingError(
      known.length === 0
        ? `There is no table "${name}": the lake in ${folder} has none yet. Tables appear when a pipeline first runs.`
        : `There is no table "${name}" in the lake. There are: ${known.join(', ')}.`,
    )
  }
  return {
    names,
    list: async () => Promise.all((await names()).map((name) => factsOf(name, open))),
    snapshot: async (name) => (await open(name)).snapshot(),
    history: async (name, limit) => (await open(name)).history(limit),
  }
}

async function openTable({ delta, iceberg }: LakeHome, name: string): Promise<OpenTable> {
  if (iceberg.catalog.tables().includes(name)) {
    const table = await openIcebergTable(iceberg, name)
    return {
      format: 'iceberg',
      snapshot: async () => icebergSnapshot(await table.snapshot()),
      history: async (limit) => (await table.history({ limit })).map(icebergCommit),
    }
  }
  const table = await openDeltaTable(delta, tableKey(name))
  return {
    format: 'delta',
    snapshot: async () => deltaSnapshot(await table.snapshot()),
    history: async (limit) => (await table.history({ limit })).map(deltaCommit),
  }
}

async function factsOf(
  name: string,
  open: (name: string) => Promise<OpenTable>,
): Promise<LakeTableFacts> {
  try {
    const table = await open(name)
    const snapshot = await table.snapshot()
    const [newest] = await table.history(1)
    return {
      status: 'readable',
      name,
      format: table.format,
      version: snapshot.version,
      rows: await snapshot.rowCount(),
      files: snapshot.fileCount,
      bytes: snapshot.bytes,
      committedMs: newest?.committedMs,
    }
  } catch (error) {
    return { status: 'unreadable', name, problem: messageOf(error) }
  }
}

async function deltaNames(folder: string): Promise<readonly string[]> {
  const layers = await foldersIn(folder)
  const tables = await Promise.all(
    layers.map(async (layer) =>
      (await foldersIn(path.join(folder, layer)))
        .filter((table) => existsSync(path.join(folder, layer, table, '_delta_log')))
        .map((table) => `${layer}.${table}`),
    ),
  )
  return tables.flat()
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return []
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
}
