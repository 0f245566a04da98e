import { commitView } from '../../api/views.ts'
import { onlyArgument } from '../arguments.ts'
import { type Command, EXIT } from '../command.ts'
import { timeText, wholeNumber } from '../numbers.ts'
import { withHome } from '../with-home.ts'
import { FORMAT, formatOption } from '../with-table.ts'

const LIMIT_DEFAULT = 20

export const history: Command = {
  name: 'history',
  summary: 'show the commits of a table, newest first',
  usage: 'history TABLE [--limit N]',
  about: `
Shows each version of a Delta table, or each snapshot of an Iceberg table: when it was committed, by what, and how many rows and files came with it. TABLE
is a name of the lake or the path of a folder. Every version can be read as it was for as long as its files are kept:
mekong sql "from bronze.user_events AT (VERSION => 3)".`,
  options: {
    ...FORMAT,
    limit: {
      type: 'string',
      value: 'N',
      doc: `At most so many commits (default ${LIMIT_DEFAULT}).`,
    },
  },
  examples: [
    ['mekong history bronze.user_events --limit 5', 'the last five commits'],
    ['mekong history /data/sales', 'a table by its folder'],
  ],

  run: (context) =>
    withHome(context, async (reader) => {
      const { terminal, options } = context
      const name = onlyArgument(context, 'the table')
      const limit = wholeNumber(options.limit, '--limit') ?? LIMIT_DEFAULT
      const door = await reader.places(context.cwd).door(name, formatOption(options))
      const commits = (await door.history(limit)).map(commitView)
      if (options.json === true) terminal.printJson({ name, commits })
      else
        terminal.table(
          ['version', 'committed (UTC)', 'operation', 'rows added', 'files added', 'files removed'],
          commits.map((commit) => [
            commit.version,
            timeText(commit.committed_at),
            commit.operation,
            commit.rows_added,
            commit.files_added,
            commit.files_removed,
          ]),
        )
      return EXIT.ok
    }),
}
