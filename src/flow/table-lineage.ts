import type { Origin } from '../sql/models/column-lineage.ts'
import type { ModelLineage } from './model-lineage.ts'
import type { River, RiverNode } from './river.ts'

// What a table is made of and what is made of it, column by column, up and down to where it begins and ends. Pure.

export interface TableLineage {
  /** The table itself, those above it and those below it. */
  readonly tables: readonly LineageTable[]
  readonly columns: readonly ColumnEdge[]
  /** What no model makes: topics and files that fill tables among these, stores that follow them. */
  readonly ends: readonly LineageEnd[]
}

export interface LineageTable {
  readonly name: string
  /** `undefined` for tables that no model makes. */
  readonly pipeline: string | undefined
  /** Steps from the table: 0 is itself, below zero what it is made of. */
  readonly depth: number
  /** Those of `tables` that its SQL names. */
  readonly reads: readonly string[]
  /** Why the columns of the model are not known, when they are not. */
  readonly problem: string | undefined
}

export interface ColumnEdge {
  readonly from: Pick<Origin, 'table' | 'column'>
  readonly to: Pick<Origin, 'table' | 'column'>
  readonly kind: Origin['kind']
}

export interface LineageEnd {
  readonly side: 'up' | 'down'
  readonly table: string
  readonly kind: RiverNode['kind']
  readonly name: string
}

/** The part of all models' lineage that hangs together with one table. */
export function lineageAround(
  all: readonly ModelLineage[],
  river: River,
  table: string,
): TableLineage {
  const up = reached(table, (name) => all.find(({ model }) => model === name)?.reads ?? [])
  const down = reached(table, (name) =>
    all.filter(({ reads }) => reads.includes(name)).map(({ model }) => model),
  )
  const depths = new Map<string, number>([
    ...[...up].map(([name, steps]) => [name, -steps] as const),
    ...[...down].filter(([name]) => !up.has(name)),
    [table, 0],
  ])
  const columns = all.flatMap(({ model, columns: made }) =>
    !depths.has(model)
      ? []
      : made.flatMap(({ name, from }) =>
          from
            .filter((origin) => depths.has(origin.table))
            .map(({ kind, ...origin }) => ({
              from: { table: origin.table, column: origin.column },
              to: { table: model, column: name },
              kind,
            })),
        ),
  )
  return {
    tables: [...depths]
      .map(([name, depth]) => {
        const model = all.find((each) => each.model === name)
        const reads = (model?.reads ?? []).filter((each) => depths.has(each))
        return { name, pipeline: model?.pipeline, depth, reads, problem: model?.problem }
      })
      .sort((a, b) => a.depth - b.depth || (a.name < b.name ? -1 : 1)),
    columns,
    ends: endsOf(river, depths),
  }
}

/** Names reached from one, with the fewest steps to each; not the first itself. */
function reached(
  first: string,
  next: (name: string) => readonly string[],
): ReadonlyMap<string, number> {
  const steps = new Map<string, number>()
  let frontier = [first]
  for (let step = 1; frontier.length > 0; step += 1) {
    const found = [...new Set(frontier.flatMap(next))].filter(
      (name) => name !== first && !steps.has(name),
    )
    for (const name of found) steps.set(name, step)
    frontier = found
  }
  return steps
}

function endsOf(
  { nodes, edges }: River,
  depths: ReadonlyMap<string, number>,
): readonly LineageEnd[] {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const isTable = ({ kind }: RiverNode) => kind === 'table' || kind === 'model'
  return edges.flatMap(({ from, to }): LineageEnd[] => {
    const [above, below] = [byId.get(from)!, byId.get(to)!]
    if (depths.has(to) && (depths.get(to) ?? 1) <= 0 && !isTable(above))
      return [{ side: 'up', table: to, kind: above.kind, name: above.name }]
    if (depths.has(from) && (depths.get(from) ?? -1) >= 0 && !isTable(below))
      return [{ side: 'down', table: from, kind: below.kind, name: below.name }]
    return []
  })
}
