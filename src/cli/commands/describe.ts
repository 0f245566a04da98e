import { type TableDetailView, tableDetailView } from '../../api/views.ts'
import { onlyArgument } from '../arguments.ts'
import { type Command, EXIT } from '../command.ts'
import { bytesText, timeText } from '../numbers.ts'
import type { Terminal } from '../terminal.ts'
import { withHome } from '../with-home.ts'

export const describe: Command = {
  name: 'describe',
  summary: 'show the columns, partitioning and properties of a table',
  usage: 'describe TABLE',
  about: `
Shows what a table of the lake is: its columns with types and meaning, how it is partitioned, its properties and its size. Columns that begin
with an underscore say where each row came from.`,
  options: {},
  examples: [['mekong describe bronze.user_events', 'what is in it']],

  run: (context) =>
    withHome(context, async (reader) => {
      const { terminal, options } = context
      const name = onlyArgument(context, 'the table')
      const view = await tableDetailView(name, await reader.lake.snapshot(name))
      if (options.json === true) terminal.printJson(view)
      else printTable(terminal, view)
      return EXIT.ok
    }),
}

function printTable(terminal: Terminal, view: TableDetailView): void {
  const { rows, files, bytes, version } = view
  const counted = rows === null ? 'rows not counted' : `${rows} rows`
  terminal.print(
    [
      `${view.name}: ${view.format === 'delta' ? 'Delta' : 'Iceberg'} table, version ${version}, ${counted} in ${files} files, ${bytesText(bytes)}`,
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
