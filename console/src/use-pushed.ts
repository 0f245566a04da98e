import { useEffect, useState } from 'react'
import { events, Problem } from './api.ts'

const RETRY_MS = 1_500

/** The newest of the events that a path pushes. The old one stays while another path is asked, and while the connection is made again. */
export function usePushed<T>(path: string | undefined, event: string) {
  const [answer, setAnswer] = useState<T>()
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    if (path === undefined) return
    const stop = new AbortController()
    const listen = async () => {
      while (!stop.signal.aborted) {
        try {
          for await (const one of events(path, stop.signal)) {
            if (one.event !== event) continue
            setAnswer(one.data as T)
            setProblem(undefined)
          }
        } catch (error) {
          if (stop.signal.aborted) return
          setProblem((error as Error).message)
          // What was refused is refused again; only a platform that is away comes back.
          if (error instanceof Problem && error.status >= 400 && error.status < 500) return
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
    void listen()
    return () => stop.abort()
  }, [path, event])
  return { answer, problem }
}
