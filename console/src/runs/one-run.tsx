import { useState } from 'react'
import { post, type RunDetail, type RunTask } from '../api.ts'
import { ago, secondsText } from '../format.ts'
import { useLive } from '../live.tsx'
import { go, Link } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { nameOfRun } from './run-list.tsx'
import { Status } from './status.tsx'
import { Timeline } from './timeline.tsx'

/** A run: what its tasks did, when, and what they said. */
export function OneRun({ id }: { readonly id: string }) {
  const words = useWords()
  const { now } = useLive()
  const { answer: run, problem, again } = useAnswer<RunDetail>(`/v1/runs/${id}`, now?.at)
  const [trouble, setTrouble] = useState<string>()
  const [task, setTask] = useState<string>()
  if (problem !== undefined && run === undefined) return <p className="problem">{problem}</p>
  if (run === undefined) return <p className="empty">{words('wait')}</p>
  const act = (verb: string, body: unknown = {}) =>
    post<RunDetail>(`/v1/runs/${run.id}/${verb}`, body).then(
      (made) => {
        setTrouble(undefined)
        if (made.id === run.id) again()
        else go(`runs/${made.id}`)
      },
      (error: Error) => setTrouble(error.message),
    )
  const isOver = run.status !== 'running' && run.status !== 'interrupted'
  return (
    <section>
      <header className="head">
        <h1>
          <Link to="runs">{words('runs')}</Link> / {nameOfRun(run, words('all'))}
        </h1>
        <Status status={run.status} />
        <span className="faint">
          {run.trigger}, {ago(run.created_at)}, {secondsText(run.seconds)} ·{' '}
          <code>{run.id.slice(0, 12)}</code>
        </span>
        <span className="space" />
        {run.status === 'interrupted' ? (
          <button type="button" onClick={() => void act('resume')}>
            {words('goOn')}
          </button>
        ) : null}
        {isOver ? (
          <>
            {run.tasks.every(isWell) ? null : (
              <button
                type="button"
                className="strong"
                onClick={() => void act('again', { only: 'unfinished' })}
              >
                {words('retryFailed')}
              </button>
            )}
            <button type="button" onClick={() => void act('again')}>
              {words('runAgain')}
            </button>
          </>
        ) : (
          <button type="button" onClick={() => void act('cancel')}>
            {words('cancel')}
          </button>
        )}
      </header>
      {trouble === undefined ? null : <p className="problem">{trouble}</p>}
      <Timeline run={run} task={task} onTask={setTask} />
      <Log id={run.id} task={task} when={now?.at} onTask={setTask} />
    </section>
  )
}

const isWell = ({ status }: RunTask) => status === 'done' || status === 'nothing_new'

interface LogLine {
  readonly task: string
  readonly attempt: number
  readonly at: string
  readonly line: string
}

function Log({
  id,
  task,
  when,
  onTask,
}: {
  readonly id: string
  readonly task: string | undefined
  readonly when: string | undefined
  readonly onTask: (task: string | undefined) => void
}) {
  const words = useWords()
  const filter = task === undefined ? '' : `&task=${encodeURIComponent(task)}`
  const { answer } = useAnswer<{ lines: LogLine[] }>(`/v1/runs/${id}/log?limit=500${filter}`, when)
  return (
    <>
      <h2>
        {words('log')}
        {task === undefined ? null : (
          <>
            <small>{task}</small>
            <button type="button" className="quiet" onClick={() => onTask(undefined)}>
              {words('wholeLog')}
            </button>
          </>
        )}
      </h2>
      {answer?.lines.length === 0 ? (
        <p className="empty">{words('noLog')}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a long log scrolls, and the keyboard has to get there
        <pre className="log" tabIndex={0}>
          {answer?.lines.map(
            ({ at, task: by, line, attempt }) =>
              `${at.slice(11, 19)} ${task === undefined ? `${by}: ` : ''}${attempt > 1 ? `(${attempt}) ` : ''}${line}\n`,
          )}
        </pre>
      )}
    </>
  )
}
