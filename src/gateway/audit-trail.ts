import type { AuditEnding, AuditEntry } from '../model/access.ts'
import type { Clock } from '../model/clock.ts'
import type { KeyIdentity } from './api-keys.ts'

// The audit log's side of the door. An action is written down before it is begun and again when it has ended, so that none happens without
// a trace: where nothing can be written, nothing is done. What ends with the process stays `begun`.

/** Where the audit log is kept. Promises are fulfilled when it is durable. */
export interface AuditStorePort {
  addAudit(entry: Omit<AuditEntry, 'atMs'>): Promise<number>
  endAudit(id: number, ending: AuditEnding): Promise<void>
}

/** What is asked for, by whom, from where. */
export interface AuditedRequest {
  /** `undefined` where no keys are asked for; `stranger` where they are, and this one was none. */
  readonly identity: KeyIdentity | 'stranger' | undefined
  readonly address: string
  readonly action: string
  readonly subject: string
}

export interface AuditTrail {
  /** @throws what the store throws: the action must not be begun then */
  begin(asked: AuditedRequest): Promise<number>
  end(id: number, ending: AuditEnding): Promise<void>
  /** Something that was not done. The same by the same again within a minute is not written down again. */
  refused(asked: AuditedRequest, status: number, detail: string): Promise<void>
}

const REPEAT_MS = 60_000
const REPEATS_REMEMBERED_MAX = 1_000

export function openAuditTrail(
  store: AuditStorePort,
  clock: Clock,
  onSurprise: (error: unknown, what: string) => void,
): AuditTrail {
  const repeats = new Map<string, number>()
  const isRepeat = ({ identity, address, action }: AuditedRequest, detail: string) => {
    const who = typeof identity === 'object' ? [identity.name, identity.session] : identity
    const name = JSON.stringify([who, address, action, detail])
    const nowMs = clock.nowMs()
    const isKnown = nowMs - (repeats.get(name) ?? Number.NEGATIVE_INFINITY) < REPEAT_MS
    if (isKnown) return true
    repeats.delete(name)
    repeats.set(name, nowMs)
    if (repeats.size > REPEATS_REMEMBERED_MAX) repeats.delete(repeats.keys().next().value!)
    return false
  }
  return {
    begin: (asked) =>
      store.addAudit({ ...entryOf(asked), outcome: 'begun', status: null, detail: null }),
    // The action is over and answered by now; that its end could not be written is all that can be said.
    end: (id, ending) =>
      store.endAudit(id, ending).catch((error) => onSurprise(error, 'the audit log')),
    async refused(asked, status, detail) {
      if (isRepeat(asked, detail)) return
      await store
        .addAudit({ ...entryOf(asked), outcome: 'refused', status, detail })
        .catch((error) => onSurprise(error, 'the audit log'))
    },
  }
}

const entryOf = ({ identity, address, action, subject }: AuditedRequest) => {
  if (identity === 'stranger')
    return {
      ...({ actor: 'unknown', by: 'key', session: null, role: null } as const),
      ...{ address, action, subject },
    }
  const { name = 'anybody', session = null, role = null } = identity ?? {}
  const by = identity === undefined ? 'open' : session === null ? 'key' : 'session'
  return { actor: name, by, session, role, address, action, subject } as const
}
