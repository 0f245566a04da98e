/** How long one stretch of parsing may hold the event loop. */
export const TURN_MS = 3

/**
 * Hands the event loop around. Work on large bodies asks for a turn before each stretch; one stretch runs per
 * round of the loop, so that many large bodies together delay a small request no more than one of them does.
 */
export interface Turns {
  next(): Promise<void>
}

export function createTurns(): Turns {
  const waiting: (() => void)[] = []
  let scheduled = false
  const run = () => {
    waiting.shift()?.()
    scheduled = waiting.length > 0
    if (scheduled) setImmediate(run)
  }
  return {
    next: () =>
      new Promise((resolve) => {
        waiting.push(resolve)
        if (scheduled) return
        scheduled = true
        setImmediate(run)
      }),
  }
}
