import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Counter, type Histogram, LATENCY_BUCKETS_S, type Meter } from '../model/meter.ts'
import type { Admission } from './admission.ts'

/** What the gateway counts. Children are made once per route and topic, so that a request only adds. */
export interface GatewayMetrics {
  /** For one route pattern, such as `/v1/tables/:name`. */
  route(name: string): RouteMetrics
  topic(name: string): TopicMetrics
  readonly rejectedConnections: Counter
  /** Watch the event loop, until `close`. */
  open(): void
  close(): void
}

export interface RouteMetrics {
  readonly seconds: Histogram
  status(status: number): Counter
}

export interface TopicMetrics {
  readonly accepted: Counter
  readonly duplicate: Counter
  readonly rejected: Counter
  readonly bytes: Counter
  /** Rejected records by why. */
  rejectedFor(reason: string): Counter
}

/** How often the event loop's delay is sampled. */
const LOOP_SAMPLE_MS = 10

export function createGatewayMetrics(meter: Meter, admission: Admission): GatewayMetrics {
  const requests = meter.counter({
    name: 'mekong_http_requests_total',
    help: 'Requests answered, by route and status.',
    labels: ['route', 'status'],
  })
  const seconds = meter.histogram({
    name: 'mekong_http_request_seconds',
    help: 'From the end of a request’s headers to its answer.',
    labels: ['route'],
    buckets: LATENCY_BUCKETS_S,
  })
  const records = meter.counter({
    name: 'mekong_gateway_records_total',
    help: 'Records by topic and what became of them: accepted, duplicate or rejected.',
    labels: ['topic', 'outcome'],
  })
  const reasons = meter.counter({
    name: 'mekong_gateway_rejected_records_total',
    help: 'Rejected records by topic and reason.',
    labels: ['topic', 'reason'],
  })
  const bytes = meter.counter({
    name: 'mekong_gateway_body_bytes_total',
    help: 'Bytes of bodies, after decompression, by topic.',
    labels: ['topic'],
  })
  const rejectedConnections = meter
    .counter({
      name: 'mekong_gateway_connections_dropped_total',
      help: 'Connections dropped because too many were open.',
    })
    .with({})
  watchQueue(meter, admission)
  const loop = watchEventLoop(meter)
  return {
    rejectedConnections,
    open: () => loop.enable(),
    close: () => loop.disable(),
    route(name) {
      const byStatus: Counter[] = []
      return {
        seconds: seconds.with({ route: name }),
        status(status) {
          const known = byStatus[status]
          if (known !== undefined) return known
          const counter = requests.with({ route: name, status: String(status) })
          byStatus[status] = counter
          return counter
        },
      }
    },
    topic: (topic) => ({
      accepted: records.with({ topic, outcome: 'accepted' }),
      duplicate: records.with({ topic, outcome: 'duplicate' }),
      rejected: records.with({ topic, outcome: 'rejected' }),
      bytes: bytes.with({ topic }),
      rejectedFor: (reason) => reasons.with({ topic, reason }),
    }),
  }
}

function watchQueue(meter: Meter, admission: Admission): void {
  const held = meter
    .gauge({ name: 'mekong_gateway_held_bytes', help: 'Bytes of bodies being read or appended.' })
    .with({})
  const inFlight = meter
    .gauge({ name: 'mekong_gateway_in_flight_records', help: 'Records being appended.' })
    .with({})
  const fullness = meter
    .gauge({
      name: 'mekong_gateway_queue_fullness_ratio',
      help: 'How full the queue is, 0 to 1: the fuller of bytes and records.',
    })
    .with({})
  const limits = meter.gauge({
    name: 'mekong_gateway_queue_capacity',
    help: 'What the queue holds at most, in bytes of bodies and in records; past it the answer is 503.',
    labels: ['unit'],
  })
  limits.with({ unit: 'bytes' }).set(admission.bytesMax)
  limits.with({ unit: 'records' }).set(admission.recordCountMax)
  const startMs = performance.now()
  const up = meter
    .gauge({ name: 'mekong_gateway_up_seconds', help: 'Since the front door was opened.' })
    .with({})
  meter.beforeRender(() => {
    up.set((performance.now() - startMs) / 1_000)
    held.set(admission.bytes)
    inFlight.set(admission.recordCount)
    fullness.set(admission.fullness)
  })
}

function watchEventLoop(meter: Meter): ReturnType<typeof monitorEventLoopDelay> {
  const delay = monitorEventLoopDelay({ resolution: LOOP_SAMPLE_MS })
  const family = meter.gauge({
    name: 'mekong_event_loop_delay_seconds',
    help: 'How late the event loop was since the last scrape.',
    labels: ['quantile'],
  })
  const quantiles = [0.5, 0.99, 1].map(
    (quantile) => [quantile, family.with({ quantile: String(quantile) })] as const,
  )
  meter.beforeRender(() => {
    for (const [quantile, gauge] of quantiles) {
      const nanos = delay.count === 0 ? 0 : delay.percentile(quantile * 100)
      // The timer's own period is part of what Node records.
      gauge.set(Math.max(0, nanos / 1e9 - LOOP_SAMPLE_MS / 1000))
    }
    delay.reset()
  })
  return delay
}
