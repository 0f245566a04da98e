import type { DuckDBValue } from '@duckdb/node-api'
import type { Column, Columns, ColumnType } from '../../model/column.ts'
import type { Relation } from '../../model/relation.ts'
import {
  CHANGE_TYPE_COLUMN,
  type Condition,
  type JoinOn,
  type RowClause,
} from '../../model/row-edit.ts'
import type { ScanPlan } from '../../model/scan-plan.ts'
import { EngineMemoryError } from './errors.ts'
import type { TableConnection } from './parquet-tables.ts'
import { quoteIdentifier, quoteText } from './quote-identifier.ts'
import {
  changedRowsSql,
  countSql,
  digestsSql,
  type EditSql,
  editsSql,
  insertCountSql,
  newRowsSql,
  removedPlacesSql,
  removedSql,
  SOURCE_COLUMN,
  touchedSql,
} from './row-edits.ts'
import { predicateSql, renamedSql } from './scan.ts'
import { compilePlaces, compileScan } from './scan-by-id.ts'
import { duckdbType } from './type-mapping.ts'
import { zOrderSql } from './z-order.ts'

// The rows of lake tables, for a lake that knows no SQL. Fills the lake's `RowsPort`; the types are spelled out once more because rooms do not
// import each other. Relations made here are views, read from the files each time; only edits and a merge's source are tables,
// which spill. A crash leaves nothing: all of it is in the engine's memory.

/** A connection that also makes tables; see `EngineConnection.make`. */
export interface RowConnection extends TableConnection {
  make(sql: string, options: { readonly signal?: AbortSignal | undefined }): Promise<unknown>
}

export interface LakeRowsOptions {
  /** Opens a connection for one call, closed after it. */
  readonly connect: () => Promise<RowConnection>
  /** A name that nobody else has, beginning with a word. */
  readonly relationName: (word: string) => string
}

interface EditRequest {
  readonly target: ScanPlan
  readonly source?: { readonly relation: Relation; readonly on: JoinOn }
  readonly clauses: readonly RowClause[]
}

interface Derived {
  readonly name: string
  readonly type: ColumnType
  readonly from: { readonly column: string } | { readonly sql: string }
}

export type LakeRows = ReturnType<typeof lakeRows>

/** @throws SqlError for what users wrote, EngineMemoryError, EngineIoError, EngineInterruptedError */
export function lakeRows(options: LakeRowsOptions) {
  const engine = new RowEngine(options)
  return Object.freeze({
    findEdits: (request: EditRequest, signal?: AbortSignal) => findEdits(engine, request, signal),

    async planRelation(
      request: {
        readonly plan: ScanPlan
        readonly zOrder?: { readonly by: readonly string[]; readonly as: string }
      },
      signal?: AbortSignal,
    ) {
      const { plan, zOrder } = request
      const rows = await compileScan(plan, (sql) => engine.rows(sql, signal))
      const text = zOrder === undefined ? rows : zOrderSql({ rows, ...zOrder })
      const columns =
        zOrder === undefined
          ? plan.columns
          : [...plan.columns, { name: zOrder.as, type: Z_TYPE, nullable: false }]
      return engine.view(text, { columns, rowCount: rowCountMax(plan) }, signal)
    },

    derivedRelation: (
      { relation, columns }: { readonly relation: Relation; readonly columns: readonly Derived[] },
      signal?: AbortSignal,
    ) =>
      engine.view(
        derivedSql(relation, columns),
        { columns: columns.map((c) => ({ ...c, nullable: true })), rowCount: relation.rowCount },
        signal,
      ),

    async valuesIn(
      {
        relation,
        column,
        valueCountMax,
      }: { readonly relation: Relation; readonly column: string; readonly valueCountMax: number },
      signal?: AbortSignal,
    ) {
      const cell = quoteIdentifier(column)
      const [bounds] = await engine.rows(
        `SELECT min(${cell})::VARCHAR, max(${cell})::VARCHAR FROM ${relation.name}`,
        signal,
      )
      const [min, max] = bounds as [string | null, string | null]
      if (min === null || max === null) return undefined
      const values = await engine.rows(
        `SELECT DISTINCT ${cell}::VARCHAR FROM ${relation.name} WHERE ${cell} IS NOT NULL LIMIT ${valueCountMax + 1}`,
        signal,
      )
      return values.length > valueCountMax
        ? { min, max }
        : { min, max, values: values.map(([value]) => value as string) }
    },

    async countViolations(relation: Relation, checks: readonly Condition[], signal?: AbortSignal) {
      const broken = (check: Condition) =>
        check.kind === 'sql' ? `NOT (${check.text})` : `(${predicateSql(check)}) IS NOT TRUE`
      const counts = checks.map((check) => `(count(*) FILTER (WHERE ${broken(check)}))::VARCHAR`)
      const [row] = await engine.rows(`SELECT ${counts.join(', ')} FROM ${relation.name}`, signal)
      return row!.map(Number)
    },
  })
}

