import type { LedgerView } from '../../api/views.ts'
import { optionalArgument } from '../arguments.ts'
import { type Command, EXIT, UsageError } from '../command.ts'
import { currentLedger } from '../current-ledger.ts'
import type { Terminal } from '../terminal.ts'
import { nothingYet, withHome } from '../with-home.ts'

export const ledger: Command = {
  name: 'ledger',
  summary: 'prove that no record is missing: what became of each at every hop',
  usage: 'ledger [PIPELINE]',
  about: `
One line for each hop: in = out + filtered + duplicates + dead + in flight, and what that leaves over is missing. Rows and dead letters are also
counted where they lie. Exit code 1 when a line does not balance. Asks the running platform (set MEKONG_API_KEY when it has keys);
where none runs, it reads the log, the lake and the stores.`,
  options: {},
  examples: [
    ['mekong ledger', 'every pipeline'],
    ['mekong ledger user-events --json', 'one, for a script'],
  ],

  run: (context) =>
    withHome(context, async (reader, { plans }) => {
      const { terminal, options } = context
      const pipeline = optionalArgument(context, 'one pipeline')
      if (pipeline !== undefined && !plans.some(({ name }) => name === pipeline)) {
        throw new UsageError(
          `There is no pipeline "${pipeline}". There are: ${plans.map(({ name }) => name).join(', ')}.`,
        )
      }
      const wanted = plans.filter(({ name }) => pipeline === undefined || name === pipeline)
      const view = await currentLedger(context, reader, wanted)
      if (options.json === true) terminal.printJson({ ok: view.balanced, ...view })
      else if (view.lines.length === 0) terminal.print(nothingYet(reader, 'records'))
      else printLedger(terminal, view)
      return view.balanced ? EXIT.ok : EXIT.failed
    }),
}

function printLedger(terminal: Terminal, { lines, balanced }: LedgerView): void {
  terminal.table(
    ['pipeline', 'hop', 'in', 'out', 'filtered', 'duplicates', 'dead', 'in flight', 'missing', ''],
    lines.map((line) => [
      line.pipeline,
      line.hop,
      line.in,
      line.out,
      line.filtered,
      line.duplicates,
      line.dead,
      line.in_flight,
      line.missing,
      line.balanced ? 'balanced' : 'DOES NOT BALANCE',
    ]),
  )
  for (const { pipeline, hop, disagreement } of lines) {
    if (disagreement !== undefined) terminal.print(`${pipeline} / ${hop}: ${disagreement}`)
  }
  terminal.print(balanced ? '\nEverything balances.' : '\nThe ledger does not balance.')
}
