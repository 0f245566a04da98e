import { DEFAULT_MAINTENANCE, type MaintenancePlan, maintenancePlan } from './maintenance.ts'
import type { PipelinePlan } from './plan.ts'
import { DEFAULT_SCHEDULE, type SchedulePlan } from './schedule.ts'

/** The tables of a pipeline that are kept in shape: those it names, and by default every bronze table that it fills. Pure. */
export function maintenanceOf(plan: PipelinePlan, byDefault: boolean): readonly MaintenancePlan[] {
  const named = new Set(plan.maintenance.map(({ table }) => table))
  const filled = [...plan.tables.map(({ name }) => name), ...plan.files.map(({ table }) => table)]
  const bronze = byDefault ? filled.filter((name) => name.startsWith('bronze.')) : []
  return [
    ...plan.maintenance,
    ...[...new Set(bronze)]
      .filter((name) => !named.has(name))
      .map((name) => maintenancePlan(name, {})),
  ]
}

export type MaintenanceOperation = 'compact' | 'expire' | 'orphans'

export const operationsOf = (plan: MaintenancePlan): readonly MaintenanceOperation[] =>
  (['compact', 'expire', 'orphans'] as const).filter((name) => plan[name] !== undefined)

export const maintenanceTaskId = (table: string, operation: MaintenanceOperation): string =>
  `maintain/${table}/${operation}`

/** A store or a table can be away for a while; nobody waits for maintenance. */
const RETRY_DELAY_MS = 600_000

/** When tables are kept in shape: those that do not say otherwise together, each of the others by itself. Pure. */
export function maintenanceSchedules(
  plan: PipelinePlan,
  byDefault: boolean,
): readonly SchedulePlan[] {
  const found = new Map<string, SchedulePlan>()
  for (const maintenance of maintenanceOf(plan, byDefault)) {
    const { table, zone } = maintenance
    for (const operation of operationsOf(maintenance)) {
      const often = operation === 'compact' ? 'daily' : 'weekly'
      const cron = maintenance[often]
      const isUsual = cron === DEFAULT_MAINTENANCE[often] && zone === DEFAULT_MAINTENANCE.zone
      const name = `maintenance-${often}${isUsual ? '' : `-${table.replaceAll(/[._]/g, '-')}`}`
      found.set(name, {
        ...{ ...DEFAULT_SCHEDULE, name, cron, zone, retryDelayMs: RETRY_DELAY_MS },
        run: [...(found.get(name)?.run ?? []), maintenanceTaskId(table, operation)],
      })
    }
  }
  return [...found.values()]
}