async function findEdits(
  engine: RowEngine,
  { target, source, clauses }: EditRequest,
  signal?: AbortSignal,
) {
  const edits = engine.name('edits')
  const held: string[] = []
  const sql: EditSql = {
    target,
    scan: await compilePlaces(target, (text) => engine.rows(text, signal)),
    clauses,
    edits,
    ...(source === undefined ? {} : { source: { ...source, table: engine.name('merge_source') } }),
  }
  const drop = async () => {
    for (const statement of held.toReversed()) await engine.run(statement)
  }
  try {
    if (sql.source !== undefined) {
      held.push(await engine.numbered(sql.source, signal))
    }
    held.push(`DROP TABLE IF EXISTS ${edits}`)
    await makeEdits(engine, sql, signal)
    const counts = await countEdits(engine, sql, signal)
    const touched = (await engine.rows(touchedSql(sql), signal)).map(([file]) => file as number)
    const view = async (text: string, columns: Columns, rowCount: number, abort?: AbortSignal) => {
      const made = await engine.view(text, { columns, rowCount }, abort)
      held.push(`DROP VIEW IF EXISTS ${made.relation.name}`)
      return made.relation
    }
    const changed: Column = { name: CHANGE_TYPE_COLUMN, type: 'string', nullable: false }
    const changedCount = counts.updatedCount + counts.insertedCount
    return {
      ...counts,
      removedRows: (abort?: AbortSignal) => engine.placesByFile(removedSql(sql), abort),
      removedPlaces: (
        files: readonly { file: number; path: string; group: number }[],
        names: { path: string; position: string; group: string },
        abort?: AbortSignal,
      ) => {
        const columns: Columns = [
          { name: names.path, type: 'string', nullable: false },
          { name: names.position, type: 'int64', nullable: false },
          { name: names.group, type: 'int32', nullable: false },
        ]
        const rowCount = counts.deletedCount + counts.updatedCount
        return view(removedPlacesSql(sql, files, names), columns, rowCount, abort)
      },
      newRows: (rewrite: readonly number[], abort?: AbortSignal) => {
        const kept = rowCountMax({ ...target, files: rewrite.map((file) => target.files[file]!) })
        return view(newRowsSql(sql, rewrite, touched), target.columns, changedCount + kept, abort)
      },
      changedRows: async (abort?: AbortSignal) => {
        const { before, after } = changedRowsSql(sql, touched)
        const columns = [...target.columns, changed]
        const goneCount = counts.deletedCount + counts.updatedCount
        return [
          ...(before === undefined ? [] : [await view(before, columns, goneCount, abort)]),
          ...(after === undefined ? [] : [await view(after, columns, changedCount, abort)]),
        ]
      },
      [Symbol.asyncDispose]: drop,
    }
  } catch (error) {
    await drop()
    throw error
  }
}

/** The table of edits. Where memory is short for the source's rows, digests of them are compared. */
async function makeEdits(engine: RowEngine, sql: EditSql, signal?: AbortSignal): Promise<void> {
  const { source, edits } = sql
  const rows = digestsSql(sql)
  const make = (by: EditSql) => `CREATE TABLE ${edits} AS ${editsSql(by)}`
  if (source === undefined || rows === undefined) return engine.make(make(sql), signal)
  return engine.run(make(sql), signal).catch(async (error: unknown) => {
    if (!(error instanceof EngineMemoryError)) throw error
    const table = engine.name('digests')
    try {
      await engine.make(`CREATE TABLE ${table} AS ${rows}`, signal)
      await engine.make(make({ ...sql, source: { ...source, table }, hasDigests: true }), signal)
    } finally {
      await engine.run(`DROP TABLE IF EXISTS ${table}`)
    }
  })
}

async function countEdits(engine: RowEngine, sql: EditSql, signal?: AbortSignal) {
  const [row] = await engine.rows(countSql(sql), signal)
  const [byClause, ambiguous] = row as [
    { items: { entries: { a: string; n: string } }[] } | null,
    string,
  ]
  let deletedCount = 0
  let updatedCount = 0
  for (const { entries } of byClause?.items ?? []) {
    const clause = sql.clauses[Number(entries.a)]!
    if (clause.when !== 'not_matched' && clause.do === 'delete') deletedCount += Number(entries.n)
    else updatedCount += Number(entries.n)
  }
  const matched = sql.clauses.filter((clause) => clause.when === 'matched')
  const isOnlyDelete = matched.every(
    (clause) => clause.when === 'matched' && clause.do === 'delete',
  )
  const inserts = insertCountSql(sql)
  const insertedCount =
    inserts === undefined ? 0 : Number((await engine.rows(inserts, signal))[0]![0])
  // Several reasons to delete a row agree.
  return {
    deletedCount,
    updatedCount,
    insertedCount,
    ambiguousCount: isOnlyDelete ? 0 : Number(ambiguous),
  }
}

