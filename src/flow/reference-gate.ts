/**
 * Who may use the references: any number of batches at once, or the one who changes them. A batch keeps its place from the join to the end of its
 * commit, so that whoever has changed a reference sees every row that was joined with it as it was before. Those who want to change go first.
 */
export interface ReferenceGate {
  /** A place among the batches; call what it returns to leave. Calling that twice is fine. */
  enter(signal?: AbortSignal): Promise<() => void>
  /** Work that nobody joins beside. */
  alone<T>(work: () => Promise<T>): Promise<T>
}

export function referenceGate(): ReferenceGate {
  let inside = 0
  let isClosed = false
  let waiting: (() => void)[] = []
  const wake = () => {
    const woken = waiting
    waiting = []
    for (const go of woken) go()
  }
  const change = () => new Promise<void>((resolve) => waiting.push(resolve))
  let queue: Promise<unknown> = Promise.resolve()

  const aloneNow = async <T>(work: () => Promise<T>): Promise<T> => {
    isClosed = true
    try {
      while (inside > 0) await change()
      return await work()
    } finally {
      isClosed = false
      wake()
    }
  }

  return Object.freeze({
    async enter(signal?: AbortSignal) {
      while (isClosed) {
        signal?.throwIfAborted()
        const aborted = new Promise<void>((resolve) =>
          signal?.addEventListener('abort', () => resolve(), { once: true }),
        )
        await Promise.race([change(), aborted])
      }
      inside += 1
      let left = false
      return () => {
        if (left) return
        left = true
        inside -= 1
        wake()
      }
    },
    alone<T>(work: () => Promise<T>) {
      const mine = queue.then(() => aloneNow(work))
      queue = mine.catch(() => {})
      return mine
    },
  })
}
