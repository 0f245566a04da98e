import type { LedgerLine } from '../api.ts'
import { plain } from '../format.ts'
import { useTurn } from '../live.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'

const COUNTS = ['in', 'out', 'filtered', 'duplicates', 'dead', 'in_flight', 'missing'] as const

/** What became of every record at every hop. */
export function LedgerPage() {
  const words = useWords()
  const turn = useTurn(3_000)
  const { answer, problem } = useAnswer<{ balanced: boolean; lines: LedgerLine[] }>(
    '/v1/ledger',
    turn,
  )
  if (problem !== undefined) return <p className="problem">{problem}</p>
  if (answer === undefined) return <p className="empty">{words('wait')}</p>
  return (
    <section>
      <header className="head">
        <h1>{words('ledger')}</h1>
        <span className={answer.balanced ? 'pill' : 'pill wrong'}>
          {words(answer.balanced ? 'balanced' : 'notBalanced')}
        </span>
        <code className="formula">in = out + filtered + duplicates + dead + in flight</code>
      </header>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>pipeline</th>
              <th>{words('hop')}</th>
              {COUNTS.map((count) => (
                <th key={count} className="number">
                  {words(count === 'in_flight' ? 'inFlight' : count)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {answer.lines.map((line) => (
              <tr key={`${line.pipeline} ${line.hop}`} className={line.balanced ? '' : 'wrong'}>
                <td>{line.pipeline}</td>
                <td>
                  {line.hop}
                  {line.disagreement === undefined ? null : <small>{line.disagreement}</small>}
                </td>
                {COUNTS.map((count) => (
                  <td key={count} className={line[count] === 0 ? 'number faint' : 'number'}>
                    {plain(line[count])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
