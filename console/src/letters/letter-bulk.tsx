import { useState } from 'react'
import { useWords } from '../text.ts'
import { type BulkAnswer, bulk } from './letter.ts'

/** What is done to many letters at once. `which` says which, as the API wants it. */
export function LetterBulk({
  which,
  count,
  onDone,
}: {
  readonly which: Readonly<Record<string, unknown>>
  readonly count: number
  readonly onDone: () => void
}) {
  const words = useWords()
  const [field, setField] = useState('')
  const [value, setValue] = useState('')
  const [said, setSaid] = useState<string>()
  const [problem, setProblem] = useState<string>()
  const [isBusy, setBusy] = useState(false)
  const act = async (wish: Readonly<Record<string, unknown>>) => {
    setBusy(true)
    setProblem(undefined)
    try {
      const answer = await bulk({ ...which, ...wish })
      setSaid([wordsOf(answer), answer.more ? words('moreLeft') : ''].join(' '))
      if (answer.refused.length > 0) setProblem(answer.refused[0]!.message)
      if (wish.dry_run !== true) onDone()
    } catch (error) {
      setSaid(undefined)
      setProblem((error as Error).message)
    }
    setBusy(false)
  }
  const set = () => ({ action: 'fix', set: { [field]: jsonOf(value) } })
  const isOff = isBusy || count === 0
  const lacksField = field === '' || value === ''
  return (
    <div className="bulk">
      <p className="row">
        <button type="button" disabled={isOff} onClick={() => void act({ action: 'replay' })}>
          {words('replay')} ({count})
        </button>
        <button type="button" disabled={isOff} onClick={() => void act({ action: 'drop' })}>
          {words('drop')} ({count})
        </button>
      </p>
      <details>
        <summary>{words('setField')}</summary>
        <form
          className="row"
          onSubmit={(event) => {
            event.preventDefault()
            void act(set())
          }}
        >
          <input
            aria-label={words('field')}
            placeholder={words('field')}
            value={field}
            onChange={(event) => setField(event.target.value)}
          />
          <input
            aria-label={words('jsonValue')}
            placeholder={words('jsonValue')}
            value={value}
            onChange={(event) => setValue(event.target.value)}
          />
          <button
            type="button"
            disabled={isOff || lacksField}
            onClick={() => void act({ ...set(), dry_run: true })}
          >
            {words('tryOut')}
          </button>
          <button type="submit" className="strong" disabled={isOff || lacksField}>
            {words('setInEach')} ({count})
          </button>
        </form>
      </details>
      {said === undefined ? null : <p role="status">{said}</p>}
      {problem === undefined ? null : <p className="problem">{problem}</p>}
    </div>
  )

  function wordsOf({ outcomes, letters }: BulkAnswer): string {
    const named = {
      row: words('becomesRow'),
      filtered: words('becomesFiltered'),
      dead: words('diesAgain'),
      impossible: words('cannotGoBack'),
      replayed: words('replayed'),
      dropped: words('dropped'),
    } as Readonly<Record<string, string>>
    const parts = Object.entries(outcomes).map(([name, n]) => `${n} ${named[name] ?? name}`)
    return parts.length === 0 ? String(letters) : `${parts.join(', ')}.`
  }
}

/** What was typed as JSON; as a text when it is none, because a text without quotes is what people type. */
function jsonOf(typed: string): unknown {
  try {
    return JSON.parse(typed)
  } catch {
    return typed
  }
}
