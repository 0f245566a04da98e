import type { FileSize, Progress, TableDoor, TableFormat } from '../flow/table-door.ts'
import type { HomeReader } from '../orchestrator/home-reader.ts'
import { onlyArgument } from './arguments.ts'
import { type CommandContext, type CommandOption, UsageError } from './command.ts'
import { bytesText } from './numbers.ts'
import type { Terminal } from './terminal.ts'
import { withHome } from './with-home.ts'

/** What every command that changes a table has. */
export const DRY_RUN = {
  'dry-run': {
    type: 'boolean',
    doc: 'Change nothing; list what would be done, with files and bytes.',
  },
} as const satisfies Record<string, CommandOption>

/** Which table is meant, where a folder holds metadata of both formats. */
export const FORMAT = {
  format: {
    type: 'string',
    value: 'FORMAT',
    doc: 'delta or iceberg, where a table is both after a conversion (default delta).',
  },
} as const satisfies Record<string, CommandOption>

/** @throws UsageError */
export function formatOption({ format }: CommandContext['options']): TableFormat | undefined {
  if (format === undefined || format === 'delta' || format === 'iceberg') return format
  throw new UsageError(`--format takes delta or iceberg, not ${JSON.stringify(format)}`)
}

/**
 * Work on the table that a command names, by `layer.table` or by path. Writing beside a running platform is safe: both formats settle by
 * their commits who was first.
 */
export async function withTable<T>(
  context: CommandContext,
  work: (table: TableDoor, reader: HomeReader) => Promise<T>,
): Promise<T> {
  const name = onlyArgument(context, 'the table')
  return withHome(context, async (reader) =>
    work(await reader.places(context.cwd).door(name, formatOption(context.options)), reader),
  )
}

/** A line of progress: what is done of how much. */
export function progressLine(
  { terminal }: CommandContext,
  what: string,
): (progress: Progress) => void {
  return ({ done, count, bytesDone }) =>
    terminal.progress(
      `${what}: ${done} of ${count}${bytesDone === undefined ? '' : `, ${bytesText(bytesDone)}`}`,
    )
}

/** Files with their sizes, largest first, as a table for people. */
export function printFiles(terminal: Terminal, files: readonly FileSize[]): void {
  if (files.length === 0) return
  terminal.table(
    ['file', 'size'],
    files.toSorted((a, b) => b.bytes - a.bytes).map(({ path, bytes }) => [path, bytesText(bytes)]),
  )
}

/** `12 files, 3.4 MiB` */
export const filesText = (files: readonly FileSize[], bytes: number): string =>
  `${files.length} ${files.length === 1 ? 'file' : 'files'}, ${bytesText(bytes)}`
