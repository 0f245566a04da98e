import type { RunningHop } from '../flow/running-hop.ts'
import type { Meter } from '../model/meter.ts'
import { LATENCY_BUCKETS_S } from '../model/meter.ts'
import type { BatchReport } from '../stream/hop.ts'
import type { HopState } from '../stream/hop-state.ts'

/** What the hops do, as metrics. */
export interface HopMetrics {
  state(pipeline: string, hop: string, state: HopState): void
  batch(pipeline: string, hop: string, report: BatchReport): void
  /** Keep the lag of these hops up to date. */
  watch(hops: readonly RunningHop[]): void
}

const LAG_INTERVAL_MS = 1_000
const LABELS = ['pipeline', 'hop'] as const

export function hopMetrics(meter: Meter): HopMetrics {
  const records = meter.counter({
    name: 'mekong_hop_records_total',
    help: 'Records that a hop has dealt with, by what became of them.',
    labels: [...LABELS, 'outcome'],
  })
  const batches = meter.counter({
    name: 'mekong_hop_batches_total',
    help: 'Micro-batches committed.',
    labels: LABELS,
  })
  const seconds = meter.histogram({
    name: 'mekong_hop_batch_seconds',
    help: 'From the end of reading a micro-batch to the end of its commit.',
    labels: LABELS,
    buckets: LATENCY_BUCKETS_S,
  })
  const troubles = meter.counter({
    name: 'mekong_hop_troubles_total',
    help: 'Times that a hop had to wait and try again.',
    labels: LABELS,
  })
  const running = meter.gauge({
    name: 'mekong_hop_running',
    help: '1 while a hop carries records, 0 while it waits for something to come back or has failed.',
    labels: LABELS,
  })
  const lag = meter.gauge({
    name: 'mekong_hop_lag_records',
    help: 'Records in the log that a hop has not dealt with yet.',
    labels: LABELS,
  })
  return {
    state(pipeline, hop, state) {
      if (state.name === 'retrying') troubles.with({ pipeline, hop }).add(1)
      running
        .with({ pipeline, hop })
        .set(['opening', 'waiting', 'working'].includes(state.name) ? 1 : 0)
    },
    batch(pipeline, hop, { ranges, totalMs }) {
      batches.with({ pipeline, hop }).add(1)
      seconds.with({ pipeline, hop }).observe(totalMs / 1_000)
      for (const outcome of ['rows', 'dead', 'filtered'] as const) {
        const count = ranges.reduce((sum, range) => sum + range[outcome], 0)
        if (count > 0) records.with({ pipeline, hop, outcome }).add(count)
      }
    },
    watch(hops) {
      const look = async () => {
        for (const { hop, pipeline, name } of hops) {
          const { lagRecords } = await hop.status()
          lag.with({ pipeline, hop: name }).set(lagRecords)
        }
      }
      // A log that is closed or away has no lag to tell; the hop's own state says so.
      setInterval(() => look().catch(() => {}), LAG_INTERVAL_MS).unref()
    },
  }
}
