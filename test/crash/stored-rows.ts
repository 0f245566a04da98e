import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import pg from 'pg'

// What is really there, read without any of our own code: the Delta log as text and its Parquet files through DuckDB, PostgreSQL through its
// driver.

/** A row of `bronze.user_events`. */
export interface BronzeRow {
  readonly id: string
  readonly userId: number
  readonly movieId: number
  readonly eventType: string
  readonly timestampMicros: bigint
  readonly partition: number
  readonly offset: number
}

export interface ServedRow {
  readonly userId: number
  readonly movieId: number
  readonly eventType: string
  readonly timestampMicros: bigint
}

const TABLE = path.join('lake', 'bronze', 'user_events')

/** Data files of the table as its Delta log has them, relative to the table. */
export function bronzeFiles(home: string): readonly string[] {
  const log = path.join(home, TABLE, '_delta_log')
  const commits = readdirSync(log)
    .filter((name) => /^\d{20}\.json$/.test(name))
    .sort()
  const files = new Set<string>()
  for (const [index, name] of commits.entries()) {
    if (Number(name.slice(0, 20)) !== index)
      throw new Error(`The Delta log of ${home} has a hole before ${name}.`)
    for (const line of readFileSync(path.join(log, name), 'utf8').split('\n')) {
      if (line === '') continue
      const { add, remove } = JSON.parse(line) as Record<string, { path: string } | undefined>
      if (add !== undefined) files.add(decodeURIComponent(add.path))
      if (remove !== undefined) files.delete(decodeURIComponent(remove.path))
    }
  }
  return [...files]
}

export async function bronzeRows(home: string): Promise<readonly BronzeRow[]> {
  const files = bronzeFiles(home).map((file) => path.join(home, TABLE, file))
  if (files.length === 0) return []
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const list = files.map((file) => `'${file.replaceAll("'", "''")}'`).join(', ')
    const reader = await connection.runAndReadAll(
      `SELECT _id, user_id, movie_id, event_type, epoch_us(timestamp), _partition, _offset
       FROM read_parquet([${list}], hive_partitioning = false)`,
    )
    return reader.getRows().map(([id, userId, movieId, eventType, micros, partition, offset]) => ({
      id: id as string,
      userId: userId as number,
      movieId: movieId as number,
      eventType: eventType as string,
      timestampMicros: micros as bigint,
      partition: partition as number,
      offset: Number(offset),
    }))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

export async function servedRows(connectionString: string): Promise<readonly ServedRow[]> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    const { rows } = await client.query<[number, number, string, string]>({
      text: `SELECT user_id, movie_id, event_type, (extract(epoch FROM event_timestamp) * 1000000)::bigint
             FROM user_events`,
      rowMode: 'array',
    })
    return rows.map(([userId, movieId, eventType, micros]) => ({
      userId,
      movieId,
      eventType,
      timestampMicros: BigInt(micros),
    }))
  } finally {
    await client.end()
  }
}
