import type { AppendedRecord, AppendOutcome, NewRecord } from '../model/append.ts'
import { retryOf } from '../model/errors.ts'
import { type LogRecord, recordAt } from '../model/record-batch.ts'
import type { EmbeddedLog } from './embedded/embedded-log.ts'
import { LogUnavailableError } from './errors.ts'
import type { Log, TopicConfig } from './log.ts'
import type { LogWatch } from './log-watch.ts'
import { pause } from './pause.ts'

// A log that goes on accepting while its broker is away. Records that the primary log cannot take
// go to a local log, durably, and are moved to the primary in order when it is back. Each topic is
// in one of two states:
//
//              primary says unavailable or unknown, or cannot be asked
//    direct ───────────────────────────────────────────────────────────▶ spilling
//      ▲                                                                    │
//      └────────────────────────────────────────────────────────────────────┘
//              everything spilled has been moved, and nothing is being spilled
//
// While a topic is spilling, all its records go to the spill, also when the primary is back: so
// records of one key keep their order. Moving sends the same ids again and lets the primary look
// for them, so it is exactly-once whatever is killed when: records of an `unknown` append that had
// arrived after all, and records moved just before a kill, are found and not written twice. What
// survives a crash: the spill, and how far it was moved. After a kill in the middle of a move, the
// records of that one batch are counted among the primary's duplicates, though nobody sent them
// twice.

export interface SpillingLogOptions<L extends Log> {
  readonly primary: L
  /**
   * Used for nothing else. Its limits (`fileBytesMax`, queue) are the limits of spilling. Closed
   * with this log.
   */
  readonly spill: EmbeddedLog
  /** Told why spilled records of a topic cannot be moved just now; it is tried again. */
  readonly onTrouble?: (topic: string, error: unknown) => void
  readonly watch?: Pick<LogWatch, 'onSpilled' | 'onMoved'>
}

/** How much is moved at once. */
const MOVE = { recordCountMax: 2_000, bytesMax: 1024 * 1024 }
/** How long to wait before the primary is tried again. */
const RETRY_INTERVAL_MS = 500
/** How long to wait for spilled records that are just being written. */
const LOOK_AGAIN_MS = 5
/** The name under which the spill remembers how far a topic was moved. */
const MOVER = 'spill-mover'

interface SpillingTopic {
  readonly name: string
  state: 'direct' | 'spilling'
  /** Appends to the spill that are under way. */
  spillingCount: number
  /** Next offset to be written in the spill, and to be moved from it. */
  spilledEnd: number
  movedEnd: number
  /** Made or changed while the primary was away; it is told when it is back. */
  toEnsure: TopicConfig | null
}

/**
 * Join a primary log and a spill. Begins to move at once what an earlier run left in the spill.
 * Only topics that were ensured through it are spilled, so that nothing is kept for a topic that
 * does not exist.
 */
