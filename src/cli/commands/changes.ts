import path from 'node:path'
import { changeQuery } from '../../flow/tables-to-sql.ts'
import { exportQuery, runQuery } from '../../sql/duckdb/query.ts'
import { type Command, EXIT, UsageError } from '../command.ts'
import { textOption, wholeNumber } from '../numbers.ts'
import { versionOption } from '../table-point.ts'
import { FORMAT, withTable } from '../with-table.ts'

const ROWS_DEFAULT = 1_000
const A_DAY_MS = 24 * 3_600_000

export const changes: Command = {
  name: 'changes',
  summary: 'show the rows that commits inserted, updated and deleted',
  usage: 'changes TABLE --from V [--to V] [--out FILE]',
  about: `
Shows what happened to a table's rows from one version to another, both included: every row with _change_type (insert, delete,
update_preimage, update_postimage), _commit_version and _commit_timestamp. Where a Delta table keeps a change data feed it is read; else the changes follow from the
files that came and went, and an update is a delete and an insert. Of an Iceberg table the versions are snapshot ids.`,
  options: {
    from: { type: 'string', value: 'V', doc: 'First version whose changes are wanted.' },
    to: { type: 'string', value: 'V', doc: 'Last version (default: the newest).' },
    ...FORMAT,
    rows: { type: 'string', value: 'N', doc: `Most rows to print (default ${ROWS_DEFAULT}).` },
    out: {
      type: 'string',
      value: 'FILE',
      doc: 'Write all rows into FILE.parquet, FILE.csv or FILE.json.',
    },
  },
  examples: [
    ['mekong changes bronze.user_events --from 12', 'what has happened since'],
    ['mekong changes ./sales --from 3 --to 3 --out changes.parquet', 'what one commit did'],
  ],

  run: (context) =>
    withTable(context, async (table, reader) => {
      const { options, terminal, signal, cwd } = context
      const from = textOption(options.from)
      if (from === undefined) throw new UsageError('Give --from; "mekong history" shows versions')
      const to = textOption(options.to)
      const plan = await table.changes(
        {
          from: versionOption(from, '--from'),
          ...(to === undefined ? {} : { to: versionOption(to, '--to') }),
        },
        signal,
      )
      const engine = await reader.engine()
      const query = await changeQuery(plan, engine)
      const rowCountMax = wholeNumber(options.rows, '--rows') ?? ROWS_DEFAULT
      const asked = { ...query, sandboxed: false, rowCountMax, timeoutMs: A_DAY_MS, signal }
      const out = textOption(options.out)
      if (out !== undefined) {
        const { rowCount } = await exportQuery(engine, { ...asked, path: path.resolve(cwd, out) })
        if (options.json === true) terminal.printJson({ ok: true, rows: rowCount, file: out })
        else terminal.print(`${rowCount} rows in ${out}`)
        return EXIT.ok
      }
      const { columns, rows, truncated } = await runQuery(engine, asked)
      const names = columns.map(({ name }) => name)
      if (options.json === true)
        terminal.printJson({
          table: table.name,
          changes: rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at]]))),
          more: truncated,
        })
      else {
        terminal.table(names, rows)
        terminal.note(`${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`)
      }
      if (truncated) terminal.note('There are more; --rows shows more, --out writes all.')
      return EXIT.ok
    }),
}
