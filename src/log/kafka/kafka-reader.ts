import { type Admin, type Connection, fetchV17 } from '@platformatic/kafka'
import type { RecordBatch } from '../../model/record-batch.ts'
import { LogUnavailableError } from '../errors.ts'
import type { ReadRequest } from '../log.ts'
import { sliceBatch, toRecordBatch } from './kafka-records.ts'
import { type KafkaTopicIdentity, unavailable } from './kafka-topics.ts'
import { kafkaTrouble } from './kafka-trouble.ts'

/** Bytes asked of the broker at once, compressed. At least one batch comes, however large. */
const FETCH_BYTES_MIN = 256 * 1024
const FETCH_BYTES_MAX = 8 * 1024 * 1024
/**
 * No fetch session: a session belongs to one reader, and ours go to any partition at any time
 * (KIP-227).
 */
const NO_SESSION = { id: 0, epoch: -1 }
const READ_COMMITTED = 1
/** Partitions for which the rest of a fetch is kept, so that memory stays bounded. */
const LEFT_COUNT_MAX = 16

/**
 * Reads partitions from any offset, without a group. Kafka hands out whole batches; what a request
 * does not want yet is kept for the next one, which usually goes on there.
 */
export class KafkaReader {
  readonly #admin: Admin
  readonly #left = new Map<string, RecordBatch>()

  constructor(admin: Admin) {
    this.#admin = admin
  }

  /** @throws LogUnavailableError */
  async read(topic: KafkaTopicIdentity, request: ReadRequest): Promise<RecordBatch> {
    const place = `${topic.kafkaId}/${request.partition}`
    const left = this.#left.get(place)
    this.#left.delete(place)
    const batch =
      left !== undefined && left.offsets[0] === request.offset
        ? left
        : await this.#fetch(topic, request)
    const count = countWithin(batch, request)
    if (count < batch.offsets.length) {
      this.#left.set(place, sliceBatch(batch, count, batch.offsets.length))
      const [oldest] = this.#left.keys()
      if (this.#left.size > LEFT_COUNT_MAX) this.#left.delete(oldest!)
    }
    return sliceBatch(batch, 0, count)
  }

  async #fetch(topic: KafkaTopicIdentity, request: ReadRequest): Promise<RecordBatch> {
    const { name } = topic
    const { partition, offset } = request
    const bytes = Math.min(FETCH_BYTES_MAX, Math.max(FETCH_BYTES_MIN, request.bytesMax))
    try {
      const answer = await this.#askLeader(topic, partition, offset, bytes)
      return toRecordBatch(name, partition, offset, answer.responses[0]?.partitions[0])
    } catch (error) {
      const logStart = outOfRange(error) ? await this.#logStart(topic, partition) : offset
      // Retention has passed the offset by: reading goes on at the oldest kept.
      if (logStart > offset) return this.#fetch(topic, { ...request, offset: logStart })
      if (outOfRange(error)) return toRecordBatch(name, partition, offset, undefined)
      this.#admin.clearMetadata()
      throw unavailable(`read partition ${partition} of topic "${name}"`, error)
    }
  }

  async #askLeader(
    { name, kafkaId }: KafkaTopicIdentity,
    partition: number,
    offset: number,
    bytes: number,
  ) {
    const { topics } = await this.#admin.metadata({ topics: [name] })
    const leader = topics.get(name)?.partitions[partition]?.leader ?? -1
    const connection = (await this.#admin.connectToBrokers([leader])).get(leader) as
      | Connection
      | undefined
    if (connection === undefined)
      throw new LogUnavailableError(`Partition ${partition} of topic "${name}" has no leader.`)
    return fetchV17.api.async(
      connection,
      0,
      1,
      bytes,
      READ_COMMITTED,
      NO_SESSION.id,
      NO_SESSION.epoch,
      [
        {
          topicId: kafkaId,
          partitions: [
            {
              partition,
              currentLeaderEpoch: -1,
              fetchOffset: BigInt(offset),
              lastFetchedEpoch: -1,
              partitionMaxBytes: bytes,
            },
          ],
        },
      ],
      [],
      '',
    )
  }

  async #logStart({ name }: KafkaTopicIdentity, partition: number): Promise<number> {
    const [listed] = await this.#admin.listOffsets({
      topics: [{ name, partitions: [{ partitionIndex: partition, timestamp: -2n }] }],
    })
    return Number(listed!.partitions[0]!.offset)
  }
}

const outOfRange = (error: unknown) => kafkaTrouble(error).code === 'OFFSET_OUT_OF_RANGE'

/** How many records from the first on a request may have; at least one when there is one. */
function countWithin(batch: RecordBatch, { recordCountMax, bytesMax }: ReadRequest): number {
  const { ends } = batch.values
  let count = Math.min(recordCountMax, ends.length)
  while (count > 1 && ends[count - 1]! > bytesMax) count -= 1
  return count
}
