import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { ask } from '../../flow/ask.ts'
import { lakeFunctions } from '../../flow/tables-to-sql.ts'
import { reachPublisher } from '../../orchestrator/open-publisher.ts'
import { type ReachedPostgres, reachPostgres } from '../../orchestrator/reach-postgres.ts'
import { savedQueries } from '../../orchestrator/saved-queries.ts'
import { queryPostgres } from '../../serve/postgres/query.ts'
import type { ComputeEngine } from '../../sql/duckdb/engine.ts'
import {
  exportQuery,
  type QueryOptions,
  type QueryResult,
  runQuery,
} from '../../sql/duckdb/query.ts'
import { runStore } from '../../state/run-store.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { currentLedger } from '../current-ledger.ts'
import { loadProject, type Project } from '../project.ts'
import { reachOlap } from '../served-rows.ts'
import { withHome } from '../with-home.ts'

const ROWS_DEFAULT = 10_000
/** A person at a terminal stops what takes too long; nothing else should. */
const A_DAY_MS = 24 * 3_600_000

export const sql: Command = {
  name: 'sql',
  summary: 'ask any table a question, in SQL',
  usage: 'sql "SELECT …" [--out FILE] [--on postgres]',
  about: `
Runs one statement that reads, and prints the rows. Tables are named layer.table: the lake's (bronze.…, silver.…, gold.…), the serving
tables as serve.<table>, dead letters as dead_letters.<pipeline>, the ledger as system.ledger, and the history as system.runs and system.run_tasks. The SQL is DuckDB's; with --on postgres the statement goes to the
serving database as it is. Works while the platform runs and while it does not.

Any table by its folder: delta('PATH') and iceberg('PATH'), joined with each other and with all the rest. Any table as it was:
bronze.user_events AT (VERSION => 3), or AT (TIMESTAMP => '2026-01-31T12:00:00Z'); delta('PATH', version => 3) and at => '…' likewise, and
for Iceberg ref => 'BRANCH or TAG'. An Iceberg version is a snapshot id; a time without a zone is UTC; "mekong history" shows both.

--query runs a saved query of a pipeline; without a name it lists them.`,
  options: {
    out: {
      type: 'string',
      value: 'FILE',
      doc: 'Write all rows into FILE.parquet, FILE.csv or FILE.json.',
    },
    on: { type: 'string', value: 'STORE', doc: 'Ask a serving store directly: postgres.' },
    query: {
      type: 'string',
      value: 'NAME',
      doc: 'A saved query, pipeline/name; "list" lists them.',
    },
    file: { type: 'string', short: 'f', value: 'FILE', doc: 'Read the statement from a file.' },
    rows: { type: 'string', value: 'N', doc: `Most rows to print (default ${ROWS_DEFAULT}).` },
  },
  examples: [
    ['mekong sql "select event_type, count(*) from bronze.user_events group by all"', 'the lake'],
    ['mekong sql "select * from user_events_stats" --on postgres', 'the serving database'],
    ['mekong sql --query user-events/latest-events', 'a saved query'],
    ['mekong sql "from bronze.user_events" --out events.parquet', 'an export'],
    ['mekong sql "from bronze.user_events AT (VERSION => 3)"', 'the table as it was'],
    [
      `mekong sql "from delta('../sales') s join iceberg('/data/customers') c using (customer_id)"`,
      'two tables by their folders',
    ],
  ],

  async run(context) {
    const project = await loadProject(context)
    if (context.options.query === 'list') return listQueries(context, project)
    const statement = statementOf(context, project)
    const result =
      statement.on === 'postgres'
        ? await askPostgres(context, project, statement.sql)
        : await askLake(context, statement.sql)
    if (result !== undefined) show(context, result)
    return EXIT.ok
  },
}

interface Statement {
  readonly sql: string
  readonly on: 'lake' | 'postgres'
}

interface Shown {
  readonly names: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
  readonly truncated: boolean
}

function statementOf({ args, options, cwd }: CommandContext, project: Project): Statement {
  if (options.on !== undefined && options.on !== 'postgres') {
    throw new UsageError(`--on takes postgres, not ${JSON.stringify(options.on)}`)
  }
  const on = options.on === 'postgres' ? 'postgres' : 'lake'
  const given = [args[0], options.file, options.query].filter((value) => value !== undefined)
  if (given.length !== 1)
    throw new UsageError('Give one statement: as text, with --file, or with --query')
  if (typeof options.query === 'string') return savedQuery(project, options.query)
  if (typeof options.file === 'string') {
    const file = path.resolve(cwd, options.file)
    if (!existsSync(file)) throw new UsageError(`There is no file ${file}`)
    return { sql: readFileSync(file, 'utf8'), on }
  }
  return { sql: args[0]!, on }
}

