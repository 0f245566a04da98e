import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { ensureToolset } from '../test/services.ts'
import { median } from './bench.ts'
import { daysSql, eventsSql, silverSql } from './models-sql.ts'

const run = promisify(execFile)

export interface DbtMeasured {
  readonly buildSeconds: number
  /** All of `dbt run`, the middle one of some. */
  readonly hourSeconds: number
  /** What dbt says of the models alone. */
  readonly hourModelsSeconds: number
}

export interface DbtOptions {
  readonly rows: number
  readonly increment: number
  readonly hours: number
  readonly perDay: number
  readonly say: (line: string) => void
}

/**
 * The same two models in dbt, on tables of one DuckDB file: events append what is new and not there, days are deleted and inserted.
 * dbt has no notion of what is new, so each load has a number. `undefined` when dbt is not there.
 */
export async function measureDbt(
  folder: string,
  { rows, increment, hours, perDay, say }: DbtOptions,
): Promise<DbtMeasured | undefined> {
  const toolset = await ensureToolset('dbt')
  if ('skip' in toolset) {
    say(toolset.skip)
    return undefined
  }
  const program = toolset.environment.MEKONG_DBT!
  writeProject(folder)
  const load = async (number: number, from: number, count: number) => {
    const instance = await DuckDBInstance.create(path.join(folder, 'bench.duckdb'))
    const connection = await instance.connect()
    await connection.run('CREATE SCHEMA IF NOT EXISTS bronze')
    const select = `SELECT *, ${number} AS load_number FROM (${eventsSql(from, count, perDay)})`
    await connection.run(`CREATE TABLE IF NOT EXISTS bronze.events AS ${select} LIMIT 0`)
    await connection.run(`INSERT INTO bronze.events ${select}`)
    connection.closeSync()
    instance.closeSync()
  }
  const dbtRun = async () => {
    const startMs = performance.now()
    const options = ['--project-dir', folder, '--profiles-dir', folder, '--no-version-check']
    await run(program, ['--no-send-anonymous-usage-stats', 'run', ...options], { cwd: folder })
    const seconds = (performance.now() - startMs) / 1000
    const { results } = JSON.parse(
      readFileSync(path.join(folder, 'target', 'run_results.json'), 'utf8'),
    ) as { results: { execution_time: number }[] }
    return { seconds, models: results.reduce((sum, one) => sum + one.execution_time, 0) }
  }
  await load(0, 0, rows)
  const build = await dbtRun()
  const runs = []
  for (let hour = 0; hour < hours; hour += 1) {
    await load(hour + 1, rows + hour * increment, increment)
    runs.push(await dbtRun())
  }
  const hourSeconds = median(runs.map(({ seconds }) => seconds))
  const hourModelsSeconds = median(runs.map(({ models }) => models))
  say(`dbt: built in ${build.seconds.toFixed(1)} s, an hour in ${hourSeconds.toFixed(2)} s`)
  return { buildSeconds: build.seconds, hourSeconds, hourModelsSeconds }
}

function writeProject(folder: string): void {
  mkdirSync(path.join(folder, 'models'), { recursive: true })
  const write = (name: string, text: string) => writeFileSync(path.join(folder, name), text)
  write(
    'dbt_project.yml',
    'name: bench\nversion: "1.0"\nprofile: bench\nmodel-paths: [models]\nflags:\n  send_anonymous_usage_stats: false\n',
  )
  write(
    'profiles.yml',
    `bench:\n  target: local\n  outputs:\n    local: {type: duckdb, path: "${path.join(folder, 'bench.duckdb')}", threads: 1, settings: {TimeZone: UTC}}\n`,
  )
  write(
    'models/silver_events.sql',
    `{{ config(materialized='incremental', incremental_strategy='append') }}
SELECT * FROM (${silverSql('bronze.events {% if is_incremental() %} WHERE load_number > (SELECT max(load_number) FROM {{ this }}) {% endif %}', ', load_number')})
{% if is_incremental() %} WHERE event_id NOT IN (SELECT event_id FROM {{ this }}) {% endif %}`,
  )
  write(
    'models/user_days.sql',
    `{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='event_date') }}
${daysSql(
  "{{ ref('silver_events') }} {% if is_incremental() %} WHERE event_date IN (SELECT event_date FROM {{ ref('silver_events') }} WHERE load_number > (SELECT max(load_number) FROM {{ this }})) {% endif %}",
  ', max(load_number) AS load_number',
)}`,
  )
}
