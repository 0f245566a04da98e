import { useEffect, useMemo, useRef, useState } from 'react'
import { type Answer, post, request } from '../api.ts'
import { Grid } from '../charts/grid.tsx'
import { plain } from '../format.ts'
import { usePlace } from '../place.tsx'
import { AnswerChart, canBeChart } from '../sql/answer-chart.tsx'
import { Editor } from '../sql/editor.tsx'
import { formatSql } from '../sql/format-sql.ts'
import { askedQueries, rememberAsked } from '../sql/kept-queries.ts'
import { QueryPicker } from '../sql/query-picker.tsx'
import '../sql/sql.css'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'

const FIRST = `SELECT event_type, count(*) AS events
FROM bronze.user_events
GROUP BY event_type
ORDER BY events DESC`

/** More than a person reads; a file has all. */
const ROW_COUNT_MAX = 2_000
const FORMATS = ['csv', 'parquet', 'json'] as const

interface NamedTable {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
}

/** Ask any table. */
export function Sql() {
  const words = useWords()
  const { query } = usePlace()
  const given = query.get('ask')
  const [text, setText] = useState(given ?? FIRST)
  const [asked, setAsked] = useState(askedQueries)
  const [answer, setAnswer] = useState<Answer>()
  const [problem, setProblem] = useState<string>()
  const [view, setView] = useState<'grid' | 'chart'>('grid')
  const asking = useRef<AbortController>(null)
  const [isAsking, setAsking] = useState(false)
  const names = useAnswer<{ tables: NamedTable[] }>('/v1/sql/names')
  const known = useMemo(
    () =>
      Object.fromEntries(
        (names.answer?.tables ?? []).map(({ name, columns }) => [
          name,
          columns.map((column) => column.name),
        ]),
      ),
    [names.answer],
  )
  useEffect(() => {
    if (given !== null) setText(given)
  }, [given])
  useEffect(() => () => asking.current?.abort(), [])
  const during = async (work: (signal: AbortSignal) => Promise<void>) => {
    asking.current?.abort()
    const stop = new AbortController()
    asking.current = stop
    setAsking(true)
    try {
      await work(stop.signal)
      setProblem(undefined)
    } catch (error) {
      if (!stop.signal.aborted) setProblem((error as Error).message)
    }
    if (asking.current === stop) setAsking(false)
  }
  const ask = () =>
    during(async (signal) => {
      setAsked(rememberAsked(text))
      setAnswer(await post<Answer>('/v1/sql', { sql: text, rows: ROW_COUNT_MAX }, signal))
    })
  const exportAs = (format: string) =>
    during(async (signal) => {
      const body = JSON.stringify({ sql: text, format })
      const response = await request('/v1/sql/export', { method: 'POST', body, signal })
      saveFile(await response.blob(), `rows.${format}`)
    })
  const hasChart = answer !== undefined && canBeChart(answer)
  return (
    <section>
      <header className="head">
        <h1>SQL</h1>
        <span className="space" />
        <QueryPicker sql={text} asked={asked} onPick={setText} />
      </header>
      <Editor
        text={text}
        names={known}
        onChange={setText}
        onAsk={() => void ask()}
        onFormat={() => setText(formatSql(text))}
      />
      <div className="row asking">
        {isAsking ? (
          <button type="button" className="strong" onClick={() => asking.current?.abort()}>
            {words('stop')}
          </button>
        ) : (
          <button type="button" className="strong" onClick={() => void ask()}>
            {words('ask')} <kbd>Ctrl ↵</kbd>
          </button>
        )}
        <button type="button" onClick={() => setText(formatSql(text))}>
          {words('format')}
        </button>
        <span className="faint" role="status">
          {isAsking
            ? words('asking')
            : answer === undefined
              ? ''
              : `${plain(answer.rows.length)} ${words('rows')}, ${plain(answer.elapsed_ms)} ms${
                  answer.truncated ? `; ${words('cutOff')}` : ''
                }`}
        </span>
        <span className="space" />
        <span className="choices">
          {hasChart
            ? (['grid', 'chart'] as const).map((each) => (
                <button
                  key={each}
                  type="button"
                  aria-pressed={view === each}
                  onClick={() => setView(each)}
                >
                  {words(each)}
                </button>
              ))
            : null}
          {FORMATS.map((format) => (
            <button
              key={format}
              type="button"
              aria-label={`${words('exportAs')} ${format.toUpperCase()}`}
              onClick={() => void exportAs(format)}
            >
              ↓ {format.toUpperCase()}
            </button>
          ))}
        </span>
      </div>
      {problem === undefined ? null : (
        <pre className="problem" role="alert">
          {problem}
        </pre>
      )}
      {answer === undefined ? (
        <Tables tables={names.answer?.tables ?? []} onPick={(name) => setText(firstRows(name))} />
      ) : view === 'chart' && hasChart ? (
        <AnswerChart key={answer.columns.map(({ name }) => name).join()} answer={answer} />
      ) : (
        <>
          {answer.rows.length === 0 ? <p className="empty">{words('noRowsFound')}</p> : null}
          <Grid answer={answer} />
        </>
      )}
    </section>
  )
}

const firstRows = (table: string) => `SELECT *\nFROM ${table}\nLIMIT 100`

/** Before the first answer: what there is to ask. */
function Tables({
  tables,
  onPick,
}: {
  readonly tables: readonly NamedTable[]
  readonly onPick: (name: string) => void
}) {
  const words = useWords()
  return (
    <>
      <p className="empty">{words('sqlHelp')}</p>
      <h2>{words('tableNames')}</h2>
      <ul className="names">
        {tables.map(({ name, columns }) => (
          <li key={name}>
            <button type="button" onClick={() => onPick(name)}>
              {name}
            </button>
            <span className="faint">{columns.map((column) => column.name).join(', ')}</span>
          </li>
        ))}
      </ul>
    </>
  )
}

function saveFile(file: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
