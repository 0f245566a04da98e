import { useState } from 'react'
import { post, type Run, type RunDetail } from '../api.ts'
import { ago } from '../format.ts'
import { go, Link } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { type Schedule, useUntil } from './schedule-times.ts'
import { Status } from './status.tsx'

/** What runs by itself, when it did, and when it will. */
export function Schedules() {
  const words = useWords()
  const until = useUntil()
  const { answer, problem } = useAnswer<{ schedules: Schedule[] }>('/v1/schedules')
  const runs = useAnswer<{ runs: Run[] }>('/v1/runs?limit=500')
  const [trouble, setTrouble] = useState<string>()
  const runNow = (schedule: string) =>
    post<RunDetail>('/v1/runs', { schedule }).then(
      ({ id }) => go(`runs/${id}`),
      (error: Error) => setTrouble(error.message),
    )
  if (answer === undefined)
    return problem === undefined ? (
      <p className="empty">{words('wait')}</p>
    ) : (
      <p className="problem">{problem}</p>
    )
  if (answer.schedules.length === 0) return <p className="empty">{words('noSchedules')}</p>
  const soonest = [...answer.schedules].sort((a, b) =>
    (a.next[0] ?? '~').localeCompare(b.next[0] ?? '~'),
  )
  return (
    <>
      {trouble === undefined ? null : <p className="problem">{trouble}</p>}
      <ul className="lines">
        {soonest.map((schedule) => {
          const last = runs.answer?.runs.find((run) => run.schedule === schedule.id)
          return (
            <li key={schedule.id} className="schedule-line">
              <div>
                <b>{schedule.id}</b>
                <p className="faint">
                  <code>{schedule.cron}</code> {schedule.zone} · {schedule.run.join(' ')}
                </p>
              </div>
              <div>
                {schedule.next.map((instant, index) => (
                  <p key={instant} className={index === 0 ? '' : 'faint'}>
                    <time dateTime={instant}>{instant.slice(0, 16).replace('T', ' ')}</time>{' '}
                    {index === 0 ? until(instant) : ''}
                  </p>
                ))}
              </div>
              <div>
                {last === undefined ? (
                  <span className="faint">
                    {words('lastRun')}: {words('never')}
                  </span>
                ) : (
                  <Link to={`runs/${last.id}`}>
                    <Status status={last.status} /> {ago(last.created_at)}
                  </Link>
                )}
              </div>
              <button
                type="button"
                aria-label={`${words('runNow')}: ${schedule.id}`}
                onClick={() => void runNow(schedule.id)}
              >
                {words('runNow')}
              </button>
            </li>
          )
        })}
      </ul>
    </>
  )
}
