import { versionView } from '../../api/views.ts'
import type { OptimizeReport } from '../../flow/table-door.ts'
import { parsePredicate } from '../../sql/duckdb/predicate-text.ts'
import { type Command, type CommandContext, EXIT } from '../command.ts'
import { bytesOption, bytesText, namesOption, textOption, wholeNumber } from '../numbers.ts'
import { DRY_RUN, FORMAT, printFiles, progressLine, withTable } from '../with-table.ts'

export const optimize: Command = {
  name: 'optimize',
  summary: 'write the files of a table anew, so that reading is cheaper',
  usage:
    'optimize TABLE [--sort A,B | --z-order A,B | --manifests] [--where CONDITION] [--budget SIZE] [--dry-run]',
  about: `
Packs small files into large ones and leaves out rows that were only marked as deleted; no row changes, and writers are not held up. With
--sort or --z-order the rows are laid by those columns, so that a filter on them reads few files: --sort for one column that is asked for
most, --z-order for two to four that are asked for alike. Each group of files is a commit of its own, so what is done stays done when the budget, or the
process, ends. The old files stay until "mekong vacuum". TABLE is layer.table or the path of a Delta or Iceberg table.`,
  options: {
    'target-size': { type: 'string', value: 'SIZE', doc: 'Size to pack files to (default 128MB).' },
    'min-files': {
      type: 'string',
      value: 'N',
      doc: 'So many files at least make a group worth writing (default 2).',
    },
    sort: { type: 'string', value: 'A,B', doc: 'Lay rows by these columns; writes all files.' },
    'z-order': {
      type: 'string',
      value: 'A,B',
      doc: 'Lay rows along a Z-order curve over these columns; writes all files.',
    },
    where: {
      type: 'string',
      value: 'CONDITION',
      doc: `Only partitions for which this holds: "event_date >= '2026-01-01'".`,
    },
    manifests: {
      type: 'boolean',
      doc: "Write an Iceberg table's lists of files into few, for faster planning, and leave the files.",
    },
    budget: { type: 'string', value: 'SIZE', doc: 'Read no more than this; the rest is left.' },
    ...FORMAT,
    ...DRY_RUN,
  },
  examples: [
    ['mekong optimize bronze.user_events --dry-run', 'what would be packed'],
    ['mekong optimize bronze.user_events --z-order user_id,movie_id', 'lay by two columns'],
    [
      `mekong optimize ./sales --where "day >= '2026-01-01'" --budget 2GB`,
      'the newest days, as far as 2 GB go',
    ],
  ],

  run: (context) =>
    withTable(context, async (table, reader) => {
      const { options, terminal, signal } = context
      const dryRun = options['dry-run'] === true
      const condition = textOption(options.where)
      const engine = await reader.engine()
      const connection = await engine.connection()
      const { columns } = await table.state()
      const where =
        condition === undefined ? undefined : await parsePredicate(connection, condition, columns)
      connection.close()
      const report = await table.optimize(
        {
          ...defined({
            where,
            fileBytesTarget: bytesOption(options['target-size'], '--target-size'),
            fileCountMin: wholeNumber(options['min-files'], '--min-files'),
            sortBy: namesOption(options.sort, '--sort'),
            zOrderBy: namesOption(options['z-order'], '--z-order'),
            bytesMax: bytesOption(options.budget, '--budget'),
          }),
          ...(options.manifests === true ? { isOfManifests: true } : {}),
          dryRun,
          onProgress: progressLine(context, 'groups written'),
        },
        signal,
      )
      terminal.progress('')
      if (options.json === true) terminal.printJson(reportView(table.name, report, dryRun))
      else print(context, table.name, report, dryRun)
      return failures(report).length === 0 ? EXIT.ok : EXIT.failed
    }),
}

/** Without members that are undefined. */
function defined<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as never
}

const failures = ({ groups }: OptimizeReport) =>
  groups.filter(({ status }) => status === 'conflict' || status === 'unknown')

function reportView(name: string, { version, groups }: OptimizeReport, dryRun: boolean) {
  return {
    ok: failures({ version, groups }).length === 0,
    table: name,
    dry_run: dryRun,
    version: versionView(version),
    groups: groups.map(({ status, files, bytes, addedFileCount, addedBytes }) => ({
      status,
      files,
      bytes,
      added_files: addedFileCount,
      added_bytes: addedBytes,
    })),
  }
}

const STATUS_TEXT = {
  committed: 'written',
  planned: 'would be written',
  over_budget: 'left: over budget',
  conflict: 'left: others changed the files meanwhile',
  unknown: 'unknown: the store gave no answer',
} as const

function print(
  { terminal }: CommandContext,
  name: string,
  { groups }: OptimizeReport,
  dryRun: boolean,
): void {
  if (groups.length === 0) {
    terminal.print(`${name} is in good shape: there is nothing to pack.`)
    return
  }
  terminal.table(
    ['group', 'files', 'size', 'new files', 'new size', 'what'],
    groups.map(({ status, files, bytes, addedFileCount, addedBytes }, index) => [
      String(index + 1),
      files.length,
      bytesText(bytes),
      status === 'committed' ? addedFileCount : null,
      status === 'committed' ? bytesText(addedBytes) : null,
      STATUS_TEXT[status],
    ]),
  )
  if (!dryRun) return
  terminal.print('')
  printFiles(
    terminal,
    groups.flatMap(({ files }) => files),
  )
}
