import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLakeHome } from '../src/flow/lake-home.ts'
import { hopsOf } from '../src/flow/pipeline-hops.ts'
import { startHop } from '../src/flow/running-hop.ts'
import type { JoinedReferences } from '../src/flow/stage-batches.ts'
import type { Log } from '../src/log/log.ts'
import { systemClock, systemRandomness } from '../src/model/clock.ts'
import { resolveSettings } from '../src/orchestrator/resolve-settings.ts'
import type { PipelinePlan } from '../src/pipeline/plan.ts'
import type { PostgresConfig } from '../src/serve/postgres/config.ts'
import type { ComputeEngine } from '../src/sql/duckdb/engine.ts'
import { openStateStore } from '../src/state/state-store.ts'

const LOOK_MS = 5
/** The platform's own defaults, so that what is measured is what everybody gets. */
export const SETTINGS = resolveSettings({}, {})

export interface HopRun {
  readonly log: Log
  readonly plan: PipelinePlan
  readonly engine: ComputeEngine
  /** Of the table or store to fill. */
  readonly hop: string
  /** For the lake and the state of this run. */
  readonly folder: string
  readonly postgres?: PostgresConfig
  readonly eventCount: number
  /** What the hop's joins read. */
  readonly references?: JoinedReferences
}

/** Carry a whole backlog through one hop. Returns milliseconds from its start to its last commit. */
export async function carryBacklog(run: HopRun): Promise<number> {
  const { log, plan, engine, hop: name, folder, postgres, eventCount } = run
  const planned = hopsOf(plan).find((hop) => hop.name === name)!
  await log.ensureTopic({ name: planned.replayTopic, partitions: 1 })
  const clock = systemClock
  const randomness = systemRandomness
  const state = await openStateStore({ file: path.join(folder, 'state.sqlite'), clock })
  const lake = await openLakeHome({ folder: path.join(folder, 'lake'), engine, clock, randomness })
  const { startAt, batchRecordsMax, lakeIntervalMs, serveIntervalMs } = SETTINGS
  let trouble: string | undefined
  const startMs = performance.now()
  const running = startHop(
    {
      ...{ log, state, engine, lake, postgres, clock, chance: () => 0.5 },
      ...{ startAt, batchRecordsMax, lakeIntervalMs, serveIntervalMs },
      references: () => run.references,
      logIsShared: false,
      onBatch: () => {},
      onState: (_pipeline, _hop, now) => {
        if (now.name === 'failed' || now.name === 'retrying') trouble = now.reason
      },
    },
    plan,
    planned,
  )
  let carried = 0
  while (carried < eventCount && trouble === undefined) {
    await sleep(LOOK_MS)
    carried = (await running.cursor()).reduce((sum, line) => sum + line.rows, 0)
  }
  const tookMs = performance.now() - startMs
  const found = await running.rowsFound()
  await running.stop()
  await state.close()
  if (trouble !== undefined) throw new Error(trouble)
  if (found !== eventCount) throw new Error(`${found} rows of ${eventCount} events in ${name}.`)
  return tookMs
}
