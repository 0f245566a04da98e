import { useState } from 'react'
import { Problem } from '../api.ts'
import { useWords } from '../text.ts'
import './access.css'

/** Asks for a key, hands it over and forgets it. */
export function SignIn({
  onKey,
  wasSignedOut,
}: {
  readonly onKey: (key: string) => Promise<void>
  readonly wasSignedOut: boolean
}) {
  const words = useWords()
  const [key, setKey] = useState('')
  const [isAsking, setAsking] = useState(false)
  const [trouble, setTrouble] = useState<string>()
  const send = async () => {
    setAsking(true)
    try {
      await onKey(key.trim())
    } catch (error) {
      const isWrong = error instanceof Problem && error.code === 'key_unknown'
      setTrouble(isWrong ? words('wrongKey') : (error as Error).message)
      setKey('')
      setAsking(false)
    }
  }
  return (
    <main className="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        <h1>
          <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
            <path
              d="M4 6c10 0 6 10 12 10M16 16c6 0 6 10 12 10M16 16c6 0 4-8 12-8M16 16h12"
              fill="none"
              stroke="currentColor"
              strokeWidth="3"
              strokeLinecap="round"
            />
          </svg>
          Mekong
        </h1>
        {wasSignedOut && trouble === undefined ? (
          <p className="notice" role="status">
            {words('sessionOver')}
          </p>
        ) : null}
        <p>{words('keyHelp')}</p>
        <label>
          {words('key')}
          <input
            type="password"
            autoComplete="current-password"
            // biome-ignore lint/a11y/noAutofocus: the page has this one purpose
            autoFocus
            spellCheck={false}
            value={key}
            aria-invalid={trouble !== undefined}
            onChange={(event) => setKey(event.target.value)}
          />
        </label>
        {trouble === undefined ? null : (
          <p className="problem" role="alert">
            {trouble}
          </p>
        )}
        <button type="submit" className="strong" disabled={key.trim() === '' || isAsking}>
          {words('signIn')}
        </button>
        <p className="faint">{words('keyKept')}</p>
      </form>
    </main>
  )
}
