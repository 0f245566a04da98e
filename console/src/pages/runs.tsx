import { useState } from 'react'
import { post, type Run, type RunDetail } from '../api.ts'
import { ago, secondsText } from '../format.ts'
import { useLive } from '../live.tsx'
import { go, Link, usePlace } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'

export function Runs() {
  const words = useWords()
  const { parts } = usePlace()
  const { now } = useLive()
  const { answer, problem, again } = useAnswer<{ runs: Run[] }>('/v1/runs?limit=100', now?.at)
  const [trouble, setTrouble] = useState<string>()
  const begin = (selectors: readonly string[]) =>
    post<RunDetail>('/v1/runs', { selectors }).then(
      ({ id }) => {
        again()
        go(`runs/${id}`)
      },
      (error: Error) => setTrouble(error.message),
    )
  if (parts[1] !== undefined) return <OneRun id={parts[1]} />
  return (
    <section>
      <header className="head">
        <h1>{words('runs')}</h1>
        <span className="space" />
        <button type="button" data-needs="operate" onClick={() => void begin([])}>
          {words('runEverything')}
        </button>
      </header>
      {(trouble ?? problem) === undefined ? null : <p className="problem">{trouble ?? problem}</p>}
      {answer?.runs.length === 0 ? <p className="empty">{words('noRuns')}</p> : null}
      <div className="scroll">
        <table>
          <tbody>
            {answer?.runs.map((run) => (
              <tr key={run.id}>
                <td>
                  <Status status={run.status} />
                </td>
                <td>
                  <Link to={`runs/${run.id}`}>
                    {run.schedule ?? (run.selectors.join(' ') || run.pipeline || words('all'))}
                  </Link>
                </td>
                <td className="faint">{run.trigger}</td>
                <td className="number">{ago(run.created_at)}</td>
                <td className="number">{secondsText(run.seconds)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

export const Status = ({ status }: { readonly status: string }) => (
  <span className={`status ${status}`}>{status}</span>
)

function OneRun({ id }: { readonly id: string }) {
  const words = useWords()
  const { now } = useLive()
  const { answer: run, problem } = useAnswer<RunDetail>(`/v1/runs/${id}`, now?.at)
  const log = useAnswer<{ lines: { task: string; at: string; line: string }[] }>(
    `/v1/runs/${id}/log?limit=300`,
    now?.at,
  )
  if (problem !== undefined) return <p className="problem">{problem}</p>
  if (run === undefined) return <p className="empty">{words('wait')}</p>
  const from = Date.parse(run.created_at)
  const to = run.ended_at === null ? Date.now() : Date.parse(run.ended_at)
  const span = Math.max(1, to - from)
  return (
    <section>
      <header className="head">
        <h1>
          <Link to="runs">{words('runs')}</Link> / {id}
        </h1>
        <Status status={run.status} />
        <span className="faint">
          {ago(run.created_at)}, {secondsText(run.seconds)}
        </span>
        <span className="space" />
        {run.ended_at === null ? (
          <button
            type="button"
            data-needs="operate"
            onClick={() => void post(`/v1/runs/${id}/cancel`)}
          >
            {words('cancel')}
          </button>
        ) : (
          <button
            type="button"
            data-needs="operate"
            onClick={() =>
              void post<RunDetail>('/v1/runs', { selectors: run.selectors }).then((made) =>
                go(`runs/${made.id}`),
              )
            }
          >
            {words('runAgain')}
          </button>
        )}
      </header>
      <div className="scroll">
        <table className="timeline">
          <tbody>
            {run.tasks.map((task) => {
              const began = task.started_at === null ? to : Date.parse(task.started_at)
              const ended = task.ended_at === null ? to : Date.parse(task.ended_at)
              return (
                <tr key={task.id}>
                  <td>
                    <Status status={task.status} />
                  </td>
                  <td>
                    {task.id}
                    {task.error === null ? null : <small className="wrong">{task.error}</small>}
                  </td>
                  <td className="number">{secondsText(task.seconds)}</td>
                  <td className="bar">
                    <i
                      className={task.status}
                      style={{
                        left: `${((began - from) / span) * 100}%`,
                        width: `${Math.max(0.6, ((ended - began) / span) * 100)}%`,
                      }}
                    />
                  </td>
                  <td className="faint facts">
                    {Object.entries(task.facts ?? {})
                      .filter(([name]) => /^(rows|files|bytes)/.test(name))
                      .map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`)
                      .join(' · ')}
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
      <h2>{words('log')}</h2>
      <pre className="log">
        {log.answer?.lines.map(({ at, task, line }) => `${at.slice(11, 19)} ${task}: ${line}\n`)}
      </pre>
    </section>
  )
}
