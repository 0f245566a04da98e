import { type TableDetailView, tableDetailView } from '../../api/views.ts'
import { formatName } from '../../flow/lake-catalog.ts'
import { onlyArgument } from '../arguments.ts'
import { type Command, EXIT } from '../command.ts'
import { bytesText, timeText } from '../numbers.ts'
import { POINT_OPTIONS, pointOption } from '../table-point.ts'
import type { Terminal } from '../terminal.ts'
import { withHome } from '../with-home.ts'
import { FORMAT, formatOption } from '../with-table.ts'

export const describe: Command = {
  name: 'describe',
  summary: 'show the columns, partitioning and properties of a table',
  usage: 'describe TABLE [--version V | --at TIME]',
  about: `
Shows what a table is: its columns with types and meaning, how it is partitioned, its properties and its size, now or as it was. TABLE is a name of the
lake, as layer.table, or the path of a folder with a Delta or Iceberg table. Columns that begin with an underscore say where each row came from.`,
  options: { ...POINT_OPTIONS, ...FORMAT },
  examples: [
    ['mekong describe bronze.user_events', 'what is in it'],
    ['mekong describe ./sales --at 2026-01-31', 'a table by its folder, as it was'],
  ],

  run: (context) =>
    withHome(context, async (reader) => {
      const { terminal, options } = context
      const name = onlyArgument(context, 'the table')
      const door = await reader.places(context.cwd).door(name, formatOption(options))
      const view = await tableDetailView(name, await door.state(pointOption(options)))
      if (options.json === true) terminal.printJson(view)
      else printTable(terminal, view)
      return EXIT.ok
    }),
}

function printTable(terminal: Terminal, view: TableDetailView): void {
  const { format, rows, files, bytes, version } = view
  const counted = rows === null ? 'rows not counted' : `${rows} rows`
  const word = format === 'delta' ? 'version' : 'snapshot'
  terminal.print(
    [
      `${view.name}: ${formatName(format)} table, ${word} ${version ?? 'none yet'}, ${counted} in ${files} files, ${bytesText(bytes)}`,
      ...(view.description === null ? [] : [view.description]),
      ...(view.created_at === null ? [] : [`created ${timeText(view.created_at)} UTC`]),
      `partitioned by ${view.partition_by.length === 0 ? 'nothing' : view.partition_by.join(', ')}`,
      '',
    ].join('\n'),
  )
  terminal.table(
    ['column', 'type', 'null', 'meaning'],
    view.columns.map(({ name, type, nullable, doc }) => [
      name,
      type,
      nullable ? 'yes' : 'no',
      doc ?? '',
    ]),
  )
  const properties = Object.entries(view.properties)
  if (properties.length === 0) return
  terminal.print('')
  terminal.table(['property', 'value'], properties)
}
