import { useState } from 'react'
import { post } from '../api.ts'
import { ago } from '../format.ts'
import { useLive } from '../live.tsx'
import { go, Link } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { Selectors } from './selectors.tsx'
import { Status } from './status.tsx'

interface Backfill {
  readonly id: string
  readonly status: 'running' | 'paused' | 'done' | 'failed' | 'cancelled'
  readonly selectors: readonly string[]
  readonly unit: 'days' | 'versions'
  readonly from: string
  readonly to: string
  readonly created_at: string
  readonly progress: { readonly done: number; readonly total: number }
  readonly parts: readonly {
    readonly from: string
    readonly to: string
    readonly status: string
    readonly run: string | null
  }[]
}

/** The past, made again: what there is, how far it is, and a new one. */
export function Backfills() {
  const words = useWords()
  const { now } = useLive()
  const { answer, problem, again } = useAnswer<{ backfills: Backfill[] }>(
    '/v1/backfills?limit=50',
    now?.at,
  )
  return (
    <>
      <StartBackfill onStarted={again} />
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {answer === undefined && problem === undefined ? (
        <p className="empty">{words('wait')}</p>
      ) : null}
      {answer?.backfills.length === 0 ? <p className="empty">{words('noBackfills')}</p> : null}
      <ul className="lines">
        {answer?.backfills.map((backfill) => (
          <li key={backfill.id}>
            <OneBackfill backfill={backfill} onChange={again} />
          </li>
        ))}
      </ul>
    </>
  )
}

function OneBackfill({
  backfill,
  onChange,
}: {
  readonly backfill: Backfill
  readonly onChange: () => void
}) {
  const words = useWords()
  const [problem, setProblem] = useState<string>()
  const { id, status, selectors, from, to, progress, parts } = backfill
  const name = selectors.join(' ')
  const act = (verb: 'pause' | 'resume' | 'cancel') =>
    post(`/v1/backfills/${id}/${verb}`).then(
      () => {
        setProblem(undefined)
        onChange()
      },
      (error: Error) => setProblem(error.message),
    )
  const verb = (what: 'pause' | 'resume' | 'cancel', label: string) => (
    <button type="button" aria-label={`${label}: ${name}`} onClick={() => void act(what)}>
      {label}
    </button>
  )
  return (
    <article className="backfill" aria-label={name}>
      <p className="row">
        <Status status={status} />
        <b>{name}</b>
        <span className="faint">
          {from} – {to}, {ago(backfill.created_at)}
        </span>
        <span className="space" />
        {status === 'running' ? verb('pause', words('pause')) : null}
        {status === 'paused' || status === 'failed' ? verb('resume', words('goOn')) : null}
        {status === 'done' || status === 'cancelled' ? null : verb('cancel', words('cancel'))}
      </p>
      <p className="row">
        <progress aria-label={name} max={progress.total} value={progress.done} />
        <span className="faint">
          {progress.done} / {progress.total} {words('parts')}
        </span>
      </p>
      <div className="parts">
        {parts.map((part) => {
          const label = `${part.from}${part.to === part.from ? '' : ` – ${part.to}`}: ${part.status}`
          return part.run === null ? (
            <span key={part.from} className={part.status} title={label} />
          ) : (
            <Link key={part.from} to={`runs/${part.run}`} className={part.status} title={label} />
          )
        })}
      </div>
      {problem === undefined ? null : <p className="problem">{problem}</p>}
    </article>
  )
}

function StartBackfill({ onStarted }: { readonly onStarted: () => void }) {
  const words = useWords()
  const [selectors, setSelectors] = useState<readonly string[]>([])
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [partSize, setPartSize] = useState('1')
  const [problem, setProblem] = useState<string>()
  const begin = () =>
    post<Backfill>('/v1/backfills', { selectors, from, to, part_size: Number(partSize) }).then(
      () => {
        setProblem(undefined)
        onStarted()
        go('runs/backfills')
      },
      (error: Error) => setProblem(error.message),
    )
  const day = (label: string, value: string, onChange: (value: string) => void) => (
    <label className="field">
      {label}
      <input
        type="date"
        required
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  )
  return (
    <details className="begin">
      <summary>{words('startBackfill')}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void begin()
        }}
      >
        <Selectors onChange={setSelectors} />
        <div className="row">
          {day(words('fromDay'), from, setFrom)}
          {day(words('toDay'), to, setTo)}
          <label className="field">
            {words('partSize')}
            <input
              type="number"
              min={1}
              required
              value={partSize}
              onChange={(event) => setPartSize(event.target.value)}
            />
          </label>
          <button type="submit" className="strong" disabled={selectors.length === 0}>
            {words('start')}
          </button>
        </div>
        {problem === undefined ? null : <p className="problem">{problem}</p>}
      </form>
    </details>
  )
}
