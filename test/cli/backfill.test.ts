import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { eventually, mekong, mekongUp, newHome, startMekong } from './run-mekong.ts'

// Backfills from the command line: killed, failed, paused and gone on with.

const CONFIG = path.join(import.meta.dirname, 'task-river', 'mekong.config.ts')

interface BackfillJson {
  readonly ok: boolean
  readonly id: string
  readonly status: string
  readonly progress: { readonly done: number; readonly total: number }
  readonly parts: readonly { readonly from: string; readonly status: string }[]
}

const made: string[] = []
let home = ''
let folder = ''
beforeEach(() => {
  home = newHome()
  folder = mkdtempSync(path.join(tmpdir(), 'mekong-tasks-'))
  made.push(home, folder)
})
afterAll(() => {
  for (const one of made) rmSync(one, { recursive: true, force: true })
})

const variables = () => ({ TASK_RIVER_FOLDER: folder })
const at = () => ['--home', home, '--config', CONFIG]
const run = (...args: string[]) => mekong(['backfill', ...args, ...at(), '--json'], variables())
const tell = (name: string) => writeFileSync(path.join(folder, name), '')
const done = () => {
  const file = path.join(folder, 'done.txt')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}

test('a part that fails stops it; it goes on from there when told, also after kill -9', async () => {
  tell('slowly')
  const month = ['past', '--from', '2026-02-01', '--to', '2026-02-05']
  const child = startMekong(['backfill', ...month, ...at()], variables())
  const closed = new Promise((resolve) => child.once('close', resolve))
  await eventually(
    async () => done(),
    (lines) => lines.length === 2,
  )
  child.kill('SIGKILL')
  await closed
  const [listed] = (await run('list')).json<{ backfills: BackfillJson[] }>().backfills
  expect(listed).toMatchObject({ status: 'running', progress: { done: 1, total: 5 } })

  const failed = await run('resume', listed!.id.slice(0, -2))
  expect(failed.code).toBe(1)
  expect(failed.json<BackfillJson>()).toMatchObject({
    ok: false,
    status: 'failed',
    progress: { done: 2 },
  })
  tell('mended')
  const ended = await run('resume', listed!.id)
  expect(ended.code, ended.err).toBe(0)
  expect(ended.json<BackfillJson>()).toMatchObject({
    status: 'done',
    progress: { done: 5, total: 5 },
  })
  const days = done().map((line) => Number(line.split(' ')[1]!.slice(-2)))
  // The second day was under way at the kill; the third failed twice, as one retry is allowed.
  expect(days).toEqual([1, 2, 2, 3, 3, 3, 4, 5])
})

test('beside a running platform it can be paused and goes on', async () => {
  tell('slowly')
  tell('mended')
  const up = await mekongUp(at(), variables())
  try {
    const looking = run('past', '--from', '2026-02-01', '--to', '2026-02-10', '--part', '4')
    const [listed] = await eventually(
      async () => (await run('list')).json<{ backfills: BackfillJson[] }>().backfills,
      ([first]) => first !== undefined && first.progress.done === first.progress.total,
    )
    expect(listed!.parts.map(({ from }) => from)).toEqual([
      '2026-02-01',
      '2026-02-05',
      '2026-02-09',
    ])
    expect((await looking).json<BackfillJson>().status).toBe('done')
    const second = run('past', '--from', '2026-02-02', '--to', '2026-02-03')
    await eventually(
      async () => done(),
      (lines) => lines.includes('past 2026-02-02 2026-02-02'),
    )
    const paused = (await run('list')).json<{ backfills: BackfillJson[] }>().backfills[0]!
    expect((await run('pause', paused.id)).json<BackfillJson>().status).toBe('paused')
    expect((await second).json<BackfillJson>().status).toBe('paused')
    expect((await run('cancel', paused.id)).json<BackfillJson>().status).toBe('cancelled')
    expect((await run('resume', paused.id)).code).toBe(1)
  } finally {
    expect(await up.stop()).toBe(0)
  }
})

test('days that are none are refused, and nothing is begun', async () => {
  const refused = await run('past', '--from', '2026-02-30', '--to', '2026-03-01')
  expect(refused.code).toBe(1)
  expect(refused.json<{ error: { code: string } }>().error.code).toBe('BACKFILL_INVALID')
})
