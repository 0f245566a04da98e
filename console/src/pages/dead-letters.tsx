import { useState } from 'react'
import { ago } from '../format.ts'
import {
  type Cause,
  causeOf,
  isOf,
  type Letter,
  type LetterCount,
  placeOfCause,
  positionOf,
  textOf,
} from '../letters/letter.ts'
import { LetterBulk } from '../letters/letter-bulk.tsx'
import { LetterCauses, sum } from '../letters/letter-causes.tsx'
import { MendLetter } from '../letters/mend-letter.tsx'
import '../letters/letters.css'
import { useTurn } from '../live.tsx'
import { go, Link, usePlace } from '../place.tsx'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'

const PAGE_SIZE = 100
const SHOWN = { waiting: 'open,fixed', replayed: 'replayed', dropped: 'dropped' } as const

interface LettersAnswer {
  readonly dead_letters: readonly Letter[]
  readonly counts: readonly LetterCount[]
}

/** What could not be processed, by what was wrong with it: look, mend, send again. */
export function DeadLetters() {
  const words = useWords()
  const { query } = usePlace()
  const turn = useTurn(3_000)
  const cause = causeOf(query)
  const asked = query.get('status')
  const which = asked === 'replayed' || asked === 'dropped' ? asked : 'waiting'
  const [limit, setLimit] = useState(PAGE_SIZE)
  const filter = new URLSearchParams({
    ...{ ...cause, status: SHOWN[which], order: 'newest', limit: String(limit) },
  })
  const { answer, problem, again } = useAnswer<LettersAnswer>(`/v1/dead-letters?${filter}`, turn)
  const status = which === 'waiting' ? undefined : which
  const counts = answer?.counts.filter((count) => SHOWN[which].split(',').includes(count.status))
  const chosen = counts?.filter((count) => isOf(cause, count))
  const hasCause = Object.keys(cause).length > 0
  return (
    <section>
      <header className="head">
        <h1>{words('deadLetters')}</h1>
        <span className="space" />
        <nav className="choices" aria-label={words('letterStatus')}>
          {(['waiting', 'replayed', 'dropped'] as const).map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={each === which}
              onClick={() => go(placeOfCause(cause, each === 'waiting' ? undefined : each))}
            >
              {words(each)}
            </button>
          ))}
        </nav>
      </header>
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {answer === undefined ? <p className="empty">{words('wait')}</p> : null}
      {answer === undefined ||
      counts === undefined ||
      chosen === undefined ? null : counts.length === 0 && which === 'waiting' ? (
        <p className="empty">{words('noLetters')}</p>
      ) : (
        <div className={hasCause ? 'letters-page chosen' : 'letters-page'}>
          <LetterCauses counts={counts} cause={cause} status={status} />
          <div>
            {hasCause ? (
              <p className="back">
                <Link to={placeOfCause({}, status)}>‹ {words('allLetters')}</Link>
              </p>
            ) : null}
            <Letters
              key={`${filter.get('pipeline')} ${filter.get('hop')} ${filter.get('reason')} ${which}`}
              letters={answer.dead_letters}
              cause={cause}
              total={sum(chosen)}
              isWaiting={which === 'waiting'}
              onChange={again}
            />
            {answer.dead_letters.length < limit ? null : (
              <button type="button" onClick={() => setLimit(limit + 4 * PAGE_SIZE)}>
                {words('showMore')}
              </button>
            )}
          </div>
        </div>
      )}
    </section>
  )
}

function Letters({
  letters,
  cause,
  total,
  isWaiting,
  onChange,
}: {
  readonly letters: readonly Letter[]
  readonly cause: Cause
  readonly total: number
  readonly isWaiting: boolean
  readonly onChange: () => void
}) {
  const words = useWords()
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [wantsAll, setWantsAll] = useState(false)
  const [open, setOpen] = useState<string>()
  const [said, setSaid] = useState<string>()
  const ids = letters.map(({ id }) => id).filter((id) => chosen.has(id))
  const hasAll = letters.length > 0 && ids.length === letters.length
  const mayWantAll = hasAll && total > letters.length && cause.reason !== undefined
  const toggle = (id: string) => {
    const next = new Set(chosen)
    if (!next.delete(id)) next.add(id)
    setChosen(next)
    setWantsAll(false)
  }
  if (letters.length === 0) return <p className="empty">{words('noneHere')}</p>
  return (
    <>
      {isWaiting ? (
        <div className="choosing">
          <label>
            <input
              type="checkbox"
              checked={hasAll}
              onChange={() => setChosen(hasAll ? new Set() : new Set(letters.map(({ id }) => id)))}
            />
            {words('selectShown')}
          </label>
          {mayWantAll ? (
            <label>
              <input type="checkbox" checked={wantsAll} onChange={() => setWantsAll(!wantsAll)} />
              {words('allOfReason')} ({total})
            </label>
          ) : null}
          {ids.length === 0 ? null : (
            <LetterBulk
              which={wantsAll && mayWantAll ? { ...cause } : { ids }}
              count={wantsAll && mayWantAll ? total : ids.length}
              onDone={onChange}
            />
          )}
        </div>
      ) : null}
      {said === undefined ? null : (
        <p className="notice" role="status">
          {said}
        </p>
      )}
      <ul className="letters">
        {letters.map((letter) => (
          <li key={letter.id} className={open === letter.id ? 'open' : ''}>
            {isWaiting ? (
              <input
                type="checkbox"
                aria-label={`${letter.reason} ${letter.id}`}
                checked={chosen.has(letter.id)}
                onChange={() => toggle(letter.id)}
              />
            ) : null}
            <div>
              <button
                type="button"
                className="letter"
                aria-expanded={open === letter.id}
                onClick={() => setOpen(open === letter.id ? undefined : letter.id)}
              >
                <span className="message">{letter.message}</span>
                <span className="bytes">{textOf(letter.fixed ?? letter.value).slice(0, 400)}</span>
                <span className="meta">
                  <b>{letter.reason}</b> {letter.pipeline} · {letter.hop} · {positionOf(letter)} ·{' '}
                  {ago(letter.first_seen_at)}
                  {letter.attempts > 1 ? ` · ×${letter.attempts}` : ''}
                  {letter.status === 'fixed' ? ` · ${words('mended')}` : ''}
                </span>
              </button>
              {open === letter.id ? (
                <MendLetter
                  id={letter.id}
                  onDone={(what) => {
                    setSaid(what)
                    onChange()
                  }}
                />
              ) : null}
            </div>
          </li>
        ))}
      </ul>
    </>
  )
}
