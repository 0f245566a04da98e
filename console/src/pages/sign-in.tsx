import { useState } from 'react'
import { useWords } from '../text.ts'

export function SignIn({ onKey }: { readonly onKey: (key: string) => void }) {
  const words = useWords()
  const [key, setKey] = useState('')
  return (
    <form
      className="sign-in"
      onSubmit={(event) => {
        event.preventDefault()
        onKey(key.trim())
      }}
    >
      <h1>Mekong</h1>
      <p>{words('keyHelp')}</p>
      <label>
        {words('key')}
        <input
          type="password"
          autoComplete="current-password"
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
      </label>
      <button type="submit" disabled={key.trim() === ''}>
        {words('signIn')}
      </button>
    </form>
  )
}
