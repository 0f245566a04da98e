import type { AttemptLimits } from './run.ts'

/** Tasks made again for a stretch of the past, part by part, each part a run. */
export interface Backfill extends BackfillRequest {
  readonly id: string
  readonly status: BackfillStatus
  readonly createdMs: number
  readonly endedMs: number | null
  /** In the order in which they are done. */
  readonly parts: readonly BackfillPart[]
}

/** `failed`: the run of a part failed, and nothing goes on before somebody says so. */
export type BackfillStatus = 'running' | 'paused' | 'done' | 'failed' | 'cancelled'

export interface BackfillRequest {
  readonly selectors: readonly string[]
  /** Days as `YYYY-MM-DD`, or committed versions of the incoming table. */
  readonly unit: 'days' | 'versions'
  /** Inclusive. */
  readonly from: string
  /** Inclusive. */
  readonly to: string
  /** So many days or versions in one part. */
  readonly partSize: number
  readonly limits: AttemptLimits
}

export interface BackfillPart {
  readonly position: number
  readonly from: string
  readonly to: string
  readonly status: BackfillPartStatus
  /** The last run made for it. */
  readonly runId: string | null
}

export type BackfillPartStatus = 'waiting' | 'running' | 'done' | 'failed'
