/**
 * Those who wait for something to be appended, each to one topic, which is known by its array of
 * next offsets.
 */
export class AppendWaiters {
  readonly #byTopic = new Map<readonly number[], Set<Waiter>>()

  /** Returns when some partition in `after` has its offset, or when `signal` aborts. */
  async wait(
    ends: readonly number[],
    after: ReadonlyMap<number, number>,
    signal: AbortSignal,
  ): Promise<void> {
    if (signal.aborted || isPast(ends, after)) return
    const waiters = this.#byTopic.get(ends) ?? new Set()
    this.#byTopic.set(ends, waiters)
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiter = { after, resolve }
    waiters.add(waiter)
    signal.addEventListener('abort', resolve as () => void, { once: true })
    await promise
    signal.removeEventListener('abort', resolve as () => void)
    waiters.delete(waiter)
  }

  /** Something was appended to the topic with these next offsets. */
  wake(ends: readonly number[]): void {
    for (const { after, resolve } of this.#byTopic.get(ends) ?? [])
      if (isPast(ends, after)) resolve()
  }

  /** The log closes; those who wait find out when they read. */
  wakeAll(): void {
    for (const waiters of this.#byTopic.values()) for (const { resolve } of waiters) resolve()
  }
}

interface Waiter {
  readonly after: ReadonlyMap<number, number>
  readonly resolve: () => void
}

function isPast(ends: readonly number[], after: ReadonlyMap<number, number>): boolean {
  for (const [partition, offset] of after) if ((ends[partition] ?? 0) > offset) return true
  return false
}
