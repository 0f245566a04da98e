import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from 'react'
import { get, onSignedOut, rememberCsrfToken, request } from '../api.ts'
import { SignIn } from './sign-in.tsx'

// Who is signed in, and what they may. The key goes to the platform once; what stands for it afterwards is a cookie that this program
// cannot read. What a role may not do the platform refuses; here it is only not shown (`data-needs` in access.css).

export type Grant = 'ingest' | 'read' | 'operate' | 'admin'

export interface Who {
  /** `open`: no keys are asked for. */
  readonly access: 'open' | 'keys'
  readonly signed_in: boolean
  readonly key: string | null
  readonly role: Grant | null
  readonly may: readonly Grant[]
  readonly session: { readonly id: string; readonly ends_at: string } | null
  readonly csrf_token: string | null
}

export interface Knowing extends Who {
  signOut(): Promise<void>
}

const NOBODY: Knowing = {
  ...({ access: 'keys', signed_in: false, key: null, role: null, may: [] } as const),
  ...{ session: null, csrf_token: null, signOut: async () => {} },
}

const WhoContext = createContext<Knowing>(NOBODY)

export const useWho = (): Knowing => useContext(WhoContext)

const RETRY_MS = 1_500

/** Shows the console to whoever is signed in, and the sign-in page to others. */
export function WhoProvider({ children }: { readonly children: ReactNode }) {
  const [who, setWho] = useState<Who>()
  const [wasSignedOut, setWasSignedOut] = useState(false)
  const take = useCallback((now: Who) => {
    rememberCsrfToken(now.csrf_token)
    setWho(now)
  }, [])
  useEffect(() => {
    const stop = new AbortController()
    const ask = async () => {
      while (!stop.signal.aborted) {
        const now = await get<Who>('/v1/session', stop.signal).catch(() => undefined)
        if (now !== undefined) return take(now)
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
    onSignedOut(() => {
      setWasSignedOut(true)
      void ask()
    })
    void ask()
    return () => {
      onSignedOut(() => {})
      stop.abort()
    }
  }, [take])
  const signIn = async (key: string) => {
    const init = { method: 'POST', body: JSON.stringify({ key }) }
    take((await (await request('/v1/session', init)).json()) as Who)
    setWasSignedOut(false)
  }
  const signOut = async () => {
    const told = request('/v1/session', { method: 'DELETE' })
    const now = await told.then((response) => response.json() as Promise<Who>)
    setWasSignedOut(false)
    take(now)
  }
  if (who === undefined) return null
  if (!who.signed_in) return <SignIn onKey={signIn} wasSignedOut={wasSignedOut} />
  return <WhoContext.Provider value={{ ...who, signOut }}>{children}</WhoContext.Provider>
}
