import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react'
import { events, type Now, Problem } from './api.ts'

// One connection for the whole console: what happens, once a second, and word of dashboards with new answers.

export interface Live {
  readonly now: Now | undefined
  /** Records a second, by topic and by hop. */
  readonly rates: ReadonlyMap<string, number>
  readonly state: 'connecting' | 'live' | 'away'
  /** Counted up whenever a dashboard has a new answer. */
  readonly dashboards: ReadonlyMap<string, number>
}

const NOTHING: Live = {
  now: undefined,
  rates: new Map(),
  state: 'connecting',
  dashboards: new Map(),
}

const LiveContext = createContext<Live>(NOTHING)

export const useLive = (): Live => useContext(LiveContext)

/** Counts up every so many milliseconds of the platform's time: a reason to ask again. Before its time is known this machine's own will do. */
export function useTurn(everyMs: number): number {
  const { now } = useLive()
  return Math.floor((now === undefined ? Date.now() : Date.parse(now.at)) / everyMs)
}

const RETRY_MS = 1_500

export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const [live, setLive] = useState<Live>(NOTHING)
  const before = useRef<Now>(undefined)
  useEffect(() => {
    const stop = new AbortController()
    const take = (now: Now) => {
      const rates = ratesBetween(before.current, now)
      before.current = now
      setLive((old) => ({ ...old, now, rates, state: 'live' }))
    }
    const listen = async () => {
      while (!stop.signal.aborted) {
        try {
          for await (const { event, data } of events('/v1/live', stop.signal)) {
            if (event === 'now') take(data as Now)
            if (event === 'dashboard') {
              const { pipeline } = data as { pipeline: string }
              setLive((old) => ({
                ...old,
                dashboards: new Map(old.dashboards).set(
                  pipeline,
                  (old.dashboards.get(pipeline) ?? 0) + 1,
                ),
              }))
            }
          }
        } catch (error) {
          if (stop.signal.aborted) return
          // Whoever was signed out is asked to sign in again, and this begins anew then.
          if (error instanceof Problem && error.status === 401) return
        }
        setLive((old) => ({ ...old, state: 'away' }))
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
    void listen()
    return () => stop.abort()
  }, [])
  return <LiveContext.Provider value={live}>{children}</LiveContext.Provider>
}

function ratesBetween(before: Now | undefined, now: Now): Map<string, number> {
  const rates = new Map<string, number>()
  if (before === undefined) return rates
  const seconds = (Date.parse(now.at) - Date.parse(before.at)) / 1000
  if (seconds <= 0) return rates
  for (const { name, total } of now.topics) {
    const old = before.topics.find((topic) => topic.name === name)
    if (old !== undefined) rates.set(`topic ${name}`, Math.max(0, (total - old.total) / seconds))
  }
  for (const { hop, rows } of now.hops) {
    const old = before.hops.find((each) => each.hop === hop)
    if (old !== undefined) rates.set(hop, Math.max(0, (rows - old.rows) / seconds))
  }
  return rates
}
