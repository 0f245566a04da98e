import { letterView } from '../../api/letter-views.ts'
import { instant } from '../../api/views.ts'
import { type LetterPreview, previewLetter } from '../../flow/replay-decision.ts'
import { systemClock } from '../../model/clock.ts'
import type { StoredLetter } from '../../state/letter-rows.ts'
import { onlyArgument } from '../arguments.ts'
import { type CommandContext, EXIT } from '../command.ts'
import { timeText } from '../numbers.ts'
import { valueBlock } from '../value-text.ts'
import { withHome } from '../with-home.ts'
import { stateToRead } from './letter-state.ts'

/** `mekong dlq show ID` */
export function showLetter(context: CommandContext): Promise<number> {
  return withHome(context, async (reader, { plans }) => {
    const { terminal, options } = context
    const id = onlyArgument(context, 'the dead letter')
    const letter = await (await stateToRead(reader)).find(id)
    const engine = await reader.engine()
    const preview = await previewLetter({ plans, engine, clock: systemClock }, letter)
    if (options.json === true) terminal.printJson({ ...letterView(letter), preview })
    else terminal.print(letterText(letter, preview))
    return EXIT.ok
  })
}

/** A letter for people. */
export function letterText(letter: StoredLetter, preview: LetterPreview): string {
  const { partition, offset, topic } = letter
  const place =
    partition < 0 ? `${topic}, turned away before the log` : `${topic}/${partition}/${offset}`
  const headers = Object.entries(letter.headers).map(([name, value]) => `${name}=${value}`)
  const facts: (readonly [string, string | null])[] = [
    ['dead letter', letter.id],
    ['status', letter.status + (letter.replayedTo === null ? '' : `, to ${letter.replayedTo}`)],
    ['where', `${letter.pipeline} / ${letter.hop}, ${place}`],
    ['record id', letter.recordId || null],
    ['key', letter.key],
    ['arrived', `${timeText(instant(letter.arrivedMs))} UTC`],
    ['attempts', String(letter.attempts)],
    ['headers', headers.join(', ') || null],
    ['note', letter.note],
    ['reason', letter.reason],
  ]
  return [
    ...facts.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(12)}${value}`])),
    ...block('what is wrong', letter.message),
    ...block(`value, ${letter.value.length} bytes`, valueBlock(letter.value)),
    ...(letter.fixed === null
      ? []
      : block(`mended, ${letter.fixed.length} bytes`, valueBlock(letter.fixed))),
    ...(letter.status === 'replayed' ? [] : block('if it were replayed now', previewText(preview))),
  ].join('\n')
}

/** What a preview says, for people. */
export function previewText(preview: LetterPreview): string {
  switch (preview.status) {
    case 'row':
      return `it would become the row ${JSON.stringify(preview.row)}`
    case 'filtered':
      return 'it would be filtered out, as its pipeline wants'
    case 'dead':
      return `it would die again (${preview.reason}): ${preview.message}`
    case 'impossible':
      return preview.message
  }
}

const block = (title: string, text: string): string[] => [
  '',
  `${title}:`,
  ...text.split('\n').map((line) => `  ${line}`),
]
