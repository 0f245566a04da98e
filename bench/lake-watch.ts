import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { cursorOf } from '../src/flow/log-to-lake.ts'

const LOOK_INTERVAL_MS = 5
const CONSUMER = 'user-events/bronze.user_events'
const TOPIC = 'user-events'

export interface CommitWatch {
  /** Returns once a commit holds the record at `offset` of a partition. */
  past(partition: number, offset: number): Promise<void>
  close(): void
}

/** Read a Delta table's log as it grows: each commit says up to which offset its rows go. */
export function watchCommits(table: string): CommitWatch {
  const log = path.join(table, '_delta_log')
  const file = (version: number) => path.join(log, `${String(version).padStart(20, '0')}.json`)
  const waiting = new Set<{ partition: number; offset: number; resolve: () => void }>()
  const ends = new Map<number, number>()
  const resolveReached = () => {
    for (const wait of waiting) {
      if ((ends.get(wait.partition) ?? 0) <= wait.offset) continue
      waiting.delete(wait)
      wait.resolve()
    }
  }
  let version = Math.max(
    ...readdirSync(log).map((name) => Number(/^(\d{20})\.json$/.exec(name)?.[1] ?? -1)),
  )
  const timer = setInterval(() => {
    for (; existsSync(file(version)); version += 1) {
      const actions = readFileSync(file(version), 'utf8')
        .trim()
        .split('\n')
        .map((l) => JSON.parse(l))
      const versions = actions.flatMap(({ txn }) =>
        txn ? [[txn.appId, txn.version] as const] : [],
      )
      for (const { topic, partition, offset } of cursorOf(CONSUMER, versions))
        if (topic === TOPIC) ends.set(partition, offset)
    }
    resolveReached()
  }, LOOK_INTERVAL_MS)
  return {
    past: (partition, offset) =>
      new Promise((resolve) => void waiting.add({ partition, offset, resolve })),
    close: () => clearInterval(timer),
  }
}
