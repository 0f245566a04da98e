import { cronProblem } from './cron.ts'
import type { MaintenancePlan } from './maintenance.ts'
import type { PipelinePlan } from './plan.ts'

type Report = (where: string, what: string, fix: string) => void

const KEBAB_CASE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/
const TASK_NAME = /^[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)*$/
const SELECTOR = /^(tag:|kind:|\+)?[A-Za-z0-9_.*/-]+\+?$/
const CRON_FIX = 'Use five fields, such as "0 * * * *", and an IANA zone, such as "UTC"'

type WorkPlans = Pick<PipelinePlan, 'schedules' | 'maintenance' | 'plainTasks'>

/** What is wrong with the schedules, the maintenance and the plain tasks of a pipeline, as far as it can be told without the tasks themselves. */
export function checkWork({ schedules, maintenance, plainTasks }: WorkPlans, report: Report): void {
  for (const schedule of schedules) {
    const where = `schedule ${schedule.name}`
    if (!KEBAB_CASE.test(schedule.name))
      report(where, 'is no name of a schedule', 'Use kebab-case, such as "hourly"')
    const problem = cronProblem(schedule)
    if (problem !== undefined) report(where, problem, CRON_FIX)
    if (schedule.run.length === 0)
      report(where, 'runs nothing', 'Name tasks or tags in run, such as ["tag:hourly"]')
    for (const selector of schedule.run.filter((text) => !SELECTOR.test(text)))
      report(where, `"${selector}" selects nothing`, 'Use an id, "+id", "id+", "tag:…" or "kind:…"')
    if (!(Number.isInteger(schedule.retries) && schedule.retries >= 0))
      report(where, `cannot retry ${schedule.retries} times`, 'Use a whole number from 0')
    for (const name of ['retryDelayMs', 'timeoutMs'] as const)
      if (!(schedule[name] > 0)) report(where, `${name} must be above zero`, 'Leave it out')
  }
  for (const plan of maintenance) checkMaintenance(plan, report)
  for (const { name } of plainTasks)
    if (!TASK_NAME.test(name))
      report(
        `step ${name}`,
        'is no name of a task',
        'Use words joined by dots, as "warehouse.daily"',
      )
}

function checkMaintenance(plan: MaintenancePlan, report: Report): void {
  const where = `maintain ${plan.table}`
  const { compact, expire, orphans, daily, weekly, zone } = plan
  for (const cron of [daily, weekly]) {
    const problem = cronProblem({ cron, zone })
    if (problem !== undefined) report(where, problem, CRON_FIX)
  }
  const limits: [string, number | undefined, number][] = [
    ['compact.targetBytes', compact?.targetBytes, 1],
    ['compact.inputFilesMin', compact?.inputFilesMin, 2],
    ['compact.lastDays', compact?.lastDays, 1],
    ['expire.olderThanDays', expire?.olderThanDays, 0],
    ['expire.keep', expire?.keep, 1],
    ['orphans.olderThanDays', orphans?.olderThanDays, 1],
  ]
  for (const [name, value, min] of limits)
    if (value !== undefined && !(Number.isFinite(value) && value >= min))
      report(where, `${name} cannot be ${value}`, `Use a number from ${min}`)
  if (compact?.order?.columns.length === 0)
    report(where, 'orders rows by no column', 'Name columns in zOrder(…) or sortBy(…)')
}
