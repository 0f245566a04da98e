/** Wait for Ctrl+C or SIGTERM. */
export async function untilInterrupted(
  signal: AbortSignal,
  note: (line: string) => void,
): Promise<void> {
  if (!signal.aborted) {
    await new Promise<void>((resolve) => {
      // The timer keeps the process alive: an abort listener alone does not.
      const alive = setInterval(() => {}, 1 << 30)
      signal.addEventListener(
        'abort',
        () => {
          clearInterval(alive)
          resolve()
        },
        { once: true },
      )
    })
  }
  note('Stopping: finishing what is in hand …')
}
