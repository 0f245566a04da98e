import type { PipelinePlan } from '../pipeline/plan.ts'
import type { Consumer } from '../sql/models/model-plan.ts'

/** What of some pipelines reads tables besides their models: stores that are filled from tables, and charts. Pure. */
export function consumersOf(plans: readonly PipelinePlan[]): readonly Consumer[] {
  return plans.flatMap(({ name, publishes, syncs, dashboard }): Consumer[] => [
    ...publishes.map(({ from, target }) => ({
      what: `publish ${target.store}.${target.table}`,
      table: from,
      columns: [...target.key, ...target.indexes.flat()],
    })),
    ...syncs.flatMap((sync) =>
      sync.from.map(({ table, key, version, deleted, reads, watch = [] }) => ({
        what: `sync ${name}/${sync.name}`,
        table,
        columns: [
          ...new Set([
            key,
            version,
            ...(deleted === undefined ? [] : [deleted]),
            ...reads,
            ...watch,
          ]),
        ],
      })),
    ),
    ...(dashboard?.charts ?? []).map(({ title, sql, columns }) => ({
      what: `chart "${title}" of ${name}`,
      sql,
      yields: columns.map((column) => column.name),
    })),
  ])
}
