import { createHash } from 'node:crypto'
import type { AppendPort } from '../../src/gateway/append-port.ts'
import type { AppendedRecord, AppendOutcome, NewRecord } from '../../src/model/append.ts'
import type { DeadLetter } from '../../src/model/dead-letter.ts'

export interface StoredRecord extends NewRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/**
 * A log in memory: partitions by key, finds repeated ids, numbers dead letters. What it does when it is not `open` is set by the test.
 */
export class MemoryPort implements AppendPort {
  readonly records: StoredRecord[] = []
  readonly letters: DeadLetter[] = []
  appendCallCount = 0
  /** What every append answers instead of storing. */
  refusal: Exclude<AppendOutcome, { status: 'appended' }> | undefined
  /** Thrown by both methods while set. */
  failure: Error | undefined
  /** Appends wait for this, as for a disk. */
  gate: Promise<void> = Promise.resolve()
  readonly #partitionCount: number
  readonly #byId = new Map<string, StoredRecord>()
  readonly #ends = new Map<string, number>()

  constructor(partitionCount = 3) {
    this.#partitionCount = partitionCount
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<AppendOutcome> {
    this.appendCallCount += 1
    await this.gate
    if (this.failure !== undefined) throw this.failure
    if (this.refusal !== undefined) return this.refusal
    return { status: 'appended', records: records.map((record) => this.#store(topic, record)) }
  }

  async reject(letters: readonly DeadLetter[]): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    for (const letter of letters) {
      this.letters.push({ ...letter, offset: this.letters.length, value: letter.value.slice() })
    }
  }

  #store(topic: string, record: NewRecord): AppendedRecord {
    const name = `${topic}\0${record.id}`
    const known = this.#byId.get(name)
    if (known !== undefined) {
      return { status: 'duplicate', partition: known.partition, offset: known.offset }
    }
    const hash = createHash('sha256').update(record.key ?? record.id)
    const partition = hash.digest().readUInt32BE() % this.#partitionCount
    const offset = this.#ends.get(`${topic}/${partition}`) ?? 0
    this.#ends.set(`${topic}/${partition}`, offset + 1)
    const stored = { ...record, value: record.value.slice(), topic, partition, offset }
    this.#byId.set(name, stored)
    this.records.push(stored)
    return { status: 'appended', partition, offset }
  }
}
