import { setTimeout as sleep } from 'node:timers/promises'
import type { AppendedRecord, NewRecord } from '../model/append.ts'
import { retryOf } from '../model/errors.ts'
import type { Admission } from './admission.ts'
import type { AppendPort } from './append-port.ts'

/** What is said of a record that waits in memory. */
export const QUEUED: AppendedRecord = Object.freeze({ status: 'queued', partition: -1, offset: -1 })

/** Sent again after this long, and twice as long each time up to the maximum. */
const RETRY_FIRST_MS = 50
const RETRY_MAX_MS = 5_000

export interface QueuedAppendsOptions {
  readonly port: AppendPort
  readonly admission: Admission
  /** Told of what cannot be appended, whatever is tried. */
  readonly onLost: (error: unknown, what: string) => void
}

/**
 * Records of doors that answer before anything is durable (`ack: 'accepted'`). In: records, held by the admission's limits, so that memory
 * stays bounded; out: the append port, tried until it takes them. Survives a crash: nothing; that is what the
 * answer says. A clean end waits for all of them.
 */
export class QueuedAppends {
  readonly #options: QueuedAppendsOptions
  readonly #underWay = new Set<Promise<void>>()
  readonly #closing = new AbortController()

  constructor(options: QueuedAppendsOptions) {
    this.#options = options
  }

  /** Take records whose count the caller has had admitted. False when their bytes are too many now; nothing was taken. */
  take(topic: string, records: readonly NewRecord[]): boolean {
    const { admission } = this.#options
    const bytes = records.reduce((sum, { value }) => sum + value.length, 0)
    if (!admission.holdBytes(bytes)) return false
    // Views of the body would keep all of it, and its room is given back with the answer.
    const own = records.map((record) => ({ ...record, value: record.value.slice() }))
    const appending = this.#append(topic, own).finally(() => {
      admission.releaseRecords(records.length)
      admission.releaseBytes(bytes)
      this.#underWay.delete(appending)
    })
    this.#underWay.add(appending)
    return true
  }

  /** Returns when everything taken is durable, or lost: what is still refused after `drainMs` is given up and told. */
  async close(drainMs: number): Promise<void> {
    const deadline = setTimeout(() => this.#closing.abort(), drainMs)
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
    clearTimeout(deadline)
  }

  async #append(topic: string, records: readonly NewRecord[]): Promise<void> {
    // Whatever an earlier attempt has left, the same ids settle it.
    let attempted = records
    let trouble: unknown
    for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(RETRY_MAX_MS, waitMs * 2)) {
      try {
        const outcome = await this.#options.port.append(topic, attempted)
        if (outcome.status === 'appended') return
        trouble = new Error(outcome.reason)
      } catch (error) {
        trouble = error
        if (retryOf(error) === 'never') break
      }
      if (this.#closing.signal.aborted) break
      attempted = records.map((record) => ({ ...record, idMayRepeat: true }))
      await sleep(waitMs, undefined, { signal: this.#closing.signal }).catch(() => {})
    }
    this.#options.onLost(
      trouble,
      `Losing ${records.length} records of ${topic} that were answered early`,
    )
  }
}
