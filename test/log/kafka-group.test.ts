import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { GroupMember } from '../../src/log/group.ts'
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { ensureService } from '../services.ts'

const kafka = await ensureService('kafka')

describe('a Kafka group', () => {
  test.skipIf('skip' in kafka)(
    'deals partitions out among its members, and again when one leaves',
    async () => {
      if ('skip' in kafka) return
      const folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-group-'))
      const topic = `t-${randomUUID().slice(0, 13)}`
      const group = `g-${topic}`
      const log = await openKafkaLog({
        brokers: [`127.0.0.1:${kafka.port}`],
        indexFile: path.join(folder, 'ids.sqlite'),
      })
      const members: GroupMember[] = []
      const owned: (readonly number[] | null)[] = []
      const join = async (number: number) => {
        owned[number] = null
        members[number] = await log.joinGroup({
          group,
          topics: [topic],
          onAssign: (assigned) => {
            owned[number] = assigned.get(topic) ?? []
          },
          onRevoke: () => {
            owned[number] = null
          },
        })
      }
      try {
        await log.ensureTopic({ name: topic, partitions: 4 })
        await join(0)
        expect(owned[0]).toEqual([0, 1, 2, 3])
        await members[0]!.commit(topic, new Map([[2, 7]]))

        await join(1)
        await expect.poll(() => owned[0]?.length, { timeout: 15_000 }).toBe(2)
        expect([...owned[0]!, ...owned[1]!].sort()).toEqual([0, 1, 2, 3])
        await members[1]!.commit(topic, new Map([[owned[1]![0]!, 3]]))

        await members[0]!.leave()
        await expect.poll(() => owned[1], { timeout: 15_000 }).toEqual([0, 1, 2, 3])
        expect((await log.committed(group, topic)).get(2)).toBe(owned[1]![0] === 2 ? 3 : 7)
        await members[1]!.leave()
      } finally {
        await log.close()
        rmSync(folder, { recursive: true })
      }
    },
  )
})
