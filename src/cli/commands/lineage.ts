import { lineageOf, type ModelLineage } from '../../flow/model-lineage.ts'
import { openModelLake } from '../../flow/open-model-lake.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { withHome } from '../with-home.ts'

export const lineage: Command = {
  name: 'lineage',
  summary: 'show which columns the columns of a model are made of',
  usage: 'lineage [MODEL | MODEL.COLUMN]',
  about: `
Found by binding the SQL, so that stars, views, subqueries and common table expressions are seen through. Columns that only choose rows are
left out. With a column, its origins are followed up through all models to the tables that no model makes.`,
  options: {},
  examples: [
    ['mekong lineage gold.github_user_activity', 'every column of a model'],
    ['mekong lineage gold.github_user_activity.total_commits', 'one, up to where it begins'],
    ['mekong lineage --json', 'all models, for a program'],
  ],

  run: (context) =>
    withHome(context, async (reader, { plans }) => {
      const engine = await reader.engine()
      const lake = openModelLake(await reader.lakeHome())
      const all = await lineageOf({ engine, lake, plans })
      const [asked] = context.args
      if (asked === undefined) return show(context, all, all)
      const [layer, table, column] = asked.split('.')
      const model = all.find((each) => each.model === `${layer}.${table}`)
      if (model === undefined)
        throw new UsageError(
          `There is no model ${layer}.${table ?? ''}. There are: ${all.map((each) => each.model).join(', ') || 'none'}.`,
        )
      if (column === undefined || model.problem !== undefined) return show(context, all, [model])
      if (!model.columns.some(({ name }) => name === column))
        throw new UsageError(
          `${model.model} has no column ${column}. It has: ${model.columns.map(({ name }) => name).join(', ')}.`,
        )
      return follow(context, all, { table: model.model, column })
    }),
}

function show(
  { terminal, options }: CommandContext,
  all: readonly ModelLineage[],
  models: readonly ModelLineage[],
): number {
  const unknown = models.filter(({ problem }) => problem !== undefined)
  if (options.json === true) terminal.printJson({ ok: unknown.length === 0, models })
  else {
    if (all.length === 0) terminal.print('No pipeline has models.')
    for (const { model, reads, columns, problem } of models) {
      terminal.print(`${model}  ←  ${reads.join(', ') || 'nothing'}`)
      if (problem !== undefined) terminal.print(`  not known: ${problem}`)
      else
        terminal.table(
          ['column', 'from'],
          columns.map(({ name, from }) => [name, from.map(text).join(', ')]),
        )
    }
  }
  return unknown.length === 0 ? EXIT.ok : EXIT.failed
}

const SIGNS = { identity: '', transformation: ' (computed)', aggregation: ' (aggregated)' } as const

const text = ({ table, column, kind }: ModelLineage['columns'][number]['from'][number]) =>
  `${table}.${column}${SIGNS[kind]}`

interface Place {
  readonly table: string
  readonly column: string
}

/** One column's origins as a tree, each place once. */
function follow(
  { terminal, options }: CommandContext,
  all: readonly ModelLineage[],
  start: Place,
): number {
  const steps: {
    readonly depth: number
    readonly to: Place
    readonly from: Place
    readonly kind: string
  }[] = []
  const seen = new Set<string>()
  const walk = (place: Place, depth: number) => {
    const key = `${place.table}.${place.column}`
    if (seen.has(key)) return
    seen.add(key)
    const columns = all.find(({ model }) => model === place.table)?.columns ?? []
    for (const { kind, ...from } of columns.find(({ name }) => name === place.column)?.from ?? []) {
      steps.push({ depth, to: place, from, kind })
      walk(from, depth + 1)
    }
  }
  walk(start, 1)
  if (options.json === true)
    terminal.printJson({ ok: true, ...start, steps: steps.map(({ depth: _, ...step }) => step) })
  else {
    terminal.print(`${start.table}.${start.column}`)
    for (const { depth, from, kind } of steps)
      terminal.print(`${'  '.repeat(depth)}← ${from.table}.${from.column}  ${kind}`)
  }
  return EXIT.ok
}
