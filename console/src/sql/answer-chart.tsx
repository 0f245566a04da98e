import { useState } from 'react'
import type { Answer, ChartShape } from '../api.ts'
import { Chart } from '../charts/chart.tsx'
import { momentOf } from '../format.ts'
import { useWords, type Word } from '../text.ts'

const KINDS = {
  bar: 'kindBar',
  line: 'kindLine',
  area: 'kindArea',
  list: 'kindLies',
} as const satisfies Record<string, Word>
type Kind = keyof typeof KINDS

const isNumber = (type: string) => /INT|DOUBLE|FLOAT|DECIMAL|REAL/.test(type)

/** Whether there is anything to draw. */
export const canBeChart = ({ columns, rows }: Answer): boolean =>
  rows.length > 1 && columns.length > 1 && columns.some(({ type }) => isNumber(type))

/** An answer as a chart: as it lends itself at first, and then as one likes. */
export function AnswerChart({ answer }: { readonly answer: Answer }) {
  const words = useWords()
  const { columns, rows } = answer
  const numbers = columns.filter(({ type }) => isNumber(type)).map(({ name }) => name)
  const first = columns.find(({ name }) => name !== numbers.at(-1))?.name ?? columns[0]!.name
  const isTime = momentOf(rows[0]?.[columns.findIndex(({ name }) => name === first)]) !== undefined
  const [x, setX] = useState(first)
  const [ys, setYs] = useState<readonly string[]>(() => {
    const others = numbers.filter((name) => name !== first)
    return isTime ? others : others.slice(0, 1)
  })
  const [kind, setKind] = useState<Kind>(isTime ? 'line' : rows.length > 16 ? 'bar' : 'list')
  const shape: ChartShape =
    kind === 'list' ? { kind: 'bar', x, y: ys, lies: true } : { kind, x, y: ys }
  const toggle = (name: string) =>
    setYs(ys.includes(name) ? ys.filter((each) => each !== name) : [...ys, name])
  return (
    <article className="card">
      <div className="row chart-shape">
        <select
          aria-label={words('chartKind')}
          value={kind}
          onChange={(event) => setKind(event.target.value as Kind)}
        >
          {Object.entries(KINDS).map(([each, word]) => (
            <option key={each} value={each}>
              {words(word)}
            </option>
          ))}
        </select>
        <label>
          {words('along')}{' '}
          <select value={x} onChange={(event) => setX(event.target.value)}>
            {columns.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <span className="choices">
          {words('up')}
          {numbers
            .filter((name) => name !== x)
            .map((name) => (
              <button
                key={name}
                type="button"
                aria-pressed={ys.includes(name)}
                onClick={() => toggle(name)}
              >
                {name}
              </button>
            ))}
        </span>
      </div>
      {ys.length === 0 ? null : <Chart show={shape} answer={answer} />}
    </article>
  )
}
