import type { Clock } from '../model/clock.ts'

/** Keeps each key to its records per second. */
export interface RateLimit {
  /**
   * Milliseconds until the key may send again; 0 when it may send now. A batch is never split: it may overdraw,
   * and the next one waits until the debt is paid.
   */
  waitMs(name: string, recordsPerSecondMax: number): number
  /** Charge records to a key after they are known. */
  charge(name: string, recordCount: number): void
}

interface Bucket {
  tokens: number
  filledMs: number
  perSecond: number
}

/** One token bucket per key, holding one second's worth. */
export function createRateLimit(clock: Clock): RateLimit {
  const buckets = new Map<string, Bucket>()
  return {
    waitMs(name, recordsPerSecondMax) {
      const nowMs = clock.nowMs()
      let bucket = buckets.get(name)
      if (bucket === undefined) {
        bucket = { tokens: recordsPerSecondMax, filledMs: nowMs, perSecond: recordsPerSecondMax }
        buckets.set(name, bucket)
      }
      const gained = (Math.max(0, nowMs - bucket.filledMs) / 1000) * recordsPerSecondMax
      bucket.tokens = Math.min(recordsPerSecondMax, bucket.tokens + gained)
      bucket.filledMs = nowMs
      bucket.perSecond = recordsPerSecondMax
      if (bucket.tokens > 0) return 0
      return Math.max(1, Math.ceil((-bucket.tokens / bucket.perSecond) * 1000))
    },
    charge(name, recordCount) {
      const bucket = buckets.get(name)
      if (bucket !== undefined) bucket.tokens -= recordCount
    },
  }
}
