import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually, mekong, mekongUp, newHome, startMekong } from './run-mekong.ts'

// Tasks from the command line: beside a running platform, and where none runs.

const CONFIG = path.join(import.meta.dirname, 'task-river', 'mekong.config.ts')

interface Task {
  readonly id: string
  readonly status: string
  readonly attempts: number
  readonly facts: Readonly<Record<string, number>>
  readonly error: string | null
}
interface RunJson {
  readonly ok: boolean
  readonly id: string
  readonly status: string
  readonly interruptions: number
  readonly tasks: readonly Task[]
  readonly lines?: readonly { readonly line: string }[]
  readonly error?: { readonly code: string }
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
const run = (...args: string[]) => mekong([...args, ...at(), '--json'], variables())
const tell = (name: string) => writeFileSync(path.join(folder, name), '')
const done = () => {
  const file = path.join(folder, 'done.txt')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}
const statuses = ({ tasks }: RunJson) => Object.fromEntries(tasks.map((t) => [t.id, t.status]))

describe('where no platform runs', () => {
  test('what was loaded is there for the tasks, and load says what they did', async () => {
    const file = path.join(folder, 'readings.json')
    writeFileSync(file, '{"sensor":"a","celsius":20}\n{"sensor":"b","celsius":31}\n')
    tell('go')
    tell('mended')
    const loaded = await run('load', 'tasks', file)
    expect(loaded.code, loaded.err).toBe(0)
    const tasks = loaded.json<RunJson>()
    expect(statuses(tasks)).toEqual({
      ...{ stats: 'done', patient: 'done', last: 'done', broken: 'done', past: 'done' },
    })
    expect(tasks.tasks.find(({ id }) => id === 'stats')!.facts).toEqual({ rows: 2, hottest: 31 })
    expect(done()).toEqual(expect.arrayContaining(['patient', 'last']))

    const again = await run('run', 'tag:hourly', '--logical-time', '2026-03-01T00:00:00Z')
    expect(again.code).toBe(0)
    const { id } = again.json<RunJson>()
    const shown = (await run('runs', 'show', id.slice(0, -1))).json<RunJson>()
    expect(shown).toMatchObject({ status: 'succeeded', id })
    expect(shown.lines!.map(({ line }) => line)).toEqual(['for 2026-03-01T00:00:00.000Z'])
    const listed = (await run('runs')).json<{ runs: { trigger: string }[] }>()
    expect(listed.runs.map(({ trigger }) => trigger)).toEqual(['manual', 'load'])
  })

  test('a task that fails is named, what there is too when a name is wrong', async () => {
    const failed = await run('run', 'tag:bad', '--retries', '0')
    expect(failed.code).toBe(1)
    expect(failed.json<RunJson>().tasks).toMatchObject([
      { id: 'broken', status: 'failed', attempts: 1, error: 'It is broken.' },
    ])
    const unknown = await run('run', 'tag:wrong')
    expect(unknown.code).toBe(1)
    expect(unknown.json<RunJson>().error!.code).toBe('SELECTOR_UNKNOWN')
    expect(unknown.err).toMatch(/tag:hourly/)
    const scheduled = (
      await run('run', '--schedule', 'tasks/hourly', '--wait', '9')
    ).json<RunJson>()
    expect(statuses(scheduled)).toEqual({ stats: 'done' })
    const listed = (await run('run', '+last', '--dry-run')).json<{ tasks: Task[] }>()
    expect(listed.tasks.map(({ id }) => id)).toEqual(['patient', 'last'])
  })

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'a run ended by %s goes on where it was',
    async (how) => {
      const child = startMekong(['run', 'tag:slow', ...at()], variables())
      const closed = new Promise((resolve) => child.once('close', resolve))
      await eventually(
        async () => done(),
        (lines) => lines.includes('patient begins 1'),
      )
      child.kill(how)
      await closed
      tell('go')
      const resumed = (await run('run', '--resume')).json<RunJson>()
      expect(resumed).toMatchObject({ ok: true, status: 'succeeded' })
      expect(statuses(resumed)).toEqual({ patient: 'done', last: 'done' })
      expect(done()).toEqual(['patient begins 1', 'patient begins 2', 'patient', 'last'])
      expect((await run('run', '--resume')).json<{ runs: unknown[] }>().runs).toEqual([])
    },
  )
})

describe('beside a running platform', () => {
  test('runs go there, can be looked at and stopped', async () => {
    const up = await mekongUp(at(), variables())
    try {
      const ran = await run('run', 'stats')
      expect(ran.json<RunJson>()).toMatchObject({ ok: true, status: 'succeeded' })
      const scheduled = (await run('run', '--schedule', 'tasks/hourly')).json<RunJson>()
      expect(statuses(scheduled)).toEqual({ stats: 'done' })
      const metrics = await (await fetch(`${up.url}/metrics`)).text()
      expect(metrics).toMatch(/mekong_tasks_total\{[^}]*kind="step"[^}]*status="done"[^}]*\} 2/)
      const unknown = await run('run', '--schedule', 'tasks/yearly')
      expect(unknown.err).toMatch(/tasks\/hourly/)
      const waiting = run('run', 'tag:slow')
      const running = await eventually(
        async () => (await run('runs')).json<{ runs: RunJson[] }>().runs,
        ([newest]) => newest?.status === 'running',
      )
      const shown = (await run('runs', 'show', running[0]!.id)).json<RunJson>()
      expect(statuses(shown)).toMatchObject({ last: 'waiting' })
      expect((await run('runs', 'cancel', running[0]!.id)).code).toBe(0)
      const stopped = await waiting
      expect(stopped.code).toBe(1)
      expect(stopped.json<RunJson>().status).toBe('cancelled')
    } finally {
      expect(await up.stop()).toBe(0)
    }
  })
})
