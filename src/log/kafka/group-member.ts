import { type BaseOptions, Consumer, type GroupAssignment } from '@platformatic/kafka'
import type { GroupMember, GroupMembership } from '../group.ts'
import { asking } from './kafka-topics.ts'

/** A member that is silent for so long is taken for dead, and its partitions go to the others. */
const SESSION_TIMEOUT_MS = 10_000
const HEARTBEAT_INTERVAL_MS = 1_000
/** How long a member may take to finish what it has in hand when partitions are dealt out anew. */
const REBALANCE_TIMEOUT_MS = 30_000

/** Become a member of a Kafka consumer group (the classic protocol, which all brokers speak). */
export async function joinKafkaGroup(
  client: BaseOptions,
  { group, topics, onAssign, onRevoke }: GroupMembership,
): Promise<GroupMember> {
  const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>({
    ...client,
    groupId: group,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_INTERVAL_MS,
    rebalanceTimeout: REBALANCE_TIMEOUT_MS,
  })
  consumer.topics.trackAll(...topics)
  consumer.on('consumer:group:rebalance', () => onRevoke())
  consumer.on('consumer:group:join', () => onAssign(byTopic(consumer.assignments ?? [])))
  try {
    await asking(`let this process join group "${group}"`, () => consumer.joinGroup())
  } catch (error) {
    await consumer.close(true)
    throw error
  }
  return {
    async commit(topic, offsets) {
      await asking(`commit offsets of group "${group}"`, () =>
        consumer.commit({
          offsets: [...offsets].map(([partition, offset]) => ({
            topic,
            partition,
            offset: BigInt(offset),
            leaderEpoch: -1,
          })),
        }),
      )
    },
    async leave() {
      await consumer.leaveGroup(true)
      await consumer.close(true)
    },
  }
}

function byTopic(assignments: readonly GroupAssignment[]): ReadonlyMap<string, readonly number[]> {
  return new Map(
    assignments.map(({ topic, partitions }) => [topic, [...partitions].sort((a, b) => a - b)]),
  )
}
