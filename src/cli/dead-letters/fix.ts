import { readFileSync } from 'node:fs'
import path from 'node:path'
import { letterView } from '../../api/letter-views.ts'
import { mendFields } from '../../flow/mend-value.ts'
import { previewLetter } from '../../flow/replay-decision.ts'
import { systemClock } from '../../model/clock.ts'
import { messageOf } from '../../model/errors.ts'
import type { StoredLetter } from '../../state/letter-rows.ts'
import { onlyArgument } from '../arguments.ts'
import { type CommandContext, EXIT, UsageError } from '../command.ts'
import { textOption } from '../numbers.ts'
import { withHome } from '../with-home.ts'
import { withStateToChange } from './letter-state.ts'
import { letterText } from './show.ts'

/** `mekong dlq fix ID …` */
export function fixLetter(context: CommandContext): Promise<number> {
  return withHome(context, (reader, { plans }) =>
    withStateToChange(reader, async (state) => {
      const { terminal, options } = context
      const letter = await state.find(onlyArgument(context, 'the dead letter'))
      const mended = mendedValue(context, letter)
      const kept = await state.fix(letter.id, mended, textOption(options.note))
      const engine = await reader.engine()
      const preview = await previewLetter({ plans, engine, clock: systemClock }, kept)
      if (options.json === true) {
        terminal.printJson({ ...letterView(kept), preview })
        return EXIT.ok
      }
      terminal.print(letterText(kept, preview))
      terminal.note(
        preview.status === 'dead' || preview.status === 'impossible'
          ? '\nKept, but it is not well yet: fix it again.'
          : `\nKept. Send it back with: mekong dlq replay ${kept.id}`,
      )
      return EXIT.ok
    }),
  )
}

function mendedValue(
  { options, lists, cwd }: CommandContext,
  { fixed, value }: StoredLetter,
): Uint8Array {
  const text = textOption(options.value)
  const file = textOption(options.file)
  const sets = lists.set ?? []
  const given = [text !== undefined, file !== undefined, sets.length > 0].filter(Boolean)
  if (given.length !== 1) {
    throw new UsageError(
      'Give the mended value in one way: --value TEXT, --file FILE or --set FIELD=JSON.',
    )
  }
  if (text !== undefined) return new TextEncoder().encode(text)
  if (file === undefined)
    return mendFields(fixed ?? value, Object.fromEntries(sets.map(assignment)))
  try {
    return readFileSync(path.resolve(cwd, file))
  } catch (error) {
    throw new UsageError(`--file ${file} cannot be read: ${messageOf(error)}`)
  }
}

function assignment(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`--set takes FIELD=JSON, not "${text}".`)
  return [text.slice(0, at), text.slice(at + 1)]
}
