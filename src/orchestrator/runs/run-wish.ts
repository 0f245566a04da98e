import type { AttemptLimits, Run, RunRequest, RunTask, RunTrigger } from '../../model/run.ts'
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

/**
 * The request for doing a run again, for the same moment: all of it, or only what did not come to a good end. `undefined` when nothing of it
 * is left to do. Pure.
 */
export function requestAgain(
  { pipeline, selectors, logicalMs, fullRefresh, range, versions, limits }: Run,
  tasks: readonly RunTask[],
  what: 'all' | 'unfinished',
): RunRequest | undefined {
  const unfinished = tasks.filter(({ status }) => status !== 'done' && status !== 'nothing_new')
  if (what === 'unfinished' && unfinished.length === 0) return undefined
  return {
    ...{ trigger: 'manual', schedule: null, backfill: null, pipeline },
    selectors: what === 'all' ? selectors : unfinished.map(({ id }) => id),
    ...{ logicalMs, fullRefresh, range, versions, limits },
  }
}
