import { letterView } from '../../api/letter-views.ts'
import { instant } from '../../api/views.ts'
import { type CommandContext, EXIT } from '../command.ts'
import { timeText, wholeNumber } from '../numbers.ts'
import { withHome } from '../with-home.ts'
import { chosenLetters, wantedStatuses } from './letter-filter.ts'

const LIMIT_DEFAULT = 100

/** `mekong dlq list` */
export function listLetters(context: CommandContext): Promise<number> {
  return withHome(context, async (reader) => {
    const { terminal, options } = context
    const limit = wholeNumber(options.limit, '--limit') ?? LIMIT_DEFAULT
    const statuses = wantedStatuses(context)
    const state = await reader.state()
    const letters =
      state === undefined ? [] : await chosenLetters(state, context, { statuses, limit })
    const counts = (await state?.counts()) ?? []
    if (options.json === true) {
      terminal.printJson({ dead_letters: letters.map(letterView), counts })
      return EXIT.ok
    }
    if (letters.length === 0) {
      const others = counts.reduce((sum, count) => sum + count.letters, 0)
      terminal.print(
        others === 0
          ? 'There are no dead letters. Nothing was turned away.'
          : `There are no such dead letters; ${others} are kept in all (--status all shows them).`,
      )
      return EXIT.ok
    }
    terminal.table(
      [
        'id',
        'pipeline',
        'hop',
        'reason',
        'status',
        'attempts',
        'first seen (UTC)',
        'what is wrong',
      ],
      letters.map((letter) => [
        letter.id,
        letter.pipeline,
        letter.hop,
        letter.reason,
        letter.status,
        letter.attempts,
        timeText(instant(letter.firstSeenMs)),
        letter.message,
      ]),
    )
    if (letters.length === limit) terminal.note(`Only ${limit} are shown; --limit shows more.`)
    return EXIT.ok
  })
}
