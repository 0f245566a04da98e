import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Relation } from '../../model/relation.ts'
import { quoteIdentifier, quoteText } from '../duckdb/quote-identifier.ts'
import { duckdbType } from '../duckdb/type-mapping.ts'
import { sparkSql } from '../spark/dialect.ts'
import { openSpark, type SparkClient } from '../spark/spark-client.ts'
import { quoted, relationName, textLiteral } from '../spark/words.ts'
import { ModelInvalidError } from './errors.ts'
import type { ModelSession } from './model-session.ts'
import { type SparkScan, sparkScan } from './scan-on-spark.ts'

/** A Spark, and a folder that it and we reach under one name. */
export interface SparkPlace {
  /** `sc://host:port` */
  readonly url: string
  readonly folder: string
}

export interface SparkRowsOptions {
  readonly model: string
  readonly sql: string
  /** Relations that the SQL names, those that others name first. */
  readonly relations: readonly SparkRelation[]
  readonly runTimeMs: number
  /** What the SQL asks for with `parameter('name')`. */
  readonly parameters: Readonly<Record<string, string | null>>
  readonly signal?: AbortSignal | undefined
}

/** A relation that the session knows; a view is translated too. */
export interface SparkRelation {
  readonly name: string
  readonly viewSql?: string
}

/** Instants and days read and written as we have them. */
const SETTINGS = [
  'SET spark.sql.session.timeZone = UTC',
  'SET spark.sql.parquet.outputTimestampType = TIMESTAMP_MICROS',
  'SET spark.sql.parquet.datetimeRebaseModeInRead = CORRECTED',
  'SET spark.sql.parquet.int96RebaseModeInRead = CORRECTED',
  'SET spark.sql.parquet.datetimeRebaseModeInWrite = CORRECTED',
]

/**
 * The rows of a model's SQL as Spark makes them. Tables of the lake it reads where they lie, as far as that is exact; what else the SQL names is
 * handed over as Parquet. The SQL is translated, and what comes out is Parquet again, in the very columns that it would have here. The
 * commit is ours, so that everything about it holds for both engines.
 * @throws SparkDialectError, SparkSqlError, SparkUnavailableError
 */
export async function rowsOfSpark(
  session: ModelSession,
  { url, folder }: SparkPlace,
  { model, sql, relations, runTimeMs, parameters, signal }: SparkRowsOptions,
): Promise<Relation> {
  const { columns, problems } = await session.describe(sql)
  if (problems.length > 0)
    throw new ModelInvalidError(`The rows of ${model} cannot be kept: ${problems.join('; ')}.`)
  const said = { runTime: new Date(runTimeMs).toISOString(), parameters }
  const translate = async (text: string) => sparkSql(await session.parse(text), said)
  const translated = await translate(sql)
  await mkdir(folder, { recursive: true })
  const place = await mkdtemp(path.join(folder, 'spark-'))
  const spark = await openSpark({ url })
  try {
    for (const setting of SETTINGS) await spark.run(setting, signal)
    const handing: Handing = { session, spark, place, translate, signal }
    for (const relation of relations) await hand(handing, relation)
    const out = path.join(place, 'out')
    await spark.run(
      `INSERT OVERWRITE DIRECTORY ${textLiteral(out)} USING parquet ${translated}`,
      signal,
    )
    const cells = columns.map(({ name, type }) => {
      const column = quoteIdentifier(name)
      return `${column}::${duckdbType(type)} AS ${column}`
    })
    return await session.relation(
      `SELECT ${cells.join(', ')} FROM read_parquet(${quoteText(`${out}/*.parquet`)})`,
      columns,
    )
  } finally {
    spark.close()
    await rm(place, { recursive: true, force: true })
  }
}

interface Handing {
  readonly session: ModelSession
  readonly spark: SparkClient
  /** Folder for what is handed over. */
  readonly place: string
  /** A statement in DuckDB's dialect, in Spark's. */
  readonly translate: (sql: string) => Promise<string>
  readonly signal: AbortSignal | undefined
}

/** Make Spark know a relation. */
async function hand(handing: Handing, { name, viewSql }: SparkRelation): Promise<void> {
  const { session, translate } = handing
  const view = relationName(name)
  if (viewSql !== undefined) return makeView(handing, view, await translate(viewSql))
  const scans = (session.scansOf(name) ?? []).map((plan, index) =>
    sparkScan(plan, `${view}__files_${index}`),
  )
  if (scans.length === 0 || scans.some((scan) => scan === undefined))
    return handRows(
      handing,
      view,
      `SELECT * FROM ${name.split('.').map(quoteIdentifier).join('.')}`,
    )
  const parts: string[] = []
  for (const [index, scan] of (scans as SparkScan[]).entries())
    parts.push(await handFiles(handing, `${view}__files_${index}`, scan))
  return makeView(handing, view, parts.join(' UNION ALL '))
}

/** Rows that a statement yields here. */
async function handRows(handing: Handing, view: string, select: string): Promise<void> {
  const file = path.join(handing.place, `${view}.parquet`)
  await handing.session.exportParquet(select, file)
  await makeView(handing, view, `SELECT * FROM parquet.${quoted(file)}`)
}

/** Files of the lake where they lie; the statement that yields their rows. */
async function handFiles(handing: Handing, name: string, scan: SparkScan): Promise<string> {
  const { spark, translate, signal } = handing
  if (scan.byFieldId) await spark.run('SET spark.sql.parquet.fieldId.read.enabled = true', signal)
  if (scan.mistrustsBounds) await spark.run('SET spark.sql.parquet.filterPushdown = false', signal)
  await spark.viewFiles({ name, ...scan }, signal)
  for (const [beside, select] of scan.beside) await handRows(handing, beside, select)
  return translate(scan.sql)
}

const makeView = ({ spark, signal }: Handing, name: string, select: string): Promise<void> =>
  spark.run(`CREATE OR REPLACE TEMPORARY VIEW ${quoted(name)} AS ${select}`, signal)
