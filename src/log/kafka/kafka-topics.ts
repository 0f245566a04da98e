import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Admin,
  ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes,
} from '@platformatic/kafka'
import { LogUnavailableError, TopicMismatchError, topicMissing } from '../errors.ts'
import type { PartitionBounds, TopicConfig } from '../log.ts'
import { kafkaTrouble } from './kafka-trouble.ts'

// Topics as the broker keeps them: made, described, their bounds. Retention is the broker's to
// enforce; we only set it.

/** A topic's name and identity in Kafka. */
export interface KafkaTopicIdentity {
  readonly name: string
  readonly kafkaId: string
  readonly partitionCount: number
}

/** How long a new topic may take to appear, and how often we look. */
const NEW_TOPIC_WAIT_MS = 10_000
const NEW_TOPIC_LOOK_MS = 25

/** The end is where reading ends: before the first open transaction of another program. */
const READ_COMMITTED = 1

const LATEST = -1n
const EARLIEST = -2n

/** Ask the broker something. Trouble becomes an error of ours. @throws LogUnavailableError */
export async function asking<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw unavailable(what, error)
  }
}

export function unavailable(what: string, error: unknown): LogUnavailableError {
  const { reason } = kafkaTrouble(error)
  return new LogUnavailableError(`Kafka could not ${what}: ${reason}.`, { cause: error })
}

/** @throws TopicMissingError */
export async function findTopic(admin: Admin, name: string): Promise<KafkaTopicIdentity> {
  const names = await asking('list its topics', () => admin.listTopics())
  if (!names.includes(name)) throw topicMissing(name, names)
  // The client keeps metadata for some seconds; a topic just made again must not be taken for its
  // predecessor.
  const metadata = await asking(`describe topic "${name}"`, () =>
    admin.metadata({ topics: [name], forceUpdate: true }),
  )
  const topic = metadata.topics.get(name)!
  return { name, kafkaId: topic.id, partitionCount: topic.partitionsCount }
}

/** @throws TopicMismatchError */
export async function ensureKafkaTopic(
  admin: Admin,
  topic: TopicConfig,
  replicationFactor: number,
): Promise<KafkaTopicIdentity> {
  const { name, partitions } = topic
  const retention = {
    'retention.ms': String(topic.retentionMs ?? -1),
    'retention.bytes': String(topic.retentionBytes ?? -1),
  }
  try {
    await admin.createTopics({
      topics: [name],
      partitions,
      replicas: replicationFactor,
      configs: Object.entries(retention).map(([key, value]) => ({ name: key, value })),
    })
    return await findNewTopic(admin, name)
  } catch (error) {
    if (error instanceof LogUnavailableError) throw error
    if (kafkaTrouble(error).kind !== 'exists') throw unavailable(`create topic "${name}"`, error)
  }
  const present = await findTopic(admin, name)
  if (present.partitionCount !== partitions)
    throw new TopicMismatchError(
      `Topic "${name}" has ${present.partitionCount} partitions and was asked for with ` +
        `${partitions}; the number cannot change. Keep it, or use a new topic.`,
    )
  await asking(`set the retention of topic "${name}"`, () =>
    admin.incrementalAlterConfigs({
      resources: [
        {
          resourceType: ConfigResourceTypes.TOPIC,
          resourceName: name,
          configs: Object.entries(retention).map(([key, value]) => ({
            name: key,
            configOperation: IncrementalAlterConfigOperationTypes.SET,
            value,
          })),
        },
      ],
    }),
  )
  return present
}

/**
 * A topic just created takes a moment until every broker knows it and its partitions have leaders.
 */
async function findNewTopic(admin: Admin, name: string): Promise<KafkaTopicIdentity> {
  const deadlineMs = Date.now() + NEW_TOPIC_WAIT_MS
  for (;;) {
    try {
      const topic = await findTopic(admin, name)
      const { topics } = await admin.metadata({ topics: [name] })
      if (topics.get(name)?.partitions.every(({ leader }) => leader >= 0)) return topic
    } catch (error) {
      if (Date.now() > deadlineMs)
        throw unavailable(`show topic "${name}" after creating it`, error)
    }
    await sleep(NEW_TOPIC_LOOK_MS)
  }
}

/** Retention of topics as the broker has it, by name. */
export async function retentionOf(
  admin: Admin,
  names: readonly string[],
): Promise<ReadonlyMap<string, Pick<TopicConfig, 'retentionMs' | 'retentionBytes'>>> {
  if (names.length === 0) return new Map()
  const described = await asking('describe its topics', () =>
    admin.describeConfigs({
      resources: names.map((resourceName) => ({
        resourceType: ConfigResourceTypes.TOPIC,
        resourceName,
        configurationKeys: ['retention.ms', 'retention.bytes'],
      })),
    }),
  )
  return new Map(
    described.map(({ resourceName, configs }) => {
      const settingOf = (key: string) =>
        Number(configs.find(({ name }) => name === key)?.value ?? -1)
      const retentionMs = settingOf('retention.ms')
      const retentionBytes = settingOf('retention.bytes')
      return [
        resourceName,
        {
          ...(retentionMs < 0 ? {} : { retentionMs }),
          ...(retentionBytes < 0 ? {} : { retentionBytes }),
        },
      ]
    }),
  )
}

export async function kafkaBounds(
  admin: Admin,
  topic: KafkaTopicIdentity,
): Promise<readonly PartitionBounds[]> {
  const [starts, ends] = await Promise.all([
    listOffsets(admin, topic, EARLIEST),
    listOffsets(admin, topic, LATEST),
  ])
  return Array.from({ length: topic.partitionCount }, (_, partition) => ({
    partition,
    offsetStart: starts.get(partition)!,
    offsetEnd: ends.get(partition)!,
  }))
}

/** The next offset of every partition. */
export const kafkaEnds = (admin: Admin, topic: KafkaTopicIdentity) =>
  listOffsets(admin, topic, LATEST)

/** The first offset of each partition at or after a time, -1 where there is none. */
export const kafkaOffsetsAt = (admin: Admin, topic: KafkaTopicIdentity, timeMs: number) =>
  listOffsets(admin, topic, BigInt(Math.ceil(timeMs)))

async function listOffsets(
  admin: Admin,
  { name, partitionCount }: KafkaTopicIdentity,
  timestamp: bigint,
): Promise<ReadonlyMap<number, number>> {
  const partitions = Array.from({ length: partitionCount }, (_, partitionIndex) => ({
    partitionIndex,
    timestamp,
  }))
  const [topic] = await asking(`list offsets of topic "${name}"`, () =>
    admin.listOffsets({ topics: [{ name, partitions }], isolationLevel: READ_COMMITTED }),
  )
  return new Map(topic!.partitions.map((each) => [each.partitionIndex, Number(each.offset)]))
}
