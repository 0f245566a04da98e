import type { PipelinePlan } from '../../pipeline/plan.ts'
import type { SchedulePlan } from '../../pipeline/schedule.ts'

/** A schedule among those of all pipelines. */
export interface Schedule extends SchedulePlan {
  /** `<pipeline>/<name>` */
  readonly id: string
  readonly pipeline: string
}

/** Every schedule of some pipelines. Pure. */
export const schedulesOf = (plans: readonly PipelinePlan[]): readonly Schedule[] =>
  plans.flatMap((plan) =>
    plan.schedules.map((schedule) => ({
      ...schedule,
      id: `${plan.name}/${schedule.name}`,
      pipeline: plan.name,
    })),
  )
