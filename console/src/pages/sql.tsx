import { useMemo, useState } from 'react'
import { type Answer, type ChartShape, post, request } from '../api.ts'
import { Chart } from '../charts/chart.tsx'
import { Grid } from '../charts/grid.tsx'
import { Editor } from '../editor.tsx'
import { momentOf, plain } from '../format.ts'
import { usePlace } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'

const FIRST = `SELECT event_type, count(*) AS events
FROM bronze.user_events
GROUP BY event_type
ORDER BY events DESC`

interface Saved {
  readonly name: string
  readonly about: string
  readonly on: string
  readonly sql: string
}

/** Ask any table. */
export function Sql() {
  const words = useWords()
  const { query } = usePlace()
  const asked = query.get('ask')
  const [start, setStart] = useState(asked ?? FIRST)
  const [text, setText] = useState(start)
  const [answer, setAnswer] = useState<Answer>()
  const [problem, setProblem] = useState<string>()
  const [isAsking, setAsking] = useState(false)
  const [view, setView] = useState<'grid' | 'chart'>('grid')
  const names = useAnswer<{ tables: { name: string; columns: { name: string }[] }[] }>(
    '/v1/sql/names',
  )
  const saved = useAnswer<{ queries: Saved[] }>('/v1/queries')
  const known = useMemo(
    () =>
      Object.fromEntries(
        (names.answer?.tables ?? []).map((table) => [
          table.name,
          table.columns.map(({ name }) => name),
        ]),
      ),
    [names.answer],
  )
  const ask = () => {
    setAsking(true)
    post<Answer>('/v1/sql', { sql: text, rows: 2_000 })
      .then(
        (given) => {
          setAnswer(given)
          setProblem(undefined)
        },
        (error: Error) => setProblem(error.message),
      )
      .finally(() => setAsking(false))
  }
  const exportAs = async (format: string) => {
    try {
      const body = JSON.stringify({ sql: text, format })
      const file = await (await request('/v1/sql/export', { method: 'POST', body })).blob()
      const link = document.createElement('a')
      link.href = URL.createObjectURL(file)
      link.download = `rows.${format}`
      link.click()
      URL.revokeObjectURL(link.href)
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  const shape = answer === undefined ? undefined : shapeOf(answer)
  return (
    <section>
      <header className="head">
        <h1>SQL</h1>
        <select
          aria-label={words('saved')}
          value=""
          onChange={(event) => {
            const found = saved.answer?.queries.find(({ name }) => name === event.target.value)
            if (found === undefined) return
            setStart(found.sql)
            setText(found.sql)
          }}
        >
          <option value="">{words('saved')} …</option>
          {saved.answer?.queries
            .filter(({ on }) => on === 'lake')
            .map(({ name, about }) => (
              <option key={name} value={name} title={about}>
                {name}
              </option>
            ))}
        </select>
        <span className="space" />
        {['csv', 'parquet', 'json'].map((format) => (
          <button
            key={format}
            type="button"
            className="quiet"
            onClick={() => void exportAs(format)}
          >
            {format.toUpperCase()}
          </button>
        ))}
      </header>
      <Editor text={start} names={known} onChange={setText} onAsk={ask} />
      <p className="row">
        <button type="button" className="strong" disabled={isAsking} onClick={ask}>
          {isAsking ? words('wait') : words('ask')} <kbd>Ctrl ↵</kbd>
        </button>
        {answer === undefined ? null : (
          <>
            <span className="faint">
              {plain(answer.rows.length)} {words('rows')}, {plain(answer.elapsed_ms)} ms
              {answer.truncated ? `; ${words('more')}` : ''}
            </span>
            <span className="space" />
            {shape === undefined ? null : (
              <span className="choices">
                {(['grid', 'chart'] as const).map((each) => (
                  <button
                    key={each}
                    type="button"
                    aria-pressed={view === each}
                    onClick={() => setView(each)}
                  >
                    {words(each)}
                  </button>
                ))}
              </span>
            )}
          </>
        )}
      </p>
      {problem === undefined ? null : <pre className="problem">{problem}</pre>}
      {answer === undefined ? null : view === 'chart' && shape !== undefined ? (
        <article className="card w12">
          <Chart show={shape} answer={answer} />
        </article>
      ) : (
        <Grid answer={answer} />
      )}
    </section>
  )
}

/** The chart that an answer lends itself to: its first column along, numbers up. */
function shapeOf({ columns, rows }: Answer): ChartShape | undefined {
  const y = columns
    .slice(1)
    .filter(({ type }) => /INT|DOUBLE|FLOAT|DECIMAL/.test(type))
    .map(({ name }) => name)
  if (rows.length < 2 || y.length === 0) return undefined
  const isTime = momentOf(rows[0]![0]) !== undefined
  return { kind: isTime ? 'line' : 'bar', x: columns[0]!.name, y, lies: !isTime && y.length === 1 }
}
