import type { AppendOutcome, NewRecord } from '../model/append.ts'
import type { DeadLetter } from '../model/dead-letter.ts'

/** What the gateway needs from behind it: somewhere to put records durably, and somewhere to put those it turns away. */
export interface AppendPort {
  /**
   * Durable when it says `appended`. Never waits for room: past the named limits it says `full` at once.
   * Called concurrently; records of one call keep their order.
   */
  append(topic: string, records: readonly NewRecord[]): Promise<AppendOutcome>

  /**
   * Keep rejected records of one body, up to 1,000 at a time. Durable when it returns; the same bytes again count as a further
   * attempt. Their `offset` is 0: the port numbers them.
   */
  reject(letters: readonly DeadLetter[]): Promise<void>
}
