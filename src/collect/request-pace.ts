import { setTimeout as sleep } from 'node:timers/promises'

/** When requests may leave: evenly spaced, and none at all while the source has asked for a rest. */
export interface RequestPace {
  /** Returns when the next request may leave. @throws when the signal aborts */
  turn(signal: AbortSignal): Promise<void>
  /** Nobody asks for so long from now on. */
  rest(ms: number): void
  /** Milliseconds for which nobody may ask. */
  restMs(): number
}

/** @param requestsPerSecond above zero; the spacing is even, so there are no bursts */
export function requestPace(requestsPerSecond: number): RequestPace {
  const stepMs = 1_000 / requestsPerSecond
  let nextMs = 0
  let restUntilMs = 0
  return {
    async turn(signal) {
      while (true) {
        signal.throwIfAborted()
        const nowMs = performance.now()
        const atMs = Math.max(nowMs, nextMs, restUntilMs)
        nextMs = atMs + stepMs
        if (atMs > nowMs) await sleep(atMs - nowMs, undefined, { signal })
        // A rest that began meanwhile holds for those who were waiting too.
        if (performance.now() >= restUntilMs - 1) return
      }
    },
    rest(ms) {
      restUntilMs = Math.max(restUntilMs, performance.now() + ms)
    },
    restMs: () => Math.max(0, restUntilMs - performance.now()),
  }
}
