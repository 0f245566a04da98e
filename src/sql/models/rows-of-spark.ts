import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Relation } from '../../model/relation.ts'
import { quoteIdentifier, quoteText } from '../duckdb/quote-identifier.ts'
import { duckdbType } from '../duckdb/type-mapping.ts'
import { sparkSql } from '../spark/dialect.ts'
import { openSpark } from '../spark/spark-client.ts'
import { quoted, relationName, textLiteral } from '../spark/words.ts'
import { ModelInvalidError } from './errors.ts'
import type { ModelSession } from './model-session.ts'

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
  readonly signal?: AbortSignal | undefined
}

/** A relation that the session knows; a view is translated too, anything else is handed over with its rows. */
export interface SparkRelation {
  readonly name: string
  readonly viewSql?: string
}

/** Instants and days read and written as we have them. */
const SETTINGS = [
  'SET spark.sql.session.timeZone = UTC',
  'SET spark.sql.parquet.outputTimestampType = TIMESTAMP_MICROS',
]

/**
 * The rows of a model's SQL as Spark makes them: what it reads is handed over as Parquet, the SQL is translated, and what comes out is
 * Parquet again, in the very columns that it would have here. The commit is ours, so that everything about it holds for both engines.
 * @throws SparkDialectError, SparkSqlError, SparkUnavailableError
 */
export async function rowsOfSpark(
  session: ModelSession,
  { url, folder }: SparkPlace,
  { model, sql, relations, runTimeMs, signal }: SparkRowsOptions,
): Promise<Relation> {
  const { columns, problems } = await session.describe(sql)
  if (problems.length > 0)
    throw new ModelInvalidError(`The rows of ${model} cannot be kept: ${problems.join('; ')}.`)
  const runTime = new Date(runTimeMs).toISOString()
  const translated = sparkSql(await session.parse(sql), { runTime })
  await mkdir(folder, { recursive: true })
  const place = await mkdtemp(path.join(folder, 'spark-'))
  const spark = await openSpark({ url })
  try {
    for (const setting of SETTINGS) await spark.run(setting, signal)
    for (const { name, viewSql } of relations) {
      const view = relationName(name)
      const file = path.join(place, `${view}.parquet`)
      if (viewSql === undefined) await session.exportParquet(name, file)
      const rows =
        viewSql === undefined
          ? `SELECT * FROM parquet.${quoted(file)}`
          : sparkSql(await session.parse(viewSql), { runTime })
      await spark.run(`CREATE OR REPLACE TEMPORARY VIEW ${quoted(view)} AS ${rows}`, signal)
    }
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
