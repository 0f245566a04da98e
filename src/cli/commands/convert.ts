import { formatName } from '../../flow/lake-catalog.ts'
import type { TableFormat } from '../../flow/table-door.ts'
import { TableMissingError } from '../../lake/errors.ts'
import { type Command, EXIT, UsageError } from '../command.ts'
import { bytesText } from '../numbers.ts'
import { withHome } from '../with-home.ts'
import { DRY_RUN } from '../with-table.ts'

const FORMATS: readonly TableFormat[] = ['delta', 'iceberg']

export const convert: Command = {
  name: 'convert',
  summary: 'make a table of the other format over the same data files',
  usage: 'convert delta|iceberg TABLE [--dry-run]',
  about: `
Writes the metadata of the other format beside the table's own, over the same data files: no row is copied, and either can then be read. Its
history begins at the conversion, and the two know nothing of each other's later commits, so write to one of them and let only that one vacuum.
What the other format cannot tell (column mapping, equality deletes, partition transforms, …) is named, and nothing is written. TABLE is
layer.table or the path of a folder; an Iceberg table made of a table of the lake is in the lake's catalog under the same name.`,
  options: DRY_RUN,
  examples: [
    [
      'mekong convert iceberg bronze.user_events --dry-run',
      'whether it can be, and how many files',
    ],
    ['mekong convert iceberg bronze.user_events', 'an Iceberg table of it'],
    [`mekong sql "from iceberg('bronze.user_events')"`, 'read by the new metadata'],
  ],

  async run(context) {
    const { args, options, terminal, signal, cwd } = context
    const [to, place, ...rest] = args
    const target = FORMATS.find((format) => format === to)
    if (target === undefined)
      throw new UsageError('Say into what: "convert delta" or "convert iceberg"')
    if (place === undefined || rest.length > 0) throw new UsageError('Name one table')
    const source = target === 'delta' ? 'iceberg' : 'delta'
    return withHome(context, async (reader) => {
      const places = reader.places(cwd)
      const table = await places.door(place, source).catch(async (error) => {
        if (!(error instanceof TableMissingError)) throw error
        // Where it is a table of the target's format already, that is what to say.
        await places.door(place, target)
        throw new UsageError(`${place} is a table of ${formatName(target)} already`)
      })
      const outcome = await table.convert({ dryRun: options['dry-run'] === true }, signal)
      const isDone = outcome.status === 'created' || outcome.status === 'planned'
      if (options.json === true) {
        const sizes = isDone ? { files: outcome.fileCount, bytes: outcome.bytes } : {}
        terminal.printJson({
          ok: isDone,
          table: place,
          to: target,
          status: outcome.status,
          ...sizes,
        })
      } else if (isDone) {
        const did = outcome.status === 'planned' ? 'can become' : 'is now also'
        terminal.print(
          `${place} ${did} a table of ${formatName(target)}, over the same ${outcome.fileCount} files (${bytesText(outcome.bytes)}).`,
        )
      } else if (outcome.status === 'exists') {
        terminal.print(
          `${place} has metadata of ${formatName(target)} already; nothing was changed.`,
        )
      } else {
        terminal.print(
          `${place}: no answer came. Look whether the table is there before trying again.`,
        )
      }
      return isDone ? EXIT.ok : EXIT.failed
    })
  },
}
