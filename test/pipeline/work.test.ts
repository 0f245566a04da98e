import { PlanError, pipeline, vectors, zOrder } from 'mekong'
import { expect, test } from 'vitest'
import { DEFAULT_MAINTENANCE } from '../../src/pipeline/maintenance.ts'

function problemsOf(describePipeline: () => unknown) {
  try {
    describePipeline()
  } catch (error) {
    if (error instanceof PlanError) return error.problems.map((p) => `${p.where}: ${p.what}`)
    throw error
  }
  return []
}

test('schedules, maintenance and steps are values of the plan, with their defaults', () => {
  const plan = pipeline('river', (p) => {
    p.step('warehouse.daily', { reads: ['bronze.orders'], run: async () => {} })
    p.schedule('hourly', { cron: '0 * * * *', run: ['tag:hourly'], catchUp: 'none', retries: 5 })
    p.maintain('bronze.orders', { compact: { order: zOrder('a', 'b') }, orphans: false })
  })
  expect(plan.schedules).toMatchObject([
    { name: 'hourly', zone: 'UTC', catchUp: 'none', retries: 5, run: ['tag:hourly'] },
  ])
  expect(plan.plainTasks).toMatchObject([{ name: 'warehouse.daily', writes: [] }])
  expect(plan.maintenance[0]!.compact).toEqual({
    ...DEFAULT_MAINTENANCE.compact,
    order: { kind: 'z_order', columns: ['a', 'b'] },
  })
  expect(plan.maintenance[0]).not.toHaveProperty('orphans')
})

test('a sync of an Iceberg table is refused, not left without its rows', () => {
  const source = {
    ...{ table: 'gold.films', key: 'id', version: 'v', collections: ['films'] },
    ...{ reads: ['title'], items: () => [] },
  }
  const made = (format: 'delta' | 'iceberg') =>
    problemsOf(() =>
      pipeline('river', (p) => {
        p.model('gold.films', 'SELECT 1 AS id, 1 AS v, 1 AS title', {
          format,
          properties: { 'delta.enableChangeDataFeed': 'true' },
        })
        p.sync('films', {
          target: vectors('films', { films: { metadata: {} } }),
          from: [source],
        })
      }),
    )
  expect(made('delta')).toEqual([])
  expect(made('iceberg')).toEqual(['river / sync films from gold.films: is not Delta'])
})

test('what is wrong with them is said all at once', () => {
  const problems = problemsOf(() =>
    pipeline('river', (p) => {
      p.schedule('Hourly', { cron: '0 * * *', zone: 'Mars/Olympus', run: [] })
      p.schedule('never', { cron: '0 0 31 2 *', run: ['drop table'], retries: -1 })
      p.maintain('bronze.orders', { compact: { inputFilesMin: 1 }, daily: 'often' })
      p.maintain('bronze.orders')
      p.step('../x', { run: async () => {} })
    }),
  )
  expect(problems).toHaveLength(10)
  expect(problems.join('\n')).toMatch(
    /maintain bronze\.orders: is declared twice.*schedule Hourly: is no name.*"Mars\/Olympus" is no time zone.*runs nothing.*"0 0 31 2 \*" is never due.*"drop table" selects nothing.*cannot retry -1 times.*"often" is no cron expression.*inputFilesMin cannot be 1.*step \.\.\/x: is no name/s,
  )
})
