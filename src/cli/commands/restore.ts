import { versionView } from '../../api/views.ts'
import { type Command, EXIT, UsageError } from '../command.ts'
import { POINT_OPTIONS, pointOption } from '../table-point.ts'
import { DRY_RUN, FORMAT, withTable } from '../with-table.ts'

export const restore: Command = {
  name: 'restore',
  summary: 'make a table what it was, by a new commit',
  usage: 'restore TABLE --version V | --at TIME [--dry-run]',
  about: `
Brings the rows of an earlier version back. Nothing is lost by it: what the table is now stays in its history, so a restore can be restored. Files of that
version must still be there ("mekong vacuum" and "mekong expire" remove old ones). How far applications have come is kept, so that no stream
writes again what it wrote: rows that were restored away do not come back by themselves.`,
  options: { ...POINT_OPTIONS, ...FORMAT, ...DRY_RUN },
  examples: [
    ['mekong history bronze.user_events', 'the versions there are'],
    ['mekong restore bronze.user_events --version 12 --dry-run', 'what would change'],
    ['mekong restore ./sales --at 2026-01-31T12:00:00Z', 'as of a moment'],
  ],

  run: (context) =>
    withTable(context, async (table) => {
      const { options, terminal, signal } = context
      const dryRun = options['dry-run'] === true
      const point = pointOption(options)
      if (point === undefined) throw new UsageError('Give --version or --at')
      const report = await table.restore(point, { dryRun }, signal)
      const { status, filesAdded, filesRemoved, message } = report
      const isDone = message === undefined
      const restored = versionView(report.restored)
      const version = versionView(report.version)
      if (options.json === true) {
        terminal.printJson({
          ...{ ok: isDone, table: table.name, dry_run: dryRun, status, restored, version },
          ...{ files_added: filesAdded, files_removed: filesRemoved, message: message ?? null },
        })
      } else if (!isDone) {
        terminal.print(`${table.name} was not restored: ${message}.`)
      } else if (status === 'unchanged') {
        terminal.print(`${table.name} is what it was at ${restored}; nothing was done.`)
      } else {
        const did = dryRun ? 'would be restored to' : 'is restored to'
        const files = `${filesAdded} files come back and ${filesRemoved} go`
        const now = dryRun
          ? ''
          : `, as ${table.format === 'delta' ? 'version' : 'snapshot'} ${version}`
        terminal.print(`${table.name} ${did} ${restored}${now}: ${files}.`)
      }
      return isDone ? EXIT.ok : EXIT.failed
    }),
}
