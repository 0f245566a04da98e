import { letterView } from '../../api/letter-views.ts'
import type { StoredLetter } from '../../state/letter-rows.ts'
import { type CommandContext, EXIT, UsageError } from '../command.ts'
import { textOption } from '../numbers.ts'
import { withHome } from '../with-home.ts'
import { withStateToChange } from './letter-state.ts'

/** `mekong dlq drop ID…` */
export function dropLetters(context: CommandContext): Promise<number> {
  return withHome(context, (reader) =>
    withStateToChange(reader, async (state) => {
      const { terminal, options, args } = context
      if (args.length === 0) throw new UsageError('Name the dead letters to drop.')
      const note = textOption(options.note)
      const dropped: StoredLetter[] = []
      for (const id of args) dropped.push(await state.drop(id, note))
      if (options.json === true) terminal.printJson({ ok: true, dropped: dropped.map(letterView) })
      else for (const { id } of dropped) terminal.print(`${id}: dropped, and kept`)
      return EXIT.ok
    }),
  )
}
