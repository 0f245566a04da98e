import type { Columns } from '../../model/column.ts'
import type { Relation } from '../../model/relation.ts'
import type { ScanPlan } from '../../model/scan-plan.ts'
import type { ComputeEngine, EngineConnection } from '../duckdb/engine.ts'
import { QueryRefusedError, SqlError } from '../duckdb/errors.ts'
import { quoteIdentifier, quoteText } from '../duckdb/quote-identifier.ts'
import { compileScan } from '../duckdb/scan-by-id.ts'
import { readStatement } from '../duckdb/statement.ts'
import { ModelInvalidError } from './errors.ts'
import { emptyRowsSql, type ScanText } from './net-changes.ts'
import { type ResultColumns, resultColumns } from './result-columns.ts'

/**
 * A catalog of a run's own, in which a model's SQL runs as it is written: tables it reads are views under their names, at the versions
 * that the run has fixed; `run_time()` is the moment the run is for. Gone with `close`, also after a crash: it is memory.
 */
export class ModelSession {
  readonly #engine: ComputeEngine
  readonly #connection: EngineConnection
  readonly #catalog: string
  readonly #signal: AbortSignal | undefined
  readonly #schemas = new Set(['main'])
  readonly #kinds = new Map<string, 'VIEW' | 'TABLE'>()
  readonly #scans = new Map<string, readonly ScanPlan[]>()

  constructor(
    engine: ComputeEngine,
    connection: EngineConnection,
    catalog: string,
    signal: AbortSignal | undefined,
  ) {
    this.#engine = engine
    this.#connection = connection
    this.#catalog = catalog
    this.#signal = signal
  }

  /** Make a relation that SQL can name: `layer.name`, or a plain word. */
  async view(name: string, select: string): Promise<void> {
    await this.#make('VIEW', name, select)
  }

