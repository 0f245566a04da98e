import { useState } from 'react'
import type { Run } from '../api.ts'
import { Choices } from '../choices.tsx'
import { ago, secondsText } from '../format.ts'
import { useLive } from '../live.tsx'
import { Link } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { StartRun } from './start-run.tsx'
import { Status } from './status.tsx'

const STATUSES = [undefined, 'running', 'failed'] as const
const LIST_SIZE = 100

/** What has run, newest first, and the way to begin something. */
export function RunList() {
  const words = useWords()
  const { now } = useLive()
  const [status, setStatus] = useState<(typeof STATUSES)[number]>()
  const filter = status === undefined ? '' : `&status=${status}`
  const { answer, problem } = useAnswer<{ runs: Run[] }>(
    `/v1/runs?limit=${LIST_SIZE}${filter}`,
    now?.at,
  )
  const longest = Math.max(0.001, ...(answer?.runs ?? []).map(({ seconds }) => seconds ?? 0))
  return (
    <>
      <StartRun />
      <Choices
        label={words('status')}
        all={STATUSES}
        chosen={status}
        text={(each) => words(each ?? 'anyStatus')}
        onChoose={setStatus}
      />
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {answer === undefined && problem === undefined ? (
        <p className="empty">{words('wait')}</p>
      ) : null}
      {answer?.runs.length === 0 ? (
        <p className="empty">{words(status === undefined ? 'noRuns' : 'noRunsSo')}</p>
      ) : null}
      <ul className="lines">
        {answer?.runs.map((run) => (
          <li key={run.id} className="run-line">
            <Status status={run.status} />
            <Link to={`runs/${run.id}`}>{nameOfRun(run, words('all'))}</Link>
            <span className="length" aria-hidden="true">
              <i
                className={run.status}
                style={{ width: `${Math.max(1, ((run.seconds ?? 0) / longest) * 100)}%` }}
              />
            </span>
            <span className="number">{secondsText(run.seconds)}</span>
            <span className="faint">
              {run.trigger}, {ago(run.created_at)}
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}

/** What a run was about, in a few words. */
export const nameOfRun = (run: Run, all: string): string => {
  const [first, ...others] = run.selectors
  const more = others.length === 0 ? '' : ` +${others.length}`
  const what = first === undefined ? (run.pipeline ?? all) : `${first}${more}`
  const days = run.range === null ? '' : ` ${[...new Set(Object.values(run.range))].join(' – ')}`
  return (run.schedule ?? what) + days
}
