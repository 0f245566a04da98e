import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { openComputeEngine } from '../../src/sql/duckdb/engine.ts'
import { quoteText } from '../../src/sql/duckdb/quote-identifier.ts'
import { contentPaths } from './content-files.ts'

// bare-child.ts HOME FILES_FOLDER MEMORY_MB [answer]: the same SQL typed into DuckDB by somebody who does without tables: each file typed and kept as Parquet,
// repeated ids left out, the profile from those. No log of commits, no dead letters, no counts. With `answer` nothing is kept at all: JSON in, profile out.

const [home, folder, memoryMb, mode] = process.argv.slice(2) as [string, string, string, string?]
const models = path.join(import.meta.dirname, '../../pipelines/ott/models')
const sqlOf = (name: string) => readFileSync(path.join(models, name), 'utf8').trim()
const parquet = path.join(home, 'bronze')
mkdirSync(parquet, { recursive: true })
const startMs = performance.now()
const startCpu = process.cpuUsage()
const engine = await openComputeEngine({
  spillDirectory: path.join(home, 'spill'),
  memoryLimitBytes: Number(memoryMb) * 1024 * 1024,
})
const connection = await engine.connection()
const text = (name: string) => `${name}: 'VARCHAR'`
const fields = ['Contract', 'Mac', 'AppName', 'TotalDuration']
const columns = `{${[text('_id'), ...fields.map(text)].join(', ')}, _source: 'STRUCT(${fields.map((f) => `${f} VARCHAR`).join(', ')})'}`
const typed = (file: string) => {
  const day = path.basename(file).replace(/^(\d{4})(\d\d)(\d\d).*/, '$1-$2-$3')
  const source = `read_json(${quoteText(file)}, format='newline_delimited', ignore_errors=true, columns=${columns})`
  return (
    `WITH lines AS NOT MATERIALIZED (SELECT * FROM ${source}) SELECT log_id, contract, mac, app_name, duration_s, ` +
    `DATE '${day}' AS event_date FROM (${sqlOf('content_log.sql')}) WHERE dead_reason IS NULL`
  )
}
const files = contentPaths(folder)
const categories = ['Truyen Hinh', 'Phim Truyen', 'Giai Tri', 'Thieu Nhi', 'The Thao']
const sums = categories.map((name) => `sum("${name}")::BIGINT AS "${name}"`).join(', ')
const profile = `WITH newest AS (SELECT max(event_date) AS day FROM content_log),
  incoming AS (SELECT content_log.* FROM content_log, newest WHERE event_date > newest.day - 30),
  views AS (${sqlOf('content_views.sql')}\n),
  totals AS (SELECT "Contract", ${sums}, bit_count(bit_or(1::BIGINT << (newest.day - event_date)))::INTEGER AS "Active"
    FROM views, newest GROUP BY "Contract")
  ${sqlOf('customer_content_stats.sql')}`
const out = quoteText(path.join(home, 'profile.parquet'))
if (mode === 'answer') {
  await connection.run(
    `CREATE VIEW content_log AS ${files
      .map(typed)
      .map((sql) => `(${sql})`)
      .join(' UNION ALL ')}`,
  )
  const newest = path.basename(files.at(-1)!).replace(/^(\d{4})(\d\d)(\d\d).*/, '$1-$2-$3')
  // Whoever types it knows the newest day and does not read the files twice for it.
  const known = profile.replace(
    'SELECT max(event_date) AS day FROM content_log',
    `SELECT DATE '${newest}' AS day`,
  )
  await connection.run(`COPY (${known}) TO ${out} (FORMAT parquet, COMPRESSION zstd)`)
} else {
  for (const file of files) {
    await connection.run(`CREATE OR REPLACE TABLE day AS ${typed(file)}`)
    await connection.run(
      `COPY (SELECT * FROM day QUALIFY log_id IS NULL OR row_number() OVER (PARTITION BY log_id) = 1) ` +
        `TO ${quoteText(path.join(parquet, `${path.basename(file)}.parquet`))} (FORMAT parquet, COMPRESSION zstd)`,
    )
  }
  await connection.run(
    `CREATE VIEW content_log AS SELECT * FROM read_parquet(${quoteText(path.join(parquet, '*.parquet'))})`,
  )
  await connection.run(`COPY (${profile}) TO ${out} (FORMAT parquet, COMPRESSION zstd)`)
}
const cpu = process.cpuUsage(startCpu)
console.log(
  JSON.stringify({
    total_s: (performance.now() - startMs) / 1_000,
    cpu_s: (cpu.user + cpu.system) / 1e6,
    peak_mb: process.resourceUsage().maxRSS / 1_024,
  }),
)
connection.close()
engine.close()