export async function spillingLog<L extends Log>({
  primary,
  spill,
  onTrouble = () => {},
  watch = {},
}: SpillingLogOptions<L>): Promise<L> {
  const topics = new Map<string, SpillingTopic>()
  const closing = new AbortController()
  const moving = new Set<Promise<void>>()

  function beginSpilling(topic: SpillingTopic): void {
    if (topic.state === 'spilling') return
    topic.state = 'spilling'
    const move = moveAll(topic).finally(() => moving.delete(move))
    moving.add(move)
  }

  async function appendToSpill(
    topic: SpillingTopic,
    records: readonly NewRecord[],
  ): Promise<AppendOutcome> {
    topic.spillingCount += 1
    try {
      beginSpilling(topic)
      const outcome = await spill.append(topic.name, records)
      if (outcome.status !== 'appended') return outcome
      for (const { offset } of outcome.records)
        topic.spilledEnd = Math.max(topic.spilledEnd, offset + 1)
      watch.onSpilled?.(topic.name, records.length)
      const spilled: AppendedRecord = { status: 'spilled', partition: -1, offset: -1 }
      return { status: 'appended', records: records.map(() => spilled) }
    } finally {
      topic.spillingCount -= 1
    }
  }

  /** Move a topic's spilled records to the primary until there are none, or this log closes. */
  async function moveAll(topic: SpillingTopic): Promise<void> {
    const { name } = topic
    while (!closing.signal.aborted) {
      try {
        if (topic.toEnsure !== null) await primary.ensureTopic(topic.toEnsure)
        topic.toEnsure = null
        const step = await moveSome(topic)
        if (step === 'moved') continue
        await pause(step === 'away' ? RETRY_INTERVAL_MS : LOOK_AGAIN_MS, closing.signal)
      } catch (error) {
        onTrouble(name, error)
        await pause(RETRY_INTERVAL_MS, closing.signal)
      }
      // Looked at and acted upon in one turn, so nothing can be spilled in between.
      if (topic.movedEnd < topic.spilledEnd || topic.spillingCount > 0) continue
      if (topic.toEnsure !== null) continue
      topic.state = 'direct'
      break
    }
    await spill.dropBefore(name, 0, topic.movedEnd).catch((error) => onTrouble(name, error))
  }

  async function moveSome(topic: SpillingTopic): Promise<'moved' | 'away' | 'nothing'> {
    const { name } = topic
    const from = { topic: name, partition: 0, offset: topic.movedEnd }
    const batch = await spill.read({ ...from, ...MOVE })
    const records = Array.from(batch.offsets, (_, index) => resent(recordAt(batch, index)))
    if (records.length === 0) return 'nothing'
    const outcome = await primary.append(name, records)
    if (outcome.status !== 'appended') {
      onTrouble(name, new LogUnavailableError(`Spilled records wait: ${outcome.reason}.`))
      return 'away'
    }
    topic.movedEnd = batch.offsetEnd
    watch.onMoved?.(name, records.length)
    await spill.commit(MOVER, name, new Map([[0, topic.movedEnd]]))
    return 'moved'
  }

  for (const { name, bounds } of await spill.topics()) {
    const movedEnd = (await spill.committed(MOVER, name)).get(0) ?? 0
    const spilledEnd = bounds[0]!.offsetEnd
    const topic = { name, spillingCount: 0, spilledEnd, movedEnd, toEnsure: null }
    topics.set(name, { ...topic, state: 'direct' })
    if (spilledEnd > movedEnd) beginSpilling(topics.get(name)!)
  }

  return {
    ...primary,

    async ensureTopic(config: TopicConfig) {
      const { name } = config
      await spill.ensureTopic({ name, partitions: 1 })
      const places = { spillingCount: 0, spilledEnd: 0, movedEnd: 0, toEnsure: null }
      const topic: SpillingTopic = topics.get(name) ?? { name, state: 'direct', ...places }
      topics.set(name, topic)
      try {
        await primary.ensureTopic(config)
      } catch (error) {
        if (retryOf(error) !== 'later') throw error
        topic.toEnsure = config
        beginSpilling(topic)
      }
    },

    async append(name: string, records: readonly NewRecord[], signal?: AbortSignal) {
      const topic = topics.get(name)
      if (topic?.state === 'spilling') return appendToSpill(topic, records)
      const outcome = await primary.append(name, records, signal)
      if (outcome.status !== 'unavailable' && outcome.status !== 'unknown') return outcome
      return topic === undefined ? outcome : appendToSpill(topic, records)
    },

    async topics() {
      const spilled = new Map((await spill.topics()).map((topic) => [topic.name, topic]))
      return (await primary.topics()).map((topic) => ({
        ...topic,
        // Repeats that met each other in the spill.
        duplicateCount: topic.duplicateCount + (spilled.get(topic.name)?.duplicateCount ?? 0),
      }))
    },

    async close() {
      closing.abort()
      await Promise.all(moving)
      await primary.close()
      await spill.close()
    },
  }
}

/**
 * A spilled record on its way to the primary, which must look whether it is there: nobody knows
 * what was sent before. It keeps the time at which it arrived here.
 */
function resent({ id, key, value, headers, arrivedMs }: LogRecord): NewRecord {
  return { id, idMayRepeat: true, key, value, headers, arrivedMs }
}
