import { existsSync, globSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { modelTasks } from '../../src/flow/run-model.ts'
import { messageOf } from '../../src/model/errors.ts'
import type { PipelinePlan } from '../../src/pipeline/plan.ts'
import { type ModelHome, openModelHome, taskContext } from '../flow/model-home.ts'
import { ensureService } from '../services.ts'

/**
 * Goal: a model says the same on both engines. Method: the models of every pipeline run on DuckDB in one lake and on Spark in another, over the
 * same rows, first half of them and then all; the tables must be equal to the row. Models that cannot be said in Spark's SQL yet are
 * listed with what is missing, and the list must shrink: one that can be said fails the test.
 */
const ROOT = path.resolve(import.meta.dirname, '../..')
const EVENTS = path.join(ROOT, '../shared/data/github-events')
const spark = await ensureService('spark-connect')

const GAPS: Readonly<Record<string, string>> = {
  'silver.movies': 'list_position',
  'silver.tv_series': 'list_position',
  // A day less a day is a number of days in DuckDB, and an interval in Spark; only types would tell.
  'gold.product_surges': 'INTERVAL DAY',
  'silver.search_keywords': 'nfc_normalize',
  'silver.search_labels': 'nfc_normalize',
  'gold.customer_search_stats': 'nfc_normalize',
  'gold.customer_content_stats': 'is a window',
}

/** Rows of the tables that no model makes, in two halves. */
const SEEDS: Readonly<Record<string, (half: 0 | 1) => string>> = {
  'bronze.github_events': (half) => `
    SELECT id::VARCHAR AS id, type, actor.id::BIGINT AS actor_id, actor.login AS actor_login, actor.url AS actor_url,
      actor.avatar_url AS actor_avatar_url, repo.id::BIGINT AS repo_id, repo.name AS repo_name, repo.url AS repo_url,
      payload::VARCHAR AS payload, public, created_at, TIMESTAMPTZ '2026-01-01' AS ingestion_timestamp,
      DATE '2026-01-01' AS ingestion_date, 0 AS kafka_partition, row_number() OVER (ORDER BY id) AS kafka_offset
    FROM read_json('${EVENTS}/*.json.gz', format = 'newline_delimited', columns = {id: 'VARCHAR', type: 'VARCHAR',
      actor: 'STRUCT(id BIGINT, login VARCHAR, url VARCHAR, avatar_url VARCHAR)', repo: 'STRUCT(id BIGINT, name VARCHAR, url VARCHAR)',
      payload: 'JSON', public: 'BOOLEAN', created_at: 'VARCHAR'})
    WHERE hash(id) % 8 = ${half}`,
  'bronze.catalog_records': (half) => `
    SELECT 'person' AS data_type, CASE WHEN n % 11 = 0 THEN 'delete' ELSE 'new' END AS data_label,
      TIMESTAMPTZ '2026-01-01' + to_minutes((hash(n) % 500)::INTEGER) AS "timestamp", (hash(n * 3) % 30)::BIGINT AS id_of_data_type,
      'tmdb-people' AS _topic, 0 AS _partition, n AS _offset, TIMESTAMPTZ '2026-01-02' + to_seconds(n) AS _arrived_at,
      json_object('data_type', 'person', 'person_detail', CASE WHEN n % 11 <> 0 THEN json_object('name', 'Nguyễn "' || n || '"', 'gender', n % 3,
        'also_known_as', ['a', 'b' || n], 'birthday', CASE WHEN n % 4 = 0 THEN '' ELSE '1980-02-' || (10 + n % 18) END,
        'popularity', n / 7, 'known_for_department', 'Acting', 'other', {'x': 1}) END)::VARCHAR AS _raw
    FROM (SELECT range * 2 + ${half} AS n FROM range(60))`,
  'silver.orders': (half) => `
    SELECT DATE '2026-01-01' + (n % 40)::INTEGER AS event_date,
      [{'product_id': 'p' || (hash(n) % 6), 'quantity': (1 + hash(n * 3) % 9 + CASE WHEN n % 37 = 0 THEN 400 ELSE 0 END)::INTEGER},
       {'product_id': 'p' || (hash(n * 7) % 6), 'quantity': 1}] AS order_list
    FROM (SELECT range * 2 + ${half} AS n FROM range(150))`,
  'bronze.content_log': (half) => `
    SELECT 'c' || (hash(n) % 40) AS contract, DATE '2022-04-01' + (n % 9)::INTEGER AS event_date, (hash(n * 3) % 9000)::BIGINT AS duration_s,
      ['CHANNEL', 'VOD', 'RELAX', 'CHILD', 'SPORT', 'OTHER'][1 + (hash(n * 5) % 6)::INTEGER] AS app_name
    FROM (SELECT range * 2 + ${half} AS n FROM range(400))`,
}

const plans = await Promise.all(
  globSync('pipelines/*/pipeline.ts', { cwd: ROOT }).map(
    async (file) =>
      ((await import(pathToFileURL(path.join(ROOT, file)).href)) as { default: PipelinePlan })
        .default,
  ),
)

async function seed(home: ModelHome, plan: PipelinePlan, half: 0 | 1): Promise<void> {
  const made = new Set(plan.models.map(({ name }) => name))
  for (const [table, select] of Object.entries(SEEDS))
    if (!made.has(table) && plan.models.length > 0) await home.add(table, select(half))
}

describe.skipIf('skip' in spark || !existsSync(EVENTS))('models on Spark', () => {
  const url = 'skip' in spark ? '' : spark.environment.SPARK_REMOTE!
  for (const plan of plans.filter(({ models }) => models.length > 0))
    test(`those of ${plan.name} make the same tables as on DuckDB`, {
      timeout: 600_000,
    }, async () => {
      await using here = await openModelHome()
      await using there = await openModelHome()
      const tasksIn = ({ engine, lake, folder }: ModelHome, on: 'duckdb' | 'spark') =>
        modelTasks(
          { engine, lake, spark: { url, folder: path.join(folder, 'handed') } },
          { ...plan, models: plan.models.map((model) => ({ ...model, engine: on, tests: [] })) },
        )
      const compared = new Set<string>()
      const gaps = new Map<string, string>()
      for (const half of [0, 1] as const) {
        for (const home of [here, there]) await seed(home, plan, half)
        for (const task of await tasksIn(here, 'duckdb')) await task.run(taskContext())
        for (const task of await tasksIn(there, 'spark')) {
          if (gaps.has(task.id)) continue
          try {
            await task.run(taskContext())
          } catch (error) {
            const { code } = error as { code?: string }
            if (code !== 'SPARK_DIALECT' && code !== 'SPARK_SQL_FAILED') throw error
            gaps.set(task.id, messageOf(error))
            continue
          }
          if ((await there.lake.open(task.id)) === undefined) continue
          expect(await there.rows(task.id), task.id).toEqual(await here.rows(task.id))
          compared.add(task.id)
        }
      }
      console.log(
        `${plan.name}: equal ${[...compared].join(', ') || 'none'}; not said yet ${[...gaps.keys()].join(', ') || 'none'}`,
      )
      for (const [model, message] of gaps) expect(message, model).toContain(GAPS[model])
      for (const model of compared) expect(GAPS).not.toHaveProperty([model])
    })
})
