import { consumersOf } from '../../flow/model-consumers.ts'
import { openModelLake } from '../../flow/open-model-lake.ts'
import { planModels } from '../../flow/plan-models.ts'
import { savedQueries } from '../../orchestrator/saved-queries.ts'
import type { Break, PlannedModel } from '../../sql/models/model-plan.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { bytesText } from '../numbers.ts'
import { withHome } from '../with-home.ts'

export const plan: Command = {
  name: 'plan',
  summary: 'show what the next run of the models would do, before it does',
  usage: 'plan [MODEL… | PIPELINE…]',
  about: `
One line for each model that has something to do: new, changed (by what its SQL means, not by its text) or behind; whether it is made anew or
goes on, over which versions of what it reads, and about how many rows and bytes these are, with what models above it will have written by
then. Then what would break: models, tests, stores, charts and saved queries that
name columns which go.
Changes nothing. Exit code 1 when something would break.`,
  options: { all: { type: 'boolean', doc: 'Also models that have nothing to do.' } },
  examples: [
    ['mekong plan', 'everything that is due'],
    ['mekong plan gold.github_user_activity --all', 'one model'],
    ['mekong plan github-events', 'one pipeline'],
    ['mekong plan --json', 'for a review before a deployment'],
  ],

  run: (context) =>
    withHome(context, async (reader, { plans }) => {
      const engine = await reader.engine()
      const lake = openModelLake(await reader.lakeHome())
      const saved = savedQueries(plans).filter(({ on }) => on === 'lake')
      const { models: all, breaks } = await planModels({
        ...{ engine, lake, plans },
        consumers: [
          ...consumersOf(plans),
          ...saved.map(({ name, sql }) => ({ what: `query ${name}`, sql })),
        ],
      })
      const { args } = context
      const known = new Set(all.flatMap(({ model, pipeline }) => [pipeline, model]))
      const unknown = args.filter((name) => !known.has(name))
      if (unknown.length > 0)
        throw new UsageError(
          `There is no model or pipeline with models ${unknown.join(', ')}. There are: ${[...known].join(', ') || 'none'}.`,
        )
      const asked = all.filter(
        ({ model, pipeline }) =>
          args.length === 0 || args.includes(model) || args.includes(pipeline),
      )
      return report(context, asked, breaks)
    }),
}

function report(
  { terminal, options }: CommandContext,
  models: readonly PlannedModel[],
  saved: readonly Break[],
): number {
  const breaks = [...models.flatMap((model) => model.breaks), ...saved]
  if (options.json === true) terminal.printJson({ ok: breaks.length === 0, models, breaks })
  else {
    const idle = ({ status }: PlannedModel) => status === 'current' || status === 'view'
    const shown = models.filter((model) => options.all === true || !idle(model))
    if (shown.length > 0)
      terminal.table(
        ['model', 'is', 'would be', 'because', 'versions', 'rows', 'reads'],
        shown.map((model) => [
          model.model,
          model.status,
          ACTIONS[model.action],
          model.why,
          versionsText(model),
          model.rowsEstimated ?? null,
          model.bytesEstimated === undefined ? null : bytesText(model.bytesEstimated),
        ]),
      )
    for (const { model, columns } of shown) {
      const said = [
        ...columns.added.map((name) => `+ ${name}`),
        ...columns.removed.map((name) => `- ${name}`),
        ...columns.retyped,
      ]
      if (said.length > 0) terminal.print(`${model}: ${said.join(', ')}`)
    }
    for (const { what, problem } of breaks) terminal.print(`BREAKS ${what}: ${problem}`)
    if (shown.length === 0)
      terminal.print(models.length === 0 ? 'No pipeline has models.' : 'Nothing to do.')
  }
  return breaks.length === 0 ? EXIT.ok : EXIT.failed
}

/** What of each table: `silver.x 3 to 5`, or all that is there at a version. */
const versionsText = ({ action, versions }: PlannedModel): string =>
  versions
    .filter(({ from, to }) => action === 'whole' || from !== to)
    .map(({ table, from, to }) =>
      action === 'whole' || from === null ? `${table} up to ${to}` : `${table} ${from} to ${to}`,
    )
    .join(', ')

const ACTIONS = { whole: 'made anew', increment: 'carried on', nothing: 'left alone' } as const
