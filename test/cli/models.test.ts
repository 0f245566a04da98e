import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { mekong, newHome } from './run-mekong.ts'

const config = path.join(import.meta.dirname, 'modelled-river', 'mekong.config.ts')
const home = newHome()
const run = (...args: string[]) => mekong([...args, '--config', config, '--home', home, '--json'])
afterAll(() => rmSync(home, { recursive: true, force: true }))

test('models are tried, planned, run, asked and traced from the command line', async () => {
  const tried = await run('test')
  expect([tried.code, tried.json()]).toMatchObject([0, { ok: true, tests: 2, failed: 0 }])
  expect((await run('test', 'gold.nothing')).code).toBe(2)

  const before = await run('plan')
  expect(before.json()).toMatchObject({
    ok: true,
    models: [{ model: 'gold.hottest', status: 'waiting' }, { model: 'gold.too_hot' }],
  })

  const count = await run(
    'sql',
    'SELECT count(*) AS n FROM system.runs JOIN system.run_tasks USING (run_id)',
  )
  expect(count.json<unknown>()).toEqual([{ n: 0 }])

  const file = path.join(home, 'readings.csv')
  writeFileSync(file, 'id,sensor,celsius\n1,a,20\n2,a,95\n3,b,30\n')
  const loaded = await run('load', 'modelled', file)
  expect(loaded.code).toBe(0)
  expect(loaded.json<{ tasks: { id: string; facts: object }[] }>().tasks).toMatchObject([
    { id: 'gold.hottest', facts: { rows_made: 2, tests: 2 } },
    { id: 'gold.too_hot' },
  ])
  const hot = await run('sql', 'SELECT * FROM gold.too_hot')
  expect(hot.json<unknown>()).toEqual([{ sensor: 'a' }])

  const history = await run(
    'sql',
    `SELECT trigger, t.task, t.kind, t.status, (facts->>'rows_made')::INT AS made, t.ended_at >= r.created_at AS in_order
     FROM system.runs r JOIN system.run_tasks t USING (run_id) WHERE r.status = 'succeeded' AND r.duration_ms >= 0 ORDER BY position`,
  )
  const did = { trigger: 'load', kind: 'model', in_order: true }
  expect(history.json<unknown>()).toEqual([
    { ...did, task: 'gold.hottest', status: 'done', made: 2 },
    { ...did, task: 'gold.too_hot', status: 'nothing_new', made: null },
  ])

  const after = await run('plan')
  expect(after.json<{ models: { status: string }[] }>().models.map(({ status }) => status)).toEqual(
    [...['current', 'view']],
  )
  const lineage = await run('lineage', 'gold.too_hot.sensor')
  expect(lineage.json<{ steps: { from: object }[] }>().steps.map(({ from }) => from)).toEqual([
    { table: 'gold.hottest', column: 'sensor' },
    { table: 'bronze.readings', column: 'sensor' },
  ])
})
