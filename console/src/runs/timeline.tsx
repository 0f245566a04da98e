import type { RunDetail, RunTask } from '../api.ts'
import { ticks } from '../charts/scale.ts'
import { cellText, secondsText } from '../format.ts'
import { useWords } from '../text.ts'
import { Status } from './status.tsx'

/** The tasks of a run over its time. Choosing one shows its log alone. */
export function Timeline({
  run,
  task: chosen,
  onTask,
}: {
  readonly run: RunDetail
  readonly task: string | undefined
  readonly onTask: (task: string | undefined) => void
}) {
  const words = useWords()
  const from = Date.parse(run.created_at)
  const to = run.ended_at === null ? Date.now() : Date.parse(run.ended_at)
  const span = Math.max(1, to - from)
  const place = (task: RunTask) => {
    const began = task.started_at === null ? undefined : Date.parse(task.started_at)
    if (began === undefined) return undefined
    const ended = task.ended_at === null ? to : Date.parse(task.ended_at)
    return {
      left: `${((began - from) / span) * 100}%`,
      width: `${Math.max(0.4, ((ended - began) / span) * 100)}%`,
    }
  }
  const steps = ticks(0, span / 1000, 4).filter((second) => second * 1000 <= span)
  return (
    <div className="timeline">
      <div className="task-line axis-line" aria-hidden="true">
        <span />
        <span />
        <div className="axis">
          {steps.map((second) => (
            <span key={second} style={{ left: `${((second * 1000) / span) * 100}%` }}>
              {second === 0 ? '0' : secondsText(second)}
            </span>
          ))}
        </div>
      </div>
      <ul className="lines">
        {run.tasks.map((task) => {
          const bar = place(task)
          return (
            <li key={task.id} className={`task-line ${chosen === task.id ? 'chosen' : ''}`}>
              <Status status={task.status} />
              <button
                type="button"
                className="name"
                aria-pressed={chosen === task.id}
                onClick={() => onTask(chosen === task.id ? undefined : task.id)}
              >
                {task.id}
              </button>
              <span className="bar" aria-hidden="true">
                {bar === undefined ? null : <i className={task.status} style={bar} />}
              </span>
              <span className="number">
                {task.attempts > 1 ? `×${task.attempts} ` : ''}
                {secondsText(task.seconds)}
              </span>
              <span className="facts faint">{factsText(task)}</span>
              {task.progress === null ||
              task.progress.total === null ||
              task.ended_at !== null ? null : (
                <progress
                  aria-label={`${task.id}: ${words('took')}`}
                  max={task.progress.total}
                  value={task.progress.done}
                />
              )}
              {task.error === null ? null : <p className="problem">{task.error}</p>}
            </li>
          )
        })}
      </ul>
    </div>
  )
}

/** What a task did, with what people look for first. */
function factsText({ facts }: RunTask): string {
  const known = Object.entries(facts ?? {}).filter(([, value]) => value !== null && value !== '')
  const first = known.filter(([name]) => /^(rows|files|bytes|sent|documents|seen)/.test(name))
  return [...first, ...known.filter((each) => !first.includes(each))]
    .slice(0, 6)
    .map(([name, value]) => `${name.replaceAll('_', ' ')} ${cellText(value)}`)
    .join(' · ')
}
