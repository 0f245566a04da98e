import type { Admin } from '@platformatic/kafka'
import { asking, type KafkaTopicIdentity } from './kafka-topics.ts'

// Offsets of named groups, kept by the broker. Groups with members commit through their membership
// instead: the broker refuses strangers then.

export async function committedOffsets(
  admin: Admin,
  group: string,
  { name, partitionCount }: KafkaTopicIdentity,
): Promise<ReadonlyMap<number, number>> {
  const partitionIndexes = Array.from({ length: partitionCount }, (_, partition) => partition)
  const groups = await asking(`tell the offsets of group "${group}"`, () =>
    admin.listConsumerGroupOffsets({
      groups: [{ groupId: group, topics: [{ name, partitionIndexes }] }],
    }),
  )
  const partitions = groups[0]?.topics.find((topic) => topic.name === name)?.partitions ?? []
  return new Map(
    partitions
      .filter(({ committedOffset }) => committedOffset >= 0n)
      .map(({ partitionIndex, committedOffset }) => [partitionIndex, Number(committedOffset)]),
  )
}

export async function commitOffsets(
  admin: Admin,
  group: string,
  { name }: KafkaTopicIdentity,
  offsets: ReadonlyMap<number, number>,
): Promise<void> {
  const partitionOffsets = [...offsets].map(([partition, offset]) => ({
    partition,
    offset: BigInt(offset),
  }))
  await asking(`commit offsets of group "${group}"`, () =>
    admin.alterConsumerGroupOffsets({ groupId: group, topics: [{ name, partitionOffsets }] }),
  )
}
