import { useCallback, useEffect, useState } from 'react'
import { get } from './api.ts'

/** An answer of the API, asked when `path` or `when` changes; the old one stays until the new one is there. */
export function useAnswer<T>(path: string | undefined, when: unknown = undefined) {
  const [answer, setAnswer] = useState<T>()
  const [problem, setProblem] = useState<string>()
  const [turn, setTurn] = useState(0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: `when` and `turn` are reasons to ask again
  useEffect(() => {
    if (path === undefined) return
    const stop = new AbortController()
    get<T>(path, stop.signal).then(
      (value) => {
        setAnswer(value)
        setProblem(undefined)
      },
      (error: Error) => {
        if (!stop.signal.aborted) setProblem(error.message)
      },
    )
    return () => stop.abort()
  }, [path, when, turn])
  const again = useCallback(() => setTurn((old) => old + 1), [])
  return { answer, problem, again }
}
