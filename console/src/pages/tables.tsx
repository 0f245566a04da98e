import { useState } from 'react'
import { type Answer, post, type TableDetail, type TableLine } from '../api.ts'
import { Grid } from '../charts/grid.tsx'
import { ago, bytesText, plain } from '../format.ts'
import { useLive } from '../live.tsx'
import { go, Link, usePlace } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'

export function Tables() {
  const words = useWords()
  const { parts } = usePlace()
  const { now } = useLive()
  const turn = now === undefined ? 0 : Math.floor(Date.parse(now.at) / 5_000)
  const { answer, problem } = useAnswer<{ tables: TableLine[] }>('/v1/tables', turn)
  if (parts[1] !== undefined) return <OneTable key={parts[1]} name={parts[1]} />
  return (
    <section>
      <header className="head">
        <h1>{words('tables')}</h1>
      </header>
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {answer?.tables.length === 0 ? <p className="empty">{words('noTables')}</p> : null}
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>{words('name')}</th>
              <th>{words('type')}</th>
              <th className="number">{words('rows')}</th>
              <th className="number">{words('files')}</th>
              <th className="number">{words('size')}</th>
              <th className="number">{words('committed')}</th>
            </tr>
          </thead>
          <tbody>
            {answer?.tables.map((table) => (
              <tr key={table.name} className={table.problem === undefined ? '' : 'wrong'}>
                <td>
                  <Link to={`tables/${table.name}`}>{table.name}</Link>
                  {table.problem === undefined ? null : <small>{table.problem}</small>}
                </td>
                <td className="faint">{table.format === 'iceberg' ? 'Iceberg' : 'Delta'}</td>
                <td className="number">
                  {table.rows === null || table.rows === undefined ? '–' : plain(table.rows)}
                </td>
                <td className="number">{plain(table.files ?? 0)}</td>
                <td className="number">{bytesText(table.bytes ?? 0)}</td>
                <td className="number">{ago(table.committed_at)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function OneTable({ name }: { readonly name: string }) {
  const words = useWords()
  const [version, setVersion] = useState<number | string>()
  const path = `/v1/tables/${encodeURIComponent(name)}`
  const { answer: table, problem, again } = useAnswer<TableDetail>(`${path}?history=50`)
  const past = version === undefined ? '' : `?version=${version}`
  const rows = useAnswer<Answer>(`${path}/rows${past}`, table?.version)
  if (problem !== undefined) return <p className="problem">{problem}</p>
  if (table === undefined) return <p className="empty">{words('wait')}</p>
  return (
    <section>
      <header className="head">
        <h1>
          <Link to="tables">{words('tables')}</Link> / {name}
        </h1>
        <span className="pill">{table.format === 'iceberg' ? 'Iceberg' : 'Delta'}</span>
        <span className="faint">
          {table.rows === null || table.rows === undefined
            ? ''
            : `${plain(table.rows)} ${words('rows')}, `}
          {plain(table.files ?? 0)} {words('files')}, {bytesText(table.bytes ?? 0)}
        </span>
        <span className="space" />
        <button
          type="button"
          onClick={() => go(`sql?ask=${encodeURIComponent(`SELECT *\nFROM ${name}\nLIMIT 100`)}`)}
        >
          SQL
        </button>
      </header>
      {table.description === null ? null : <p>{table.description}</p>}
      <div className="pair">
        <div>
          <h2>{words('columns')}</h2>
          <div className="scroll tall">
            <table>
              <tbody>
                {table.columns.map((column) => (
                  <tr key={column.name} title={column.doc ?? ''}>
                    <td>
                      {column.name}
                      {table.partition_by.includes(column.name) ? <small>partition</small> : null}
                    </td>
                    <td className="faint">
                      {column.type}
                      {column.nullable ? '' : ' · not null'}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </div>
        <div>
          <h2>{words('history')}</h2>
          <div className="scroll tall">
            <table>
              <tbody>
                {table.history.map((commit, index) => (
                  <tr key={String(commit.version)}>
                    <td>
                      <button
                        type="button"
                        className="quiet"
                        aria-pressed={
                          version === commit.version || (version === undefined && index === 0)
                        }
                        onClick={() => setVersion(index === 0 ? undefined : commit.version)}
                      >
                        {commit.version}
                      </button>
                    </td>
                    <td>{commit.operation ?? '–'}</td>
                    <td className="number">
                      {commit.rows_added === null ? '' : `+${plain(commit.rows_added)}`}
                    </td>
                    <td className="number faint">
                      +{commit.files_added} −{commit.files_removed} {words('files')}
                    </td>
                    <td className="number">{ago(commit.committed_at)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </div>
      </div>
      <h2>
        {words('preview')}
        <small>
          {words('version')} {version ?? words('newest')}
        </small>
      </h2>
      {rows.problem === undefined ? null : <p className="problem">{rows.problem}</p>}
      {rows.answer === undefined ? null : <Grid answer={rows.answer} />}
      <Maintenance path={path} onDone={again} />
    </section>
  )
}

interface Plan {
  readonly action: string
  readonly dry_run: boolean
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  readonly bytes: number
}

const ACTIONS = ['optimize', 'expire', 'vacuum'] as const

function Maintenance({ path, onDone }: { readonly path: string; readonly onDone: () => void }) {
  const words = useWords()
  const [plan, setPlan] = useState<Plan>()
  const [problem, setProblem] = useState<string>()
  const act = (action: string, dryRun: boolean) =>
    post<Plan>(`${path}/maintenance`, { action, dry_run: dryRun }).then(
      (made) => {
        setProblem(undefined)
        setPlan(made)
        if (!dryRun) onDone()
      },
      (error: Error) => setProblem(error.message),
    )
  return (
    <div data-needs="operate">
      <h2>{words('maintenance')}</h2>
      <div className="choices">
        {ACTIONS.map((action) => (
          <button
            key={action}
            type="button"
            aria-pressed={plan?.action === action}
            onClick={() => void act(action, true)}
          >
            {words(action)} …
          </button>
        ))}
      </div>
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {plan === undefined ? null : (
        <p>
          {plan.files.length === 0
            ? words('nothingToDo')
            : `${plan.files.length} ${words('files')}, ${bytesText(plan.bytes)} `}
          {plan.dry_run && plan.files.length > 0 ? (
            <button type="button" onClick={() => void act(plan.action, false)}>
              {words('doIt')}
            </button>
          ) : null}
        </p>
      )}
    </div>
  )
}
