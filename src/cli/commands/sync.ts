import type { SourceCheck } from '../../flow/check-syncs.ts'
import { homeAt, homeUse } from '../../orchestrator/home.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { loadProject } from '../project.ts'
import { askedOf } from '../running-platform.ts'
import { tableText } from '../terminal.ts'
import { withPlatform } from '../with-platform.ts'

export const sync: Command = {
  name: 'sync',
  summary: 'compare stores with the tables they follow, and mend what differs',
  usage: 'sync check [PIPELINE[/SYNC]] [--repair]',
  about: `
Reads back what each store holds, and compares it with its lake tables by counts and checksums over ranges of ids, as of the version that the store was
last brought to. Ranges that differ are looked at item by item. With --repair what is missing or different is put, and what is surplus
removed. To bring stores up to the newest version use "mekong run sync/PIPELINE/SYNC"; with --full-refresh it fills them anew from nothing.
Exit code 1 when something differs and was not mended.`,
  options: {
    repair: { type: 'boolean', doc: 'Mend what differs.' },
  },
  examples: [
    ['mekong sync check', 'every store'],
    ['mekong sync check catalog/graph --repair', 'mend one of them'],
  ],

  async run(context) {
    const [verb, only, ...rest] = context.args
    if (verb !== 'check' || rest.length > 0)
      throw new UsageError('Say "mekong sync check", with a pipeline or PIPELINE/SYNC if you like.')
    const checks = await checked(context, only)
    if (context.options.json === true) context.terminal.printJson({ checks })
    else context.terminal.print(checksText(checks))
    return checks.some(({ status }) => status === 'different') ? EXIT.failed : EXIT.ok
  },
}

async function checked(
  context: CommandContext,
  only: string | undefined,
): Promise<readonly SourceCheck[]> {
  const repair = context.options.repair === true
  const project = await loadProject(context)
  const names = project.plans.flatMap(({ name, syncs }) => [
    name,
    ...syncs.map((each) => `${name}/${each.name}`),
  ])
  if (only !== undefined && !names.includes(only))
    throw new UsageError(`There is no "${only}". There are: ${names.join(', ')}`)
  const use = homeUse(homeAt(project.homeFolder))
  if (use.status === 'running') {
    const body = { repair, ...(only === undefined ? {} : { only }) }
    const question = { method: 'POST', path: '/v1/syncs/check', body } as const
    return (await askedOf<{ checks: SourceCheck[] }>(use.running, context, question)).checks
  }
  return withPlatform(
    context,
    project,
    (platform) => platform.checkSyncs({ only, repair, signal: context.signal }),
    {},
    { openGateway: false },
  )
}

function checksText(checks: readonly SourceCheck[]): string {
  if (checks.length === 0) return 'No pipeline has a sync.'
  return tableText(
    ['sync', 'table', 'status', 'behind', 'items', 'missing', 'surplus', 'different', 'mended'],
    checks.map((check) => {
      const sum = (pick: (c: SourceCheck['collections'][number]) => number) =>
        check.collections.reduce((total, each) => total + pick(each), 0)
      return [
        ...[check.sync, check.table, check.status, check.behind, sum((c) => c.found)],
        ...[sum((c) => c.missing), sum((c) => c.surplus), sum((c) => c.different), check.mended],
      ]
    }),
  )
}
