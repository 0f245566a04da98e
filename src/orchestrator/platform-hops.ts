import { setTimeout as sleep } from 'node:timers/promises'
import type { LakeHome } from '../flow/lake-home.ts'
import { hopsOf } from '../flow/pipeline-hops.ts'
import { type HopWorld, type RunningHop, startHop } from '../flow/running-hop.ts'
import type { Log } from '../log/log.ts'
import type { Clock } from '../model/clock.ts'
import type { Meter } from '../model/meter.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import type { StateStore } from '../state/state-store.ts'
import type { HopState } from '../stream/hop-state.ts'
import { hopMetrics } from './hop-metrics.ts'
import type { References } from './open-references.ts'
import type { Settings } from './settings.ts'

/** How one hop stands. */
export interface HopReport {
  readonly pipeline: string
  readonly name: string
  readonly state: HopState
  readonly lagRecords: number
  /** What it has dealt with since the beginning, by what became of it. */
  readonly done: { readonly rows: number; readonly dead: number; readonly filtered: number }
}

export interface HopsWorld {
  readonly plans: readonly PipelinePlan[]
  readonly settings: Settings
  readonly log: Log
  readonly state: StateStore
  /** The engine that carries records. */
  readonly engine: ComputeEngine
  readonly lake: LakeHome
  readonly postgres: PostgresConfig | undefined
  readonly references: References
  readonly clock: Clock
  readonly meter: Meter
  readonly onNotice: (line: string) => void
  /** Told after every batch which hop carried it, when it is committed. */
  readonly onBatch: (hop: string, pipeline: string) => void
}

/** The hops of all pipelines in one process. */
export interface PlatformHops {
  readonly running: readonly RunningHop[]
  /** Begin to carry. Once. */
  start(): void
  reports(): Promise<readonly HopReport[]>
  /** Returns when every hop has carried everything that is in its topics, or has failed. */
  drained(signal: AbortSignal): Promise<void>
  stop(): Promise<void>
}

const DRAIN_LOOK_MS = 25

export function platformHops(world: HopsWorld): PlatformHops {
  const running: RunningHop[] = []
  const reports = () => Promise.all(running.map(reportOf))
  return {
    running,
    start() {
      const metrics = hopMetrics(world.meter)
      const { settings, onNotice } = world
      const { startAt, batchRecordsMax, lakeIntervalMs, serveIntervalMs } = settings
      const { log, state, engine, lake, postgres, clock } = world
      const hopWorld: HopWorld = {
        ...{ log, state, engine, lake, postgres, clock, chance: () => Math.random() },
        ...{ startAt, batchRecordsMax, lakeIntervalMs, serveIntervalMs },
        references: world.references.joined,
        logIsShared: settings.log === 'kafka',
        onState(pipeline, hop, now) {
          metrics.state(pipeline, hop, now)
          noticeState(onNotice, pipeline, hop, now)
        },
        onBatch(pipeline, hop, report) {
          metrics.batch(pipeline, hop, report)
          world.onBatch(hop, pipeline)
        },
      }
      for (const plan of world.plans)
        for (const planned of hopsOf(plan)) running.push(startHop(hopWorld, plan, planned))
      metrics.watch(running)
    },
    reports,
    async drained(signal) {
      while (!signal.aborted) {
        const all = await reports()
        if (all.every(({ state, lagRecords }) => lagRecords === 0 || state.name === 'failed'))
          return
        await sleep(DRAIN_LOOK_MS, undefined, { signal }).catch(() => {})
      }
    },
    async stop() {
      await Promise.all(running.map((hop) => hop.stop()))
    },
  }
}

async function reportOf({ hop }: RunningHop): Promise<HopReport> {
  const { pipeline, name, state, lagRecords, cursor } = await hop.status()
  const total = (of: 'rows' | 'dead' | 'filtered') =>
    cursor.reduce((sum, line) => sum + line[of], 0)
  const done = { rows: total('rows'), dead: total('dead'), filtered: total('filtered') }
  return { pipeline, name, state, lagRecords, done }
}

/** Why the platform is not ready because of a hop; nothing when it is. */
export function notReady({ pipeline, name, state }: HopReport): string[] {
  if (state.name === 'failed') return [`${pipeline} / ${name} has failed: ${state.reason}`]
  if (state.name === 'retrying') return [`${pipeline} / ${name} is waiting: ${state.reason}`]
  return []
}

/** Trouble is said when it begins and when it is over, not at each attempt. */
function noticeState(
  onNotice: (line: string) => void,
  pipeline: string,
  hop: string,
  now: HopState,
): void {
  if (now.name === 'failed') onNotice(`${pipeline} / ${hop} has stopped: ${now.reason}`)
  if (now.name === 'retrying' && now.attempt === 1)
    onNotice(`${pipeline} / ${hop} is waiting: ${now.reason}`)
}
