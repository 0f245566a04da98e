import { type Command, EXIT } from '../command.ts'
import { durationOption, wholeNumber } from '../numbers.ts'
import { DRY_RUN, FORMAT, filesText, printFiles, progressLine, withTable } from '../with-table.ts'

export const vacuum: Command = {
  name: 'vacuum',
  summary: 'remove files that no state of a table needs',
  usage: 'vacuum TABLE [--older-than TIME] [--max-files N] [--dry-run]',
  about: `
Removes files below the table's folder that nothing refers to: of Delta tables what was removed from the table long enough ago, of both formats
what writers that died have left. A file younger than --older-than is never touched, whoever wrote it, so that a slow writer loses nothing; times
below the table's own (a week for Delta) are refused unless --short-age says that nobody writes now, and for Iceberg nothing younger than an
hour ever goes. What is gone cannot be restored, so look with --dry-run first.`,
  options: {
    'older-than': {
      type: 'string',
      value: 'TIME',
      doc: 'Only files older than this, such as 30d (default: Delta the table says, else 7d; Iceberg 3d).',
    },
    'short-age': {
      type: 'boolean',
      doc: "Take an --older-than below the Delta table's own; nobody may be writing or reading old versions.",
    },
    'max-files': { type: 'string', value: 'N', doc: 'Remove at most so many; the rest is left.' },
    ...FORMAT,
    ...DRY_RUN,
  },
  examples: [
    ['mekong vacuum bronze.user_events --dry-run', 'what would go'],
    ['mekong vacuum bronze.user_events --older-than 30d', 'what is a month old'],
  ],

  run: (context) =>
    withTable(context, async (table) => {
      const { options, terminal, signal } = context
      const dryRun = options['dry-run'] === true
      const ageMinMs = durationOption(options['older-than'], '--older-than')
      const fileCountMax = wholeNumber(options['max-files'], '--max-files')
      const { files, bytes, isPartial } = await table.vacuum(
        {
          ...(ageMinMs === undefined ? {} : { ageMinMs }),
          ...(fileCountMax === undefined ? {} : { fileCountMax }),
          allowsShortAge: options['short-age'] === true,
          dryRun,
          onProgress: progressLine(context, 'files removed'),
        },
        signal,
      )
      terminal.progress('')
      if (options.json === true) {
        const view = { dry_run: dryRun, files, bytes, more: isPartial }
        terminal.printJson({ ok: true, table: table.name, ...view })
      } else {
        const did = dryRun ? 'would go' : 'are gone'
        const more = isPartial ? ' There are more; run it again.' : ''
        terminal.print(`${table.name}: ${filesText(files, bytes)} ${did}.${more}`)
        if (dryRun) printFiles(terminal, files)
      }
      return EXIT.ok
    }),
}
