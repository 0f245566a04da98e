import { messageOf } from '../model/errors.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { namedTables } from '../sql/duckdb/query.ts'
import type { LakeCatalog } from './lake-catalog.ts'

/** What an answer was made from: as long as the stamp of a statement is the same, so is its answer. */
export interface StampSource {
  readonly engine: ComputeEngine
  readonly lake: LakeCatalog
  /** Grows whenever a store that is not the lake takes rows. */
  readonly servedCount: () => number
  /** Views, by name, with the tables they read. */
  readonly views: () => Promise<ReadonlyMap<string, readonly string[]>>
}

/**
 * A text that changes when a table does that the statement names. Lake tables by their version, so this looks at a few small files and at no
 * rows.
 */
export async function stampOf(source: StampSource, sql: string): Promise<string> {
  const { engine, lake, servedCount } = source
  const [named, known, views] = await Promise.all([
    namedTables(engine, sql),
    lake.names(),
    source.views(),
  ])
  const tables = new Set<string>()
  const add = (name: string) => {
    if (tables.has(name)) return
    tables.add(name)
    for (const read of views.get(name) ?? []) add(read)
  }
  named.forEach(add)
  const versions = [...tables].sort().map(async (name) => {
    if (known.includes(name)) return `${name}@${await versionOf(lake, name)}`
    return /^(serve|system|dead_letters)\./.test(name) ? `${name}@${servedCount()}` : name
  })
  return (await Promise.all(versions)).join(' ')
}

const versionOf = async (lake: LakeCatalog, name: string): Promise<string> =>
  lake.state(name).then(
    ({ version }) => String(version),
    (error: unknown) => messageOf(error),
  )
