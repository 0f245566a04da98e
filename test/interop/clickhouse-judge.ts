import { createInterface } from 'node:readline'

// ClickHouse without a server, asked by the tests as `judge.py` is: a JSON request in each line of standard input, its answer in a line of
// standard output. A process of its own, because ClickHouse reads and writes files only below its working directory.
//   node clickhouse-judge.ts

const { Session } = await import('chdb')
const session = new Session()
for (const setting of [
  'allow_insert_into_iceberg = 1',
  'allow_delta_lake_writes = 1',
  'allow_experimental_iceberg_compaction = 1',
  // A statement on rows is done when it is answered.
  'mutations_sync = 2',
  // Others write the tables too.
  'use_iceberg_metadata_files_cache = 0',
  "session_timezone = 'UTC'",
])
  session.query(`SET ${setting}`)

type Request =
  | { readonly command: 'run'; readonly arguments: { readonly sql: readonly string[] } }
  | {
      readonly command: 'query'
      readonly arguments: { readonly sql: string; readonly out: string }
    }

function answer(request: Request): null {
  if (request.command === 'run') for (const sql of request.arguments.sql) session.query(sql)
  else {
    const { sql, out } = request.arguments
    session.query(`INSERT INTO FUNCTION file('${out}', 'Parquet') ${sql}`)
  }
  return null
}

for await (const line of createInterface({ input: process.stdin })) {
  let given: object
  try {
    given = { value: answer(JSON.parse(line) as Request) }
  } catch (error) {
    given = { error: { type: 'ClickHouse', message: (error as Error).message } }
  }
  process.stdout.write(`${JSON.stringify(given)}\n`)
}
session.cleanup()