  /** The same over files of a lake; another engine may read them where they lie. */
  async scan(name: string, plans: readonly ScanPlan[], columns: Columns): Promise<void> {
    const names = columns.map((column) => quoteIdentifier(column.name)).join(', ')
    const scanOf = await this.compile(plans)
    const scans = plans.map((plan) => `SELECT ${names} FROM (${scanOf(plan)})`)
    await this.#make(
      'VIEW',
      name,
      scans.length === 0 ? emptyRowsSql(columns) : scans.join(' UNION ALL '),
    )
    this.#scans.set(name, plans)
  }

  /** SQL for the rows of scan plans. Some look into the files first. */
  async compile(plans: readonly ScanPlan[]): Promise<ScanText> {
    const texts = new Map<ScanPlan, string>()
    for (const plan of plans) texts.set(plan, await compileScan(plan, (sql) => this.read(sql)))
    return (plan) => texts.get(plan)!
  }

  /** What a relation is made of, where that is files of a lake and nothing else. */
  scansOf(name: string): readonly ScanPlan[] | undefined {
    return this.#scans.get(name)
  }

  /** The same, worked out once. */
  async table(name: string, select: string): Promise<void> {
    await this.#make('TABLE', name, select)
  }

  /** What a statement yields, without running it. */
  async describe(sql: string): Promise<ResultColumns> {
    const { names, types, chunks } = await this.#connection.open(
      `SELECT * FROM (${sql}\n) LIMIT 0`,
      this.#signal,
    )
    for await (const _ of chunks);
    return resultColumns(names, types)
  }

  /**
   * Run a model's statement; its rows stay until the session is closed. `shape` puts a statement around it.
   * @throws ModelInvalidError when no table can hold them
   */
  async rows(model: string, sql: string): Promise<Relation> {
    const { columns, selectList, problems } = await this.describe(sql)
    if (problems.length > 0) throw notKept(model, problems)
    return this.relation(`SELECT ${selectList} FROM (${sql}\n)`, columns)
  }

  /**
   * The same without running it: whoever reads the rows computes them, once for each time they are read. For statements that cost
   * little for a row, and are read once.
   */
  async lazyRows(model: string, sql: string): Promise<Relation> {
    const { columns, selectList, problems } = await this.describe(sql)
    if (problems.length > 0) throw notKept(model, problems)
    const name = `${this.#catalog}.main.${this.#engine.relationName('rows')}`
    await this.#connection.run(`CREATE VIEW ${name} AS SELECT ${selectList} FROM (${sql}\n)`)
    const [row] = await this.read(`SELECT count(*) FROM ${name}`)
    return { name, columns, rowCount: Number(row![0]) }
  }

  /** A relation that anyone on the engine can read, until the session is closed. Where memory is short it is made by one thread. */
  async relation(select: string, columns: Columns): Promise<Relation> {
    const name = `${this.#catalog}.main.${this.#engine.relationName('rows')}`
    const result = await this.#create(`CREATE TABLE ${name} AS ${select}`)
    const [count] = (await result.getRows())[0] ?? [0]
    return { name, columns, rowCount: Number(count) }
  }

  /** Rows of a small result, as the driver's values. */
  async read(sql: string): Promise<readonly (readonly unknown[])[]> {
    return this.#connection.rows(sql, this.#signal)
  }

  /** How many rows a relation has that SQL can name. */
  async count(name: string): Promise<number> {
    const [row] = await this.read(`SELECT count(*) FROM ${name}`)
    return Number(row![0])
  }

  /** Write what a statement yields into a Parquet file. */
  async exportParquet(select: string, file: string): Promise<void> {
    await this.#connection.run(`COPY (${select}) TO ${quoteText(file)} (FORMAT parquet)`, {
      signal: this.#signal,
    })
  }

  /** The tree of a statement, as the parser makes it. */
  async parse(sql: string): Promise<unknown> {
    const [[json]] = (await this.read(`SELECT json_serialize_sql(${quoteText(sql)})`)) as [[string]]
    return (JSON.parse(json) as { statements: unknown[] }).statements[0]
  }

  /** Tables that any statement names, `schema.name`; none when it is no single statement that reads. */
  async tablesIn(sql: string): Promise<readonly string[]> {
    try {
      const { tables } = await readStatement(this.#connection, sql)
      return tables.map(({ schema, name }) => (schema === '' ? name : `${schema}.${name}`))
    } catch (error) {
      if (error instanceof QueryRefusedError || error instanceof SqlError) return []
      throw error
    }
  }

  async close(): Promise<void> {
    try {
      await this.#connection.run('USE memory')
      await this.#connection.run(`DETACH ${this.#catalog}`)
    } finally {
      this.#connection.close()
    }
  }

  async #make(kind: 'VIEW' | 'TABLE', name: string, select: string): Promise<void> {
    const [schema, table] = name.includes('.') ? name.split('.') : ['main', name]
    if (!this.#schemas.has(schema!)) {
      await this.#connection.run(
        `CREATE SCHEMA IF NOT EXISTS ${this.#catalog}.${quoteIdentifier(schema!)}`,
      )
      this.#schemas.add(schema!)
    }
    const relation = `${this.#catalog}.${quoteIdentifier(schema!)}.${quoteIdentifier(table!)}`
    // A table is not replaced by a view, nor a view by a table.
    const other = this.#kinds.get(relation)
    if (other !== undefined && other !== kind)
      await this.#connection.run(`DROP ${other} ${relation}`)
    await this.#create(`CREATE OR REPLACE ${kind} ${relation} AS ${select}`)
    this.#kinds.set(relation, kind)
    this.#scans.delete(name)
  }

  /** A statement that is all or nothing; where memory is short, by one thread. */
  async #create(statement: string) {
    return this.#connection.make(statement, { signal: this.#signal })
  }
}

const notKept = (model: string, problems: readonly string[]) =>
  new ModelInvalidError(
    `The rows of ${model} cannot be kept: ${problems.join('; ')}. Cast them, or name them apart.`,
  )

function parameterSql(parameters: Readonly<Record<string, string | null>>): string {
  const known = Object.entries(parameters).flatMap(([name, value]) =>
    value === null ? [] : `WHEN ${quoteText(name)} THEN ${quoteText(value)}`,
  )
  return known.length === 0 ? 'NULL::VARCHAR' : `CASE name ${known.join(' ')} END`
}

export interface ModelSessionOptions {
  /** What `run_time()` says, milliseconds since 1970. */
  readonly runTimeMs: number
  readonly signal?: AbortSignal | undefined
  /** What `parameter('name')` says; null for any other name. */
  readonly parameters?: Readonly<Record<string, string | null>>
}

/** Open a session on the engine; close it when the relations it made are no longer read. */
export async function openModelSession(
  engine: ComputeEngine,
  { runTimeMs, signal, parameters = {} }: ModelSessionOptions,
): Promise<ModelSession> {
  const connection = await engine.connection()
  const catalog = engine.relationName('model_run')
  try {
    await connection.run(`ATTACH ':memory:' AS ${catalog}`)
    await connection.run(`USE ${catalog}`)
    const runTime = quoteText(new Date(runTimeMs).toISOString())
    await connection.run(`CREATE MACRO ${catalog}.main.run_time() AS (TIMESTAMPTZ ${runTime})`)
    await connection.run(
      `CREATE MACRO ${catalog}.main.parameter(name) AS (${parameterSql(parameters)})`,
    )
    return new ModelSession(engine, connection, catalog, signal)
  } catch (error) {
    connection.close()
    throw error
  }
}
