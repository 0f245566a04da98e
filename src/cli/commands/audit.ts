import { type AuditView, auditView } from '../../api/access-views.ts'
import type { AuditOutcome } from '../../model/access.ts'
import { type Command, EXIT, UsageError } from '../command.ts'
import { textOption, timeText, wholeNumber } from '../numbers.ts'
import { nothingYet, withHome } from '../with-home.ts'

const LIST_SIZE = 50
const OUTCOMES: readonly AuditOutcome[] = ['begun', 'done', 'failed', 'refused']

export const audit: Command = {
  name: 'audit',
  summary: 'who did what to what, when, from where, and how it ended',
  usage: 'audit [--actor NAME] [--action WORD] [--outcome O] [--before ID] [--limit N]',
  about: `
Lists what keys, sessions of the console and commands on this home changed, and what they were refused, newest first. An action is written down
before it is begun: one that stays "begun" is under way, or was cut off with its process. Reading leaves no trace here, nor does sending records (the
ledger counts those). The newest 100,000 entries are kept, and 10,000 refusals. Commands are recorded under the user of the machine.`,
  options: {
    actor: { type: 'string', value: 'NAME', doc: 'Of this key or user only.' },
    action: { type: 'string', value: 'WORD', doc: 'Only this: "run.begin", or all of "run".' },
    outcome: { type: 'string', value: 'O', doc: `${OUTCOMES.join(', ')}.` },
    before: { type: 'string', value: 'ID', doc: 'Only entries older than this one.' },
    limit: { type: 'string', value: 'N', doc: `At most so many (default ${LIST_SIZE}).` },
  },
  examples: [
    ['mekong audit', 'the last ones'],
    ['mekong audit --action key', 'keys made and revoked'],
    ['mekong audit --outcome refused', 'who tried what they may not'],
  ],

  run: (context) =>
    withHome(context, async (reader) => {
      const { terminal, options } = context
      const outcome = OUTCOMES.find((known) => known === options.outcome)
      if (options.outcome !== undefined && outcome === undefined)
        throw new UsageError(`--outcome takes ${OUTCOMES.join(', ')}.`)
      const before = wholeNumber(options.before, '--before')
      const [actor, action] = [textOption(options.actor), textOption(options.action)]
      const state = await reader.state()
      const entries: readonly AuditView[] = (
        (await state?.audit({
          limit: wholeNumber(options.limit, '--limit') ?? LIST_SIZE,
          ...(actor === undefined ? {} : { actor }),
          ...(action === undefined ? {} : { action }),
          ...(outcome === undefined ? {} : { outcome }),
          ...(before === undefined ? {} : { before }),
        })) ?? []
      ).map(auditView)
      if (options.json === true) terminal.printJson({ entries })
      else if (entries.length === 0) terminal.print(nothingYet(reader, 'such entries'))
      else
        terminal.table(
          ['id', 'when (UTC)', 'who', 'by', 'from', 'action', 'on', 'outcome'],
          entries.map((entry) => [
            ...[entry.id, timeText(entry.at), entry.actor, entry.by, entry.address ?? ''],
            ...[entry.action, entry.subject, outcomeText(entry)],
          ]),
        )
      return EXIT.ok
    }),
}

const outcomeText = ({ outcome, detail }: AuditView): string =>
  detail === null ? outcome : `${outcome}: ${detail}`
