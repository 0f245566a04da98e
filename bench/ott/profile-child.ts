import path from 'node:path'
import ott from '../../pipelines/ott/pipeline.ts'
import { dayProgress } from '../../src/cli/load-days.ts'
import { dayUnits } from '../../src/flow/day-unit.ts'
import { loadDays } from '../../src/flow/files-to-lake.ts'
import { openLakeHome } from '../../src/flow/lake-home.ts'
import { withFilesWorld } from '../../src/flow/open-files-world.ts'
import { openModelLake } from '../../src/flow/open-model-lake.ts'
import { modelTasks } from '../../src/flow/run-model.ts'
import { systemClock, systemRandomness } from '../../src/model/clock.ts'
import { openComputeEngine } from '../../src/sql/duckdb/engine.ts'
import { openStateStore } from '../../src/state/state-store.ts'
import { contentPaths } from './content-files.ts'

// profile-child.ts HOME FILES_FOLDER MEMORY_MB: files into bronze and the profile from it, as the platform does it, in a process of its own.
// Progress goes to stderr, one line of JSON to stdout.

const [home, folder, memoryMb] = process.argv.slice(2) as [string, string, string]
const memoryLimitBytes = Number(memoryMb) * 1024 * 1024
const lake = path.join(home, 'lake')
const spill = path.join(home, 'spill')
const signal = new AbortController().signal
const shared = { clock: systemClock, randomness: systemRandomness }
const startMs = performance.now()
const startCpu = process.cpuUsage()

const state = await openStateStore({ file: path.join(home, 'state.sqlite'), clock: systemClock })
const units = await dayUnits(ott.files, contentPaths(folder))
const progress = dayProgress(units, (line) => process.stderr.write(`${line}\n`))
let lines = 0
const outcomes = await withFilesWorld(
  { lake, spill, memoryLimitBytes, state, ...shared },
  (world) =>
    loadDays(world, {
      ...{ pipeline: 'ott', units, signal },
      onDay(outcome) {
        if (outcome.status === 'failed') throw new Error(outcome.message)
        if (outcome.status !== 'unchanged') lines += outcome.counts.lines
        progress(outcome)
      },
    }),
)
const loadedMs = performance.now()
const engine = await openComputeEngine({ spillDirectory: spill, memoryLimitBytes })
const lakeHome = await openLakeHome({ folder: lake, engine, ...shared })
const tasks = await modelTasks({ engine, lake: openModelLake(lakeHome) }, ott)
const gold = tasks.find(({ id }) => id === 'gold.customer_content_stats')!
await gold.run({
  ...{ runId: 'bench', logicalMs: Date.now(), attempt: 1, signal, fullRefresh: false },
  ...{ log: () => {}, progress: () => {} },
})
const endMs = performance.now()
const cpu = process.cpuUsage(startCpu)
console.log(
  JSON.stringify({
    lines,
    days: outcomes.filter(({ status }) => status !== 'unchanged').length,
    load_s: (loadedMs - startMs) / 1_000,
    profile_s: (endMs - loadedMs) / 1_000,
    total_s: (endMs - startMs) / 1_000,
    cpu_s: (cpu.user + cpu.system) / 1e6,
    peak_mb: process.resourceUsage().maxRSS / 1_024,
  }),
)
lakeHome.close()
engine.close()
await state.close()
