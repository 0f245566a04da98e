import type { LogWatch } from '../log/log-watch.ts'
import { LATENCY_BUCKETS_S, type Meter } from '../model/meter.ts'

/** From one record on an idle log to the full write of a busy one. */
const RECORD_BUCKETS = [1, 2, 5, 10, 50, 100, 500, 1_000, 5_000, 20_000]

/** What the log does, as metrics. */
export function logMetrics(meter: Meter): LogWatch {
  const writes = meter.counter({
    name: 'mekong_log_writes_total',
    help: 'Group commits of the log, by outcome: written or failed.',
    labels: ['outcome'],
  })
  const records = meter
    .histogram({
      name: 'mekong_log_write_records',
      help: 'Records in one group commit.',
      buckets: RECORD_BUCKETS,
    })
    .with({})
  const bytes = meter
    .counter({ name: 'mekong_log_written_bytes_total', help: 'Bytes handed to the log.' })
    .with({})
  const seconds = meter
    .histogram({
      name: 'mekong_log_write_seconds',
      help: 'Of one group commit, until it is durable.',
      buckets: LATENCY_BUCKETS_S,
    })
    .with({})
  const spilled = meter.counter({
    name: 'mekong_log_spilled_records_total',
    help: 'Records kept in the local log because the topic’s own was away.',
    labels: ['topic'],
  })
  const moved = meter.counter({
    name: 'mekong_log_moved_records_total',
    help: 'Spilled records that have arrived in the topic’s own log.',
    labels: ['topic'],
  })
  const coding = meter
    .histogram({
      name: 'mekong_log_coding_seconds',
      help: 'Of coding the values of one append.',
      buckets: LATENCY_BUCKETS_S,
    })
    .with({})
  const misfits = meter
    .counter({
      name: 'mekong_log_uncoded_values_total',
      help: 'Values that do not fit their topic’s schema and were written as they came.',
    })
    .with({})
  const written = {
    true: writes.with({ outcome: 'failed' }),
    false: writes.with({ outcome: 'written' }),
  }
  return {
    onWrite(write) {
      written[`${write.isFailed}`].add(1)
      records.observe(write.recordCount)
      seconds.observe(write.durationMs / 1_000)
      if (!write.isFailed) bytes.add(write.bytes)
    },
    onSpilled: (topic, recordCount) => spilled.with({ topic }).add(recordCount),
    onMoved: (topic, recordCount) => moved.with({ topic }).add(recordCount),
    onCoded({ misfitCount, durationMs }) {
      coding.observe(durationMs / 1_000)
      misfits.add(misfitCount)
    },
  }
}
