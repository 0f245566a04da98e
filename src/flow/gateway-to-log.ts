import type { AppendPort } from '../gateway/append-port.ts'
import type { Log } from '../log/log.ts'
import type { StateStore } from '../state/state-store.ts'

/**
 * The front door's way into the log. A 202 is sent after `append` says `appended`, which is after the record is durable; a
 * rejection is answered after the record is kept as a dead letter. Nothing is held in between.
 */
export function gatewayToLog({
  log,
  state,
}: {
  readonly log: Log
  readonly state: StateStore
}): AppendPort {
  return {
    append: (topic, records) => log.append(topic, records),
    reject: (letters) => state.record(letters),
  }
}
