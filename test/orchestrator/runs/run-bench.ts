import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { systemClock, systemRandomness } from '../../../src/model/clock.ts'
import type { RunRequest } from '../../../src/model/run.ts'
import type { Task } from '../../../src/model/task.ts'
import {
  openRunner,
  type Runner,
  type RunnerOptions,
} from '../../../src/orchestrator/runs/runner.ts'
import { taskGraph } from '../../../src/orchestrator/runs/task-graph.ts'
import { type RunStore, runStore } from '../../../src/state/run-store.ts'
import { openStateStore } from '../../../src/state/state-store.ts'

/** State files in a folder of their own, with runners over them. */
export interface RunBench {
  readonly file: string
  store(): Promise<RunStore>
  runner(tasks: readonly Task[], options?: Partial<RunnerOptions>): Promise<Runner>
  clear(): Promise<void>
}

export async function openRunBench(): Promise<RunBench> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mekong-runs-'))
  const file = path.join(folder, 'state.sqlite')
  const closers: (() => Promise<void>)[] = []
  const store = async () => {
    const state = await openStateStore({ file, clock: systemClock })
    closers.push(() => state.close())
    return runStore(state.runDatabase())
  }
  return {
    file,
    store,
    async runner(tasks, options = {}) {
      const runner = await openRunner({
        graph: taskGraph(tasks),
        store: options.store ?? (await store()),
        ...{ clock: systemClock, randomness: systemRandomness, chance: () => 0 },
        concurrency: 4,
        onNotice: () => {},
        ...options,
      })
      closers.push(() => runner.stop())
      return runner
    },
    async clear() {
      for (const close of closers.reverse()) await close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export const request = (facts: Partial<RunRequest> = {}): RunRequest => ({
  trigger: 'manual',
  schedule: null,
  backfill: null,
  pipeline: null,
  selectors: [],
  logicalMs: Date.UTC(2026, 0, 1),
  fullRefresh: false,
  range: null,
  versions: null,
  limits: { retries: 0, retryDelayMs: 1, timeoutMs: 60_000 },
  ...facts,
})
