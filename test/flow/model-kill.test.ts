import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { notNull, unique } from '../../src/pipeline/data-test.ts'
import { merge, partitions, snapshot } from '../../src/pipeline/materialization.ts'
import type { PipelineBuilder } from '../../src/pipeline/pipeline.ts'
import { type Chance, seeded, seedOfRun } from '../crash/seeded.ts'
import { type ModelHome, openModelHome } from './model-home.ts'

/**
 * Goal: wherever a run of models dies, and however the rows came, nothing is lost and nothing doubled. Method: rows are appended, also late
 * ones and new versions of old ones; runs die at a random change of the lake, and a new process goes on from the same folder.
 * In the end every table is compared with the same question asked of all rows at once.
 */
const ROUNDS = 5

function models(p: PipelineBuilder) {
  const incoming = 'bronze.events'
  p.model('silver.all_rows', 'SELECT * FROM incoming', { incoming, materialize: 'append' })
  p.model('silver.newest', NEWEST('incoming'), {
    ...{ incoming, materialize: merge({ key: ['id'] }), tests: [notNull('id'), unique('id')] },
  })
  p.model('silver.versions', 'SELECT id, v, since FROM incoming', {
    ...{ incoming, materialize: snapshot({ key: ['id'], validFrom: 'since' }) },
  })
  p.model('gold.days', DAYS('silver.newest'), {
    incoming: 'silver.newest',
    materialize: partitions({
      by: ['day'],
      touched: `SELECT day FROM incoming UNION
        SELECT n.day FROM silver.newest AS n WHERE n.day >= (SELECT min(day) FROM incoming)`,
    }),
    tests: [unique('day')],
  })
}

const NEWEST = (from: string) =>
  `SELECT id, day, v, seq FROM ${from} QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq DESC) = 1`
const DAYS = (from: string) => `
  SELECT day, n, sum(n) OVER (ORDER BY day RANGE BETWEEN INTERVAL 6 DAYS PRECEDING AND CURRENT ROW)::BIGINT AS week,
    sum(total) OVER (ORDER BY day)::BIGINT AS so_far
  FROM (SELECT day, count(*) AS n, sum(v)::BIGINT AS total FROM ${from} GROUP BY day)`

/** Rows of one round: ids come again with other days and values, and days go back. */
function newRows(chance: Chance, round: number): string {
  const rows = Array.from({ length: chance.integer(1, 12) }, (_, index) => {
    const seq = round * 100 + index
    const day = `DATE '2026-01-01' + ${chance.integer(0, 20)}`
    return `(${chance.integer(1, 15)}, ${day}, ${chance.integer(0, 4)}, ${seq}, TIMESTAMPTZ '2026-01-01' + INTERVAL ${chance.integer(0, 500) * 1_000 + seq} SECOND)`
  })
  return `SELECT * FROM (VALUES ${rows.join(', ')}) AS t(id, day, v, seq, since)`
}

async function untilDone(open: (strike: () => void) => Promise<ModelHome>, chance: Chance) {
  let deaths = 0
  for (;;) {
    let left = deaths < 4 ? chance.integer(1, 60) : Number.POSITIVE_INFINITY
    await using home = await open(() => {
      left -= 1
      if (left === 0) throw new Error('killed here')
      if (left < 0) throw new Error('nothing happens after death')
    })
    try {
      await home.run(models)
      return deaths
    } catch (error) {
      if (left > 0) throw error
      deaths += 1
    }
  }
}

describe.each(['delta', 'iceberg'] as const)('models on %s tables that are killed', (format) => {
  test('hold what the same question says of all rows', { timeout: 120_000 }, async () => {
    const chance = seeded(seedOfRun(`killed models on ${format}`))
    const folder = await mkdtemp(path.join(tmpdir(), 'mekong-killed-models-'))
    const open = (strike?: () => void) =>
      openModelHome(format, { folder, ...(strike === undefined ? {} : { strike }) })
    let deaths = 0
    try {
      for (let round = 1; round <= ROUNDS; round += 1) {
        for (let commit = chance.integer(1, 3); commit > 0; commit -= 1) {
          await using home = await open()
          await home.add('bronze.events', newRows(chance, round * 10 + commit))
        }
        deaths += await untilDone(open, chance)
      }
      expect(deaths).toBeGreaterThan(0)
      await using home = await open()
      const all = await home.rows('bronze.events')
      expect(await home.rows('silver.all_rows')).toEqual(all)
      const newest = await home.rows(
        'bronze.events',
        `SELECT * FROM (${NEWEST('rows')}) ORDER BY ALL`,
      )
      expect(await home.rows('silver.newest')).toEqual(newest)
      expect(await home.rows('gold.days')).toEqual(
        await home.rows(
          'bronze.events',
          `SELECT * FROM (${DAYS(`(${NEWEST('rows')})`)}) ORDER BY ALL`,
        ),
      )
      const versions = 'SELECT id, v, since FROM rows ORDER BY ALL'
      expect(
        await home.rows(
          'silver.versions',
          'SELECT id, v, valid_from AS since FROM rows ORDER BY ALL',
        ),
      ).toEqual(await home.rows('bronze.events', versions))
      expect(
        await home.rows(
          'silver.versions',
          'SELECT count(DISTINCT id) = count(*) FROM rows WHERE is_current',
        ),
      ).toEqual([[true]])
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
