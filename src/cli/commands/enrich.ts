import { runTaskView } from '../../api/run-views.ts'
import type { LabelEstimate } from '../../flow/label-keywords.ts'
import { requestOf } from '../../orchestrator/runs/run-wish.ts'
import { type Command, EXIT, UsageError } from '../command.ts'
import { loadProject } from '../project.ts'
import { tasksText } from '../runs/run-text.ts'
import { tableText } from '../terminal.ts'
import { withPlatform } from '../with-platform.ts'

export const enrich: Command = {
  name: 'enrich',
  summary: 'give labels to texts that have none yet, by a model or by rules',
  usage: 'enrich PIPELINE [--dry-run]',
  about: `
Asks the model named by OPENAI_API_KEY, OPENAI_BASE_URL and MEKONG_LABEL_MODEL for a label of every text that has none from it yet, or labels by the
pipeline's built-in rules where no model is configured; rules never replace what a model said. Every answer is kept at once, so nothing is asked twice, also
after a kill or when another model was asked in between. The first request goes alone and shows what requests really cost; a run stops before it would spend
more than MEKONG_LABEL_BUDGET_CENTS. What got no label is a dead letter and is asked again by the next run. The platform must not be running on this home;
there, "mekong run" does the same.`,
  options: {
    'dry-run': {
      type: 'boolean',
      doc: 'Show calls, tokens and cost, and ask nothing.',
    },
  },
  examples: [
    ['mekong enrich ott --dry-run', 'what it would cost'],
    ['mekong enrich ott', 'label the searches that have no label yet'],
  ],

  async run(context) {
    const { args, options, terminal, signal } = context
    const project = await loadProject(context)
    const plan = project.plans.find(({ name }) => name === args[0])
    if (plan === undefined || plan.labels.length === 0) {
      const known = project.plans.filter(({ labels }) => labels.length > 0).map(({ name }) => name)
      throw new UsageError(
        `Name a pipeline that has labels: ${known.join(', ') || 'there is none'}`,
      )
    }
    return withPlatform(
      context,
      project,
      async (platform) => {
        if (options['dry-run'] === true) {
          const estimates = await platform.estimateLabels(plan, signal)
          const rows = plan.labels.map(({ name }, index) => ({ table: name, ...estimates[index]! }))
          if (options.json === true)
            terminal.printJson({ ok: true, estimates: rows.map(inSnakeCase) })
          else terminal.print(estimateTable(rows))
          return EXIT.ok
        }
        const { runner, clock } = platform
        const selectors = plan.labels.map(({ name }) => name)
        const run = await runner.start(
          requestOf({ pipeline: plan.name, trigger: 'manual', selectors }, clock.nowMs()),
        )
        const stop = () => void runner.stop()
        signal.addEventListener('abort', stop, { once: true })
        const ended = await runner.ended(run!.id)
        const tasks = ended.tasks.map(runTaskView)
        const ok = ended.run.status === 'succeeded'
        if (options.json === true) terminal.printJson({ ok, tasks })
        else terminal.print(tasksText(tasks))
        return ok ? EXIT.ok : EXIT.failed
      },
      {},
      { openGateway: false },
    )
  },
}

type EstimateRow = LabelEstimate & { readonly table: string }

const inSnakeCase = ({ tokensIn, tokensOut, costUsd, budgetUsd, ...rest }: EstimateRow) => ({
  ...rest,
  ...{ tokens_in: tokensIn, tokens_out: tokensOut, cost_usd: costUsd, budget_usd: budgetUsd },
})

const estimateTable = (rows: readonly EstimateRow[]) =>
  tableText(
    ['table', 'labels by', 'texts', 'calls', 'tokens in', 'tokens out', 'about USD', 'budget USD'],
    rows.map((r) => [
      ...[r.table, r.classifier, r.keywords, r.calls, r.tokensIn, r.tokensOut],
      ...[r.costUsd.toFixed(4), r.budgetUsd],
    ]),
  )
