import { type Command, EXIT } from '../command.ts'
import { durationOption, wholeNumber } from '../numbers.ts'
import { DRY_RUN, FORMAT, filesText, printFiles, progressLine, withTable } from '../with-table.ts'

export const expire: Command = {
  name: 'expire',
  summary: 'forget old states of a table',
  usage: 'expire TABLE [--older-than TIME] [--keep N] [--max N] [--dry-run]',
  about: `
Forgets what nobody should travel back to any more. Of an Iceberg table: snapshots older than --older-than, but for the newest --keep of each branch, and
every file that only they needed. Of a Delta table: log files that no kept version needs, up to a checkpoint; versions younger than --older-than
and the newest --keep stay, and data files go with "mekong vacuum". The newest state always stays. What is forgotten can
no longer be read or restored, so look with --dry-run first.`,
  options: {
    'older-than': {
      type: 'string',
      value: 'TIME',
      doc: 'Age above which states go, such as 7d (default: the table says, else 5d for Iceberg, 30d for Delta).',
    },
    keep: {
      type: 'string',
      value: 'N',
      doc: 'States that stay, however old; of Iceberg, for each branch (default: the table says, else 1).',
    },
    max: {
      type: 'string',
      value: 'N',
      doc: 'Forget at most so many snapshots of Iceberg, or log files of Delta, the oldest first; the rest is left.',
    },
    ...FORMAT,
    ...DRY_RUN,
  },
  examples: [
    ['mekong expire silver.cities --dry-run', 'which snapshots and files would go'],
    ['mekong expire silver.cities --older-than 7d --keep 10', 'a week, but ten at least'],
  ],

  run: (context) =>
    withTable(context, async (table) => {
      const { options, terminal, signal } = context
      const dryRun = options['dry-run'] === true
      const ageMaxMs = durationOption(options['older-than'], '--older-than')
      const countMin = wholeNumber(options.keep, '--keep')
      const countMax = wholeNumber(options.max, '--max')
      const report = await table.expire(
        {
          ...(ageMaxMs === undefined ? {} : { ageMaxMs }),
          ...(countMin === undefined ? {} : { countMin }),
          ...(countMax === undefined ? {} : { countMax }),
          dryRun,
          onProgress: progressLine(context, 'files removed'),
        },
        signal,
      )
      terminal.progress('')
      const { status, snapshotIds, files, bytes, isPartial } = report
      const isDone = status === 'done' || status === 'planned'
      if (options.json === true) {
        const snapshots = snapshotIds.map(String)
        const view = { dry_run: dryRun, status, snapshots, files, bytes, more: isPartial }
        terminal.printJson({ ok: isDone, table: table.name, ...view })
      } else if (!isDone) {
        terminal.print(
          `${table.name}: others changed it meanwhile; nothing was forgotten. Try again.`,
        )
      } else {
        const what = table.format === 'iceberg' ? `${snapshotIds.length} snapshots, ` : ''
        const did = dryRun ? 'would go' : 'are gone'
        const more = isPartial ? ' There are more; run it again.' : ''
        terminal.print(`${table.name}: ${what}${filesText(files, bytes)} ${did}.${more}`)
        if (dryRun) printFiles(terminal, files)
      }
      return isDone ? EXIT.ok : EXIT.failed
    }),
}
