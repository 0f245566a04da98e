import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { HistoryEntry } from '../lake/delta/history.ts'
import type { DeltaSnapshot } from '../lake/delta/snapshot.ts'
import { type DeltaTable, openDeltaTable } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import { TableMissingError } from '../lake/errors.ts'
import { messageOf } from '../model/errors.ts'
import { tableKey } from './lake-home.ts'

/** One table of the lake, as it stands now. */
export type LakeTableFacts =
  | {
      readonly status: 'readable'
      /** `layer.name` */
      readonly name: string
      readonly version: number
      /** `undefined` when a file has no statistics. */
      readonly rows: number | undefined
      readonly files: number
      readonly bytes: number
      /** When the newest version was committed, milliseconds since 1970; `undefined` when its log file is gone. */
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
  snapshot(name: string): Promise<DeltaSnapshot>
  /** Newest first. @throws TableMissingError */
  history(name: string, limit: number): Promise<readonly HistoryEntry[]>
}

export interface LakeCatalogOptions {
  /** Folder of the lake; tables are at `<layer>/<table>` in it. It need not exist yet. */
  readonly folder: string
  /** What reads the tables; asked when a table is looked at. */
  readonly deps: () => Promise<DeltaDeps>
}

/** The catalog of a lake: its folders are the list, so there is nothing beside the tables that could disagree with them. */
export function lakeCatalog({ folder, deps }: LakeCatalogOptions): LakeCatalog {
  const names = () => tableNames(folder)
  const open = async (name: string): Promise<DeltaTable> => {
    const known = await names()
    if (known.includes(name)) return openDeltaTable(await deps(), tableKey(name))
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
    history: async (name, limit) => (await open(name)).history({ limit }),
  }
}

async function factsOf(
  name: string,
  open: (name: string) => Promise<DeltaTable>,
): Promise<LakeTableFacts> {
  try {
    const table = await open(name)
    const snapshot = await table.snapshot()
    const [newest] = await table.history({ limit: 1 })
    return {
      status: 'readable',
      name,
      version: snapshot.version,
      rows: await snapshot.rowCount(),
      files: snapshot.fileCount,
      bytes: snapshot.bytes,
      committedMs: newest?.timestampMs,
    }
  } catch (error) {
    return { status: 'unreadable', name, problem: messageOf(error) }
  }
}

async function tableNames(folder: string): Promise<readonly string[]> {
  const layers = await foldersIn(folder)
  const tables = await Promise.all(
    layers.map(async (layer) =>
      (await foldersIn(path.join(folder, layer)))
        .filter((table) => existsSync(path.join(folder, layer, table, '_delta_log')))
        .map((table) => `${layer}.${table}`),
    ),
  )
  return tables.flat().sort()
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return []
  const entries = await readdir(folder, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
}
