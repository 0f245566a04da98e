import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { modelTasks } from '../../src/flow/run-model.ts'
import { pipeline } from '../../src/pipeline/pipeline.ts'
import { openModelHome, taskContext } from '../flow/model-home.ts'
import { seenDays, sumsOf } from '../flow/window-steps.ts'
import { ensureService } from '../services.ts'

/**
 * Goal: a window is moved on by Spark as by DuckDB. Method: days come, late and out of order, are sent again and vanish; after each step
 * the table that Spark's sums made must say what the rows say, and now and then DuckDB takes over from it, and Spark from that.
 */
const spark = await ensureService('spark-connect')
const SEED = Number(process.env.MEKONG_TEST_SEED ?? Date.now() % 1_000_000)
const DAYS = 5
/** Soon after the first one. */
const LAST_DAY = '2024-02-22'

describe.skipIf('skip' in spark)('a window on Spark', () => {
  const url = 'skip' in spark ? '' : spark.environment.SPARK_REMOTE!
  test.each(['delta', 'iceberg'] as const)(
    'on %s tables says at every step what the rows say',
    {
      timeout: 600_000,
    },
    async (format) => {
      console.log(`seed ${SEED}`)
      await using home = await openModelHome(format)
      const { engine, lake, folder } = home
      const run = async (on: 'duckdb' | 'spark', lastDay?: string, fullRefresh = false) => {
        const define = sumsOf(DAYS, on, lastDay)
        const plan = pipeline('models', (p) =>
          define({ ...p, model: (name, sql, how = {}) => p.model(name, sql, { format, ...how }) }),
        )
        const place = { url, folder: path.join(folder, 'handed') }
        const [task] = await modelTasks({ engine, lake, spark: place }, plan)
        return task!.run(taskContext({ fullRefresh }))
      }
      const log = await seenDays(home, SEED, DAYS)
      const builds: unknown[] = []
      for (let step = 0; step < 8; step += 1) {
        await log.step()
        const { facts, status } = await run(step % 4 === 3 ? 'duckdb' : 'spark')
        builds.push(facts.build)
        expect(await home.rows('gold.sums'), `step ${step}, ${status}`).toEqual(log.expected(DAYS))
        const before = (await lake.open('gold.sums'))!.version
        expect((await run('spark')).status).toBe('nothing_new')
        expect((await lake.open('gold.sums'))!.version).toBe(before)
      }
      expect(builds.slice(1)).toContain('increment')
      // A last day that is said: made from all days of that window, the same by either.
      expect((await run('spark', LAST_DAY)).facts).toMatchObject({ why: 'model_changed' })
      const theirs = await home.rows('gold.sums')
      await run('duckdb', LAST_DAY, true)
      expect(await home.rows('gold.sums')).toEqual(theirs)
    },
  )
})
