import type { Log, PartitionBounds } from '../log/log.ts'
import type { ConsumedRange, Cursor } from '../model/consumed.ts'
import type { SourcePort } from '../stream/ports.ts'

/** Where a hop without a cursor begins: with the oldest record kept, or with the next one to come. */
export type StartAt = 'earliest' | 'latest'

export interface LogSourceOptions {
  readonly log: Log
  /** The topics, and last the topic of replayed dead letters of this hop. */
  readonly topics: readonly string[]
  readonly startAt: StartAt
}

interface Place extends PartitionBounds {
  readonly topic: string
}

/**
 * The log as a hop's source. Reads every partition that has something new, each for an equal share of the limits, so that a busy
 * partition does not starve the others.
 */
export function logSource({ log, topics, startAt }: LogSourceOptions): SourcePort {
  const places = async (): Promise<Place[]> =>
    (
      await Promise.all(
        topics.map(async (topic) =>
          (await log.bounds(topic)).map((bounds) => ({ topic, ...bounds })),
        ),
      )
    ).flat()

  return {
    async skipped(cursor) {
      const unknown = (await places()).filter((place) => lineOf(cursor, place) === undefined)
      return unknown.flatMap((place) => {
        // Replayed records are always meant for this hop, whenever it starts.
        const fromEnd = startAt === 'latest' && place.topic !== topics.at(-1)
        const offsetEnd = fromEnd ? place.offsetEnd : place.offsetStart
        return offsetEnd === 0 && !fromEnd ? [] : [skippedRange(place, offsetEnd)]
      })
    },

    async read(cursor, limits, signal) {
      const behind = (await places()).filter((place) => nextOffset(cursor, place) < place.offsetEnd)
      if (behind.length === 0) return []
      const batches = await Promise.all(
        behind.map((place) =>
          log.read(
            {
              topic: place.topic,
              partition: place.partition,
              offset: nextOffset(cursor, place),
              recordCountMax: Math.ceil(limits.recordCountMax / behind.length),
              bytesMax: Math.ceil(limits.bytesMax / behind.length),
            },
            signal,
          ),
        ),
      )
      return batches.filter((batch) => batch.offsets.length > 0)
    },

    async waitForMore(cursor, signal) {
      const either = new AbortController()
      const both = AbortSignal.any([signal, either.signal])
      const known = await places()
      const waits = topics.map((topic) => {
        const after = known
          .filter((place) => place.topic === topic)
          .map((place) => [place.partition, nextOffset(cursor, place)] as const)
        return log.waitForAppend(topic, new Map(after), both)
      })
      try {
        await Promise.race(waits)
      } finally {
        either.abort()
        await Promise.allSettled(waits)
      }
    },

    async lagRecords(cursor) {
      return (await places()).reduce(
        (lag, place) => lag + Math.max(0, place.offsetEnd - nextOffset(cursor, place)),
        0,
      )
    },
  }
}

const lineOf = (cursor: Cursor, { topic, partition }: Place) =>
  cursor.find((line) => line.topic === topic && line.partition === partition)

const nextOffset = (cursor: Cursor, place: Place) => lineOf(cursor, place)?.offset ?? 0

function skippedRange({ topic, partition }: Place, offsetEnd: number): ConsumedRange {
  return {
    topic,
    partition,
    offsetStart: 0,
    offsetEnd,
    read: offsetEnd,
    rows: 0,
    dead: 0,
    filtered: offsetEnd,
  }
}