/** Rows in the files of a plan, as far as known. Never 0 for files of unknown size. */
/** Holds all the bits that are interleaved. */
const Z_TYPE: ColumnType = { kind: 'decimal', precision: 38, scale: 0 }

const rowCountMax = ({ files }: ScanPlan) =>
  files.reduce((sum, file) => sum + (file.rowCount ?? 1), 0)

function derivedSql(relation: Relation, columns: readonly Derived[]): string {
  const types = new Map(relation.columns.map((column) => [column.name, column.type]))
  const outputs = columns.map(({ name, type, from }) => {
    const value =
      'sql' in from
        ? `CAST((${from.sql}) AS ${duckdbType(type)})`
        : widenedSql(quoteIdentifier(from.column), types.get(from.column)!, type)
    return `${value} AS ${quoteIdentifier(name)}`
  })
  return `SELECT ${outputs.join(', ')} FROM ${relation.name}`
}

const widenedSql = (cell: string, from: ColumnType, to: ColumnType) =>
  typeof to === 'string' || to.kind === 'decimal'
    ? `${cell}::${duckdbType(to)}`
    : renamedSql(cell, from, to)

/** Statements on connections of their own, and views that others can read. */
class RowEngine {
  readonly name: (word: string) => string
  readonly #connect: () => Promise<RowConnection>

  constructor({ connect, relationName }: LakeRowsOptions) {
    this.#connect = connect
    this.name = relationName
  }

  async make(text: string, signal?: AbortSignal): Promise<void> {
    const connection = await this.#connect()
    try {
      await connection.make(text, { signal })
    } finally {
      connection.close()
    }
  }

  /**
   * The rows of a relation with their numbers: a table's as it has them, and only what is no table is copied. Returns the statement
   * that takes that away.
   */
  async numbered(
    { table, relation }: NonNullable<EditSql['source']>,
    signal?: AbortSignal,
  ): Promise<string> {
    const name = `concat_ws('.', database_name, schema_name, table_name)`
    const [found] = await this.rows(
      `SELECT count(*) FROM duckdb_tables() WHERE ${quoteText(relation.name)} IN (table_name, ${name})`,
      signal,
    )
    const rows = (number: string) => `SELECT ${number} AS ${SOURCE_COLUMN}, * FROM ${relation.name}`
    if (Number(found![0]) === 1) {
      await this.run(`CREATE VIEW ${table} AS ${rows('rowid')}`, signal)
      return `DROP VIEW IF EXISTS ${table}`
    }
    await this.make(`CREATE TABLE ${table} AS ${rows('row_number() OVER ()')}`, signal)
    return `DROP TABLE IF EXISTS ${table}`
  }

  async run(text: string, signal?: AbortSignal): Promise<void> {
    const connection = await this.#connect()
    try {
      await connection.run(text, { signal })
    } finally {
      connection.close()
    }
  }

  async rows(text: string, signal?: AbortSignal): Promise<DuckDBValue[][]> {
    const connection = await this.#connect()
    try {
      const rows: DuckDBValue[][] = []
      for await (const chunk of (await connection.open(text, signal)).chunks)
        rows.push(...chunk.getRows())
      return rows
    } finally {
      connection.close()
    }
  }

  async view(
    text: string,
    { columns, rowCount }: { columns: Columns; rowCount: number },
    signal?: AbortSignal,
  ) {
    const name = this.name('lake_rows')
    await this.run(`CREATE VIEW ${name} AS ${text}`, signal)
    const relation: Relation = { name, columns, rowCount }
    return { relation, [Symbol.asyncDispose]: () => this.run(`DROP VIEW IF EXISTS ${name}`) }
  }

  /** Rows of `file, position` in that order, gathered file by file. */
  async *placesByFile(text: string, signal?: AbortSignal) {
    const connection = await this.#connect()
    try {
      let file: number | undefined
      let positions: number[] = []
      for await (const chunk of (await connection.open(text, signal)).chunks) {
        const [files, rows] = chunk.getColumns() as [number[], number[]]
        for (const [index, at] of files.entries()) {
          if (file !== undefined && at !== file) {
            yield { file, positions: Float64Array.from(positions) }
            positions = []
          }
          file = at
          positions.push(rows[index]!)
        }
      }
      if (file !== undefined) yield { file, positions: Float64Array.from(positions) }
    } finally {
      connection.close()
    }
  }
}
