import type { Log } from '../log/log.ts'
import type { Clock } from '../model/clock.ts'
import { messageOf } from '../model/errors.ts'

const RETENTION_INTERVAL_MS = 60_000

/** See to it every minute that topics keep no more than they say. Returns how to stop; a failed look is said and tried again. */
export function startRetention(
  log: Log,
  clock: Clock,
  onNotice: (line: string) => void,
): () => void {
  const timer = setInterval(() => {
    log
      .enforceRetention(clock.nowMs())
      .catch((error) => onNotice(`Retention was not enforced this time: ${messageOf(error)}`))
  }, RETENTION_INTERVAL_MS)
  timer.unref()
  return () => clearInterval(timer)
}
