import { expect, test } from 'vitest'
import { lakeCatalog } from '../../src/flow/lake-catalog.ts'
import { maintenanceTasks } from '../../src/flow/maintain-table.ts'
import { int32, record } from '../../src/model/schema.ts'
import type { TaskReport } from '../../src/model/task.ts'
import { zOrder } from '../../src/pipeline/maintenance.ts'
import { maintenanceOf, maintenanceSchedules } from '../../src/pipeline/maintenance-of.ts'
import { type PipelineBuilder, pipeline } from '../../src/pipeline/pipeline.ts'
import { type ModelHome, openModelHome, RUN_MS, taskContext } from './model-home.ts'

// Maintenance of both formats: fewer files, the same rows, and a past that reaches as far back as was asked for.

const DAY_MS = 86_400_000

async function run(
  home: ModelHome,
  clock: { nowMs(): number },
  describe: (p: PipelineBuilder) => void,
): Promise<Record<string, TaskReport>> {
  const catalog = lakeCatalog({ folder: `${home.folder}/lake`, home: async () => home.lakeHome })
  const reports: Record<string, TaskReport> = {}
  const world = { catalog, clock, maintainsByDefault: true }
  for (const task of maintenanceTasks(world, pipeline('river', describe)))
    reports[task.id.split('/').at(-1)!] = await task.run(taskContext())
  return reports
}

const day = (back: number) => new Date(RUN_MS - back * DAY_MS).toISOString().slice(0, 10)
/** Rows of a day in one file. */
const rowsOf = (back: number, from: number) =>
  `SELECT DATE '${day(back)}' AS event_date, i AS id, (i * 7919) % 100 AS kind FROM range(${from}, ${from + 10}) AS r(i)`

for (const format of ['delta', 'iceberg'] as const) {
  test(`small files of the last days are put together, once: ${format}`, async () => {
    await using home = await openModelHome(format)
    for (let file = 0; file < 6; file += 1)
      for (const back of [0, 2, 30])
        await home.add('bronze.events', rowsOf(back, file * 10), { partitionBy: ['event_date'] })
    const catalog = lakeCatalog({ folder: `${home.folder}/lake`, home: async () => home.lakeHome })
    const before = await home.rows('bronze.events')
    const old = (await catalog.history('bronze.events', 1))[0]!.version
    const maintain = (order: boolean) =>
      run(home, { nowMs: () => Date.now() }, (p) =>
        p.maintain('bronze.events', {
          compact: {
            ...{ targetBytes: 20_480_000, inputFilesMin: 5, lastDays: 7 },
            ...(order ? { order: zOrder('kind', 'id') } : {}),
          },
          ...{ expire: false, orphans: false },
        }),
      )
    const { compact } = await maintain(format === 'iceberg')
    expect(compact).toMatchObject({
      status: 'done',
      facts: { files_removed: 12, files_written: 2 },
    })
    const files = async () => (await (await catalog.state('bronze.events')).size()).files
    expect(await files()).toBe(2 + 6)
    expect(await home.rows('bronze.events')).toEqual(before)
    for (const order of [true, false])
      expect(await maintain(order)).toEqual({
        compact: { status: 'nothing_new', facts: expect.anything() },
      })
    expect(
      (await (await catalog.state('bronze.events', { version: BigInt(old) })).size()).files,
    ).toBe(18)

    for (let file = 6; file < 11; file += 1) await home.add('bronze.events', rowsOf(2, file * 10))
    const again = await maintain(true)
    expect(again.compact).toMatchObject({
      status: 'done',
      facts: { files_removed: 6, files_written: 1 },
    })
    expect(await files()).toBe(2 + 6)
  })

  test(`old versions and what only they needed go, but for those to keep: ${format}`, async () => {
    const clock = { ms: Date.now(), nowMs: () => clock.ms }
    await using home = await openModelHome(format, { clock })
    for (let file = 0; file < 6; file += 1) await home.add('bronze.events', rowsOf(0, file * 10))
    const everything = await home.rows('bronze.events')
    const maintain = (keep: number) =>
      run(home, clock, (p) => p.maintain('bronze.events', { expire: { olderThanDays: 7, keep } }))
    expect((await maintain(1)).compact!.status).toBe('done')
    const catalog = lakeCatalog({ folder: `${home.folder}/lake`, home: async () => home.lakeHome })
    const filesBefore = async () => {
      const [, previous] = await catalog.history('bronze.events', 2)
      return (await catalog.state('bronze.events', { version: BigInt(previous!.version) })).size()
    }
    expect((await filesBefore()).files).toBe(6)
    clock.ms += 30 * DAY_MS
    // The version before the newest is among those to keep, and so are its files.
    expect(await maintain(format === 'delta' ? 3 : 5)).toMatchObject({
      orphans: { status: 'nothing_new' },
    })
    expect((await filesBefore()).files).toBe(6)
    const { expire, orphans } = await maintain(1)
    const removed = Number(expire!.facts.files_removed) + Number(orphans!.facts.files_removed)
    expect(removed).toBeGreaterThanOrEqual(6)
    expect(await home.rows('bronze.events')).toEqual(everything)
  })
}

test('bronze tables get it by default, unless that is off; what is not there yet is waited for', async () => {
  await using home = await openModelHome()
  const reports = await run(home, { nowMs: () => Date.now() }, (p) => p.maintain('silver.later'))
  expect(reports).toMatchObject({
    compact: { status: 'nothing_new', facts: { waiting_for: 'silver.later' } },
  })
  const plan = pipeline('river', (p) => {
    const readings = p.topic('readings', { value: record({ celsius: int32() }) })
    p.table('bronze.readings', { from: readings })
    p.maintain('silver.later', { daily: '0 1 * * *', orphans: false })
  })
  expect(maintenanceOf(plan, true).map(({ table }) => table)).toEqual([
    'silver.later',
    'bronze.readings',
  ])
  expect(maintenanceOf(plan, false).map(({ table }) => table)).toEqual(['silver.later'])
  expect(maintenanceSchedules(plan, true).map(({ name, run }) => [name, run])).toEqual([
    ['maintenance-daily-silver-later', ['maintain/silver.later/compact']],
    [
      'maintenance-weekly',
      [
        'maintain/silver.later/expire',
        'maintain/bronze.readings/expire',
        'maintain/bronze.readings/orphans',
      ],
    ],
    ['maintenance-daily', ['maintain/bronze.readings/compact']],
  ])
})
