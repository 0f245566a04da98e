import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin } from '@platformatic/kafka'
import { bytesAt } from '../../model/record-batch.ts'
import type { ThreadCaller } from '../thread-call.ts'
import type { IdIndexFunctions } from './id-index-thread.ts'
import type { KafkaTopic } from './kafka-append.ts'
import { KafkaReader } from './kafka-reader.ts'
import { findTopic, type KafkaTopicIdentity, kafkaBounds, kafkaEnds } from './kafka-topics.ts'

const CATCH_UP = { recordCountMax: 20_000, bytesMax: 4 * 1024 * 1024 }

/** The topics in use, and how far the id index has seen each of them. */
export class TopicMemory {
  readonly #admin: Admin
  readonly #index: ThreadCaller<IdIndexFunctions>
  readonly #reader: KafkaReader
  readonly #topics = new Map<string, Promise<KafkaTopic>>()

  constructor(admin: Admin, index: ThreadCaller<IdIndexFunctions>) {
    this.#admin = admin
    this.#index = index
    this.#reader = new KafkaReader(admin)
  }

  /**
   * A topic by name; the broker is asked the first time. @throws TopicMissingError,
   * LogUnavailableError
   */
  find(name: string): Promise<KafkaTopic> {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    const finding = findTopic(this.#admin, name).then((identity) => this.#remember(identity))
    this.#topics.set(name, finding)
    finding.catch(() => this.#topics.delete(name))
    return finding
  }

  /** What the broker just said a topic is. When it was made anew, the old one is forgotten. */
  async learn(identity: KafkaTopicIdentity): Promise<void> {
    const known = await this.#topics.get(identity.name)
    if (known?.kafkaId === identity.kafkaId) return
    const remembering = this.#remember(identity)
    this.#topics.set(identity.name, remembering)
    await remembering
  }

  /**
   * Read what lies beyond what the index has seen into it, to the end. @throws LogUnavailableError
   */
  async catchUp(topic: KafkaTopic): Promise<void> {
    await sleep(Math.max(0, topic.settledAtMs - Date.now()))
    for (const [partition, end] of await kafkaEnds(this.#admin, topic))
      while (topic.seenEnds[partition]! < end) await this.#enterSome(topic, partition)
    topic.isCurrent = true
  }

  /** Forget the ids of records that the broker has dropped. Returns how many records those are. */
  async forgetDropped(): Promise<number> {
    let dropped = 0
    for (const finding of [...this.#topics.values()]) {
      const topic = await finding
      const bounds = await kafkaBounds(this.#admin, topic)
      const starts = new Map(bounds.map((each) => [each.partition, each.offsetStart]))
      dropped += await this.#index.call('forget', { indexId: topic.indexId, starts })
    }
    return dropped
  }

  async #enterSome(topic: KafkaTopic, partition: number): Promise<void> {
    const offset = topic.seenEnds[partition]!
    const request = { topic: topic.name, partition, offset, ...CATCH_UP }
    const batch = await this.#reader.read(topic, request)
    await this.#index.call('enter', {
      indexId: topic.indexId,
      ids: Array.from(batch.offsets, (_, at) => Buffer.from(bytesAt(batch.ids, at)).toString()),
      partitions: Array.from(batch.offsets, () => partition),
      offsets: [...batch.offsets],
      seenEnds: new Map([[partition, batch.offsetEnd]]),
      duplicateCount: 0,
    })
    topic.seenEnds[partition] = batch.offsetEnd
    // The leader may not hand out yet what it counts already.
    if (batch.offsetEnd === offset) await sleep(10)
  }

  async #remember(identity: KafkaTopicIdentity): Promise<KafkaTopic> {
    const { name, kafkaId, partitionCount } = identity
    const request = { name, kafkaId, partitions: partitionCount }
    const { indexId, seenEnds } = await this.#index.call('topic', request)
    const unsure = { isCurrent: false, doubtfulIds: new Set<string>(), settledAtMs: 0 }
    return { ...identity, indexId, seenEnds: [...seenEnds], ...unsure }
  }
}
