import { maintenanceSchedules } from '../../pipeline/maintenance-of.ts'
import type { PipelinePlan } from '../../pipeline/plan.ts'
import type { SchedulePlan } from '../../pipeline/schedule.ts'

/** A schedule among those of all pipelines. */
export interface Schedule extends SchedulePlan {
  /** `<pipeline>/<name>` */
  readonly id: string
  readonly pipeline: string
}

/** Every schedule of some pipelines, with those of maintenance. Pure. */
export const schedulesOf = (
  plans: readonly PipelinePlan[],
  { maintenance }: { readonly maintenance: 'on' | 'off' },
): readonly Schedule[] =>
  plans.flatMap((plan) =>
    [...plan.schedules, ...maintenanceSchedules(plan, maintenance === 'on')].map((schedule) => ({
      ...schedule,
      id: `${plan.name}/${schedule.name}`,
      pipeline: plan.name,
    })),
  )
