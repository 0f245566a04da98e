import { useEffect, useState } from 'react'
import { get } from '../api.ts'
import { useWords } from '../text.ts'

interface Entry {
  readonly id: number
  readonly at: string
  readonly actor: string
  readonly by: 'key' | 'session' | 'open' | 'command'
  readonly role: string | null
  readonly address: string | null
  readonly action: string
  readonly subject: string
  readonly outcome: 'begun' | 'done' | 'failed' | 'refused'
  readonly status: number | null
  readonly detail: string | null
}

const PAGE_SIZE = 50
const LOOK_INTERVAL_MS = 5_000
const OUTCOMES = ['begun', 'done', 'failed', 'refused'] as const

/** Who did what to what, from where, and how it ended. */
export function AuditLog() {
  const words = useWords()
  const [action, setAction] = useState('')
  const [outcome, setOutcome] = useState('')
  const [limit, setLimit] = useState(PAGE_SIZE)
  const { entries, problem } = useEntries(action, outcome, limit)
  return (
    <div>
      <div className="row audit-filter">
        <h2>{words('auditLog')}</h2>
        <span className="space" />
        <input
          value={action}
          placeholder={words('actionFilter')}
          aria-label={words('actionFilter')}
          onChange={(event) => setAction(event.target.value.trim())}
        />
        <select
          value={outcome}
          aria-label={words('outcome')}
          onChange={(event) => setOutcome(event.target.value)}
        >
          <option value="">{words('anyOutcome')}</option>
          {OUTCOMES.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </div>
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {entries?.length === 0 ? <p className="empty">{words('noEntries')}</p> : null}
      {entries === undefined || entries.length === 0 ? null : (
        <div className="scroll audit">
          <table>
            <thead>
              <tr>
                <th>{words('when')}</th>
                <th>{words('who')}</th>
                <th>{words('action')}</th>
                <th>{words('on')}</th>
                <th>{words('outcome')}</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <Line key={entry.id} entry={entry} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {entries?.length === limit ? (
        <button type="button" className="quiet" onClick={() => setLimit(limit + PAGE_SIZE)}>
          {words('older')}
        </button>
      ) : null}
    </div>
  )
}

function Line({ entry }: { readonly entry: Entry }) {
  const { at, actor, by, role, address, action, subject, outcome, status, detail } = entry
  return (
    <tr>
      <td className="when">
        <time dateTime={at} title={at}>
          {at.slice(0, 10)} {at.slice(11, 19)}
        </time>
      </td>
      <td>
        {actor}
        <small>{[by, role, address].filter((part) => part !== null).join(' · ')}</small>
      </td>
      <td>{action}</td>
      <td className="on">{subject}</td>
      <td>
        <span className={outcome === 'failed' || outcome === 'refused' ? 'pill wrong' : 'pill'}>
          {outcome}
        </span>
        {detail === null ? null : (
          <small>
            {status === null ? '' : `${status} `}
            {detail}
          </small>
        )}
      </td>
    </tr>
  )
}

/** The newest entries, asked for again now and then. */
function useEntries(action: string, outcome: string, limit: number) {
  const [entries, setEntries] = useState<readonly Entry[]>()
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    const stop = new AbortController()
    const query = new URLSearchParams({
      limit: String(limit),
      ...(action === '' ? {} : { action }),
      ...(outcome === '' ? {} : { outcome }),
    })
    const look = () =>
      get<{ entries: Entry[] }>(`/v1/audit?${query}`, stop.signal).then(
        (answer) => {
          setEntries(answer.entries)
          setProblem(undefined)
        },
        (error: Error) => stop.signal.aborted || setProblem(error.message),
      )
    void look()
    const timer = setInterval(() => document.hidden || void look(), LOOK_INTERVAL_MS)
    return () => {
      clearInterval(timer)
      stop.abort()
    }
  }, [action, outcome, limit])
  return { entries, problem }
}
