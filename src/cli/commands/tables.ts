import { tableView, versionView } from '../../api/views.ts'
import { type Command, EXIT } from '../command.ts'
import { bytesText, timeText } from '../numbers.ts'
import { nothingYet, withHome } from '../with-home.ts'

export const tables: Command = {
  name: 'tables',
  summary: 'list the tables of the lake',
  usage: 'tables',
  about: `
Shows each table of the lake, Delta Lake and Apache Iceberg alike, with its rows, files, size, version and the time of its last commit. Reads the tables themselves, so it works
while a platform runs here and while none does.`,
  options: {},
  examples: [
    ['mekong tables', 'what is in the lake'],
    ['mekong describe bronze.user_events', 'the columns of one of them'],
    ['mekong sql "select * from bronze.user_events limit 5"', 'its rows'],
  ],

  run: (context) =>
    withHome(context, async (reader) => {
      const { terminal, options } = context
      const found = await reader.lake.list()
      const readable = found.flatMap((table) => (table.status === 'readable' ? [table] : []))
      const unreadable = found.flatMap((table) => (table.status === 'readable' ? [] : [table]))
      if (options.json === true) terminal.printJson({ tables: found.map(tableView) })
      else if (found.length === 0) terminal.print(nothingYet(reader, 'tables'))
      else {
        terminal.table(
          ['table', 'format', 'rows', 'files', 'size', 'version', 'last commit (UTC)'],
          readable.map((table) => [
            table.name,
            table.format,
            table.rows ?? null,
            table.files,
            bytesText(table.bytes),
            versionView(table.version),
            table.committedMs === undefined
              ? null
              : timeText(new Date(table.committedMs).toISOString()),
          ]),
        )
        for (const { name, problem } of unreadable) terminal.note(`${name}: ${problem}`)
      }
      return unreadable.length === 0 ? EXIT.ok : EXIT.failed
    }),
}
