import { existsSync, type FSWatcher, watch } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PlatformProcess } from './platform-process.ts'
import type { Chance } from './seeded.ts'

// When to kill. Besides random times there are moments at every hop, told from outside by what changes in the home folder: the kill falls
// within a millisecond or so of the change, before, in or after the step that follows it.

/** A file or folder below the home whose changes mark a step. */
const STEPS = {
  'the log takes records': { folder: 'log', name: /-wal$/ },
  'a dead letter is kept': { folder: '.', name: /^state\.sqlite-wal$/ },
  'data files are being staged': { folder: 'lake/.mekong-tmp', name: /^scratch-/ },
  'data files have moved in': { folder: 'lake/bronze/user_events', name: /\.parquet$/ },
  'a Delta commit is being written': { folder: 'lake/.mekong-tmp', name: /^(?!scratch-)/ },
  'a Delta commit is there': { folder: 'lake/bronze/user_events/_delta_log', name: /./ },
  'PostgreSQL writes its log': { folder: 'serve/postgres/data/pg_wal', name: /^0/ },
} as const

type StepName = keyof typeof STEPS
const STEP_NAMES = Object.keys(STEPS) as StepName[]

export type KillMoment =
  | { readonly kind: 'while starting'; readonly afterMs: number }
  | { readonly kind: 'after a while'; readonly afterMs: number }
  | { readonly kind: 'while stopping'; readonly afterMs: number }
  | { readonly kind: StepName; readonly changeCount: number; readonly afterMs: number }

/** The moment of each kill: every kind in turn, so that a short run has most of them; the rest is chance. */
export function killMoment(chance: Chance, number: number): KillMoment {
  const kinds = [...STEP_NAMES, 'while starting', 'after a while', 'while stopping'] as const
  const kind = kinds[number % kinds.length]!
  switch (kind) {
    case 'while starting':
      return { kind, afterMs: chance.integer(100, 2_000) }
    case 'after a while':
      return { kind, afterMs: chance.integer(0, 1_500) }
    case 'while stopping':
      return { kind, afterMs: chance.integer(0, 300) }
    default:
      return { kind, changeCount: chance.integer(1, 12), afterMs: chance.oneOf([0, 0, 1, 4]) }
  }
}

/** A step that does not come within this time is not waited for. */
const STEP_WAIT_MS = 3_000

/** Let the platform live until the moment, then SIGKILL it; returns when it is gone. @throws when it was gone before */
export async function killAt(
  moment: KillMoment,
  running: PlatformProcess,
  home: string,
): Promise<void> {
  if (moment.kind !== 'while starting') await running.ready
  if (moment.kind === 'while stopping') running.signal('SIGTERM')
  if ('changeCount' in moment) await changes(home, STEPS[moment.kind], moment.changeCount)
  if (moment.afterMs > 0) await sleep(moment.afterMs)
  running.signal('SIGKILL')
  const { code } = await running.ended
  const stopped = moment.kind === 'while stopping' && code === 0
  if (code !== null && !stopped)
    throw new Error(`The platform ended by itself with code ${code}: ${running.complaints()}`)
}

async function changes(
  home: string,
  step: { readonly folder: string; readonly name: RegExp },
  changeCount: number,
): Promise<void> {
  const folder = path.join(home, step.folder)
  const startMs = performance.now()
  while (!existsSync(folder)) {
    if (performance.now() - startMs > STEP_WAIT_MS) return
    await sleep(5)
  }
  let watcher: FSWatcher | undefined
  const seen = new Promise<void>((resolve) => {
    let left = changeCount
    watcher = watch(folder, { recursive: true }, (_, name) => {
      if (!step.name.test(name ?? '')) return
      left -= 1
      if (left === 0) resolve()
    })
  })
  await Promise.race([seen, sleep(STEP_WAIT_MS, undefined, { ref: false })])
  watcher?.close()
}