function askLake(context: CommandContext, text: string): Promise<Shown | undefined> {
  return withHome(context, async (reader, project) => {
    const { plans, homeFolder, settings } = project
    const engine = await reader.engine()
    let reached: ReachedPostgres | undefined
    const postgres = async () => {
      reached ??= await reachPostgres(homeFolder, settings)
      return reached.config
    }
    const publisher = () => reachPublisher(settings, postgres)
    const ledger = async () => {
      // Where nothing runs, the ledger starts the embedded PostgreSQL itself; one at a time.
      await reached?.release()
      reached = undefined
      return (await currentLedger(context, reader, plans)).lines
    }
    const runs = async () => {
      const database = await reader.runDatabase()
      return database === undefined ? undefined : runStore(database)
    }
    const { home } = reader
    const olap = reachOlap(context, project, { home, spillDirectory: engine.spillDirectory })
    const question = {
      sql: text,
      functions: lakeFunctions(reader.places(context.cwd), engine),
      sandboxed: false,
      rowCountMax: rowsMax(context.options.rows),
      timeoutMs: A_DAY_MS,
      signal: context.signal,
    }
    const { lake, state } = reader
    const world = {
      ...{ engine, lake, plans, postgres, publisher, olap: olap.rows, state, ledger, runs },
    }
    try {
      return await ask(world, question, (own, query) => answer(context, own, query))
    } finally {
      await olap.release()
      await reached?.release()
    }
  })
}

async function answer(
  { options, terminal, cwd }: CommandContext,
  engine: ComputeEngine,
  query: QueryOptions,
): Promise<Shown | undefined> {
  if (typeof options.out !== 'string') return shownOf(await runQuery(engine, query))
  const { rowCount } = await exportQuery(engine, { ...query, path: path.resolve(cwd, options.out) })
  if (options.json === true) terminal.printJson({ ok: true, rows: rowCount, file: options.out })
  else terminal.print(`${rowCount} rows in ${options.out}`)
  return undefined
}

const shownOf = ({ columns, rows, truncated }: QueryResult): Shown => ({
  names: columns.map(({ name }) => name),
  rows,
  truncated,
})

async function askPostgres(
  context: CommandContext,
  project: Project,
  text: string,
): Promise<Shown> {
  if (context.options.out !== undefined)
    throw new UsageError('--out works on the lake; use serve.<table> there')
  const postgres = await reachPostgres(project.homeFolder, project.settings)
  try {
    const { columns, rows, truncated } = await queryPostgres(
      postgres.config,
      { sql: text, rowCountMax: rowsMax(context.options.rows) },
      context.signal,
    )
    const instants = new Set(
      columns.flatMap(({ type }, index) => (type === 'timestamp' ? [index] : [])),
    )
    return {
      names: columns.map(({ name }) => name),
      rows: rows.map((row) =>
        row.map((cell, index) => (instants.has(index) ? instantText(cell) : cell)),
      ),
      truncated,
    }
  } finally {
    await postgres.release()
  }
}

/** `2023-11-29 05:09:27.89+00`, as PostgreSQL writes instants in UTC. */
function instantText(micros: unknown): unknown {
  if (typeof micros !== 'bigint') return micros
  const seconds = new Date(Number(micros / 1_000_000n) * 1_000)
    .toISOString()
    .slice(0, 19)
    .replace('T', ' ')
  const fraction = String(micros % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '')
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}+00`
}

function show({ options, terminal }: CommandContext, { names, rows, truncated }: Shown): void {
  if (options.json === true) {
    terminal.printJson(
      rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]]))),
    )
  } else {
    terminal.table(names, rows)
    terminal.note(`${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`)
  }
  if (truncated)
    terminal.note(
      `Only the first ${rows.length} rows are shown; --rows shows more, --out writes all.`,
    )
}

function rowsMax(option: string | boolean | undefined): number {
  if (option === undefined) return ROWS_DEFAULT
  const rows = Number(option)
  if (Number.isInteger(rows) && rows > 0) return rows
  throw new UsageError(`--rows takes a whole number above zero, not ${JSON.stringify(option)}`)
}

function savedQuery(project: Project, name: string): Statement {
  const queries = savedQueries(project.plans)
  const found = queries.find((query) => query.name === name)
  if (found !== undefined) return found
  throw new UsageError(
    `There is no saved query "${name}". There are: ${queries.map((q) => q.name).join(', ')}`,
  )
}

function listQueries({ options, terminal }: CommandContext, project: Project): number {
  const queries = savedQueries(project.plans).map(({ name, on, about }) => ({ name, on, about }))
  if (options.json === true) terminal.printJson(queries)
  else
    terminal.table(
      ['query', 'asks', 'about'],
      queries.map(({ name, on, about }) => [name, on, about]),
    )
  return EXIT.ok
}
