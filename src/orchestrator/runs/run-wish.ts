import type { AttemptLimits, RunRequest, RunTrigger } from '../../model/run.ts'
import type { TaskRange } from '../../model/task.ts'
import { ScheduleMissingError } from '../errors.ts'
import type { Schedule } from '../schedules/schedules-of.ts'

/** What somebody asks of a run; the rest is as usual. */
export interface RunWish {
  readonly trigger?: RunTrigger
  readonly pipeline?: string | undefined
  readonly selectors?: readonly string[]
  readonly logicalMs?: number | undefined
  readonly fullRefresh?: boolean
  readonly range?: TaskRange | undefined
  readonly limits?: Partial<AttemptLimits>
}

/** Of runs that no schedule makes: somebody waits for the end, and sees why it failed. */
export const DEFAULT_LIMITS: AttemptLimits = {
  retries: 1,
  retryDelayMs: 2_000,
  timeoutMs: 6 * 3_600_000,
}

export const requestOf = (wish: RunWish, nowMs: number): RunRequest => ({
  trigger: wish.trigger ?? 'manual',
  schedule: null,
  backfill: null,
  pipeline: wish.pipeline ?? null,
  selectors: wish.selectors ?? [],
  logicalMs: wish.logicalMs ?? nowMs,
  fullRefresh: wish.fullRefresh ?? false,
  range: wish.range ?? null,
  versions: null,
  limits: { ...DEFAULT_LIMITS, ...wish.limits },
})

/** What a schedule runs at its moments, asked for by somebody else. */
export const wishOfSchedule = ({
  pipeline,
  run,
  retries,
  retryDelayMs,
  timeoutMs,
}: Schedule): Pick<RunWish, 'pipeline' | 'selectors' | 'limits'> => ({
  pipeline,
  selectors: run,
  limits: { retries, retryDelayMs, timeoutMs },
})

/** @throws ScheduleMissingError naming those there are */
export function scheduleNamed(schedules: readonly Schedule[], id: string): Schedule {
  const found = schedules.find((schedule) => schedule.id === id)
  if (found === undefined)
    throw new ScheduleMissingError(
      id,
      schedules.map((one) => one.id),
    )
  return found
}
