import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts'
import type { Log } from '../src/log/log.ts'
import type { NewRecord } from '../src/model/append.ts'
import { systemClock, systemRandomness } from '../src/model/clock.ts'
import { uuidV7Maker } from '../src/model/uuid.ts'
import type { PipelinePlan } from '../src/pipeline/plan.ts'
import { userEventText } from './user-event.ts'

const RECORDS_PER_APPEND = 5_000
const APPENDS_AT_ONCE = 4

/** An embedded log with `eventCount` events in the first topic of `plan`, as the front door would have put them there. */
export async function fillLog(options: {
  readonly file: string
  readonly plan: PipelinePlan
  readonly eventCount: number
  /** One event as JSON, its key first. Default: user events. */
  readonly textOf?: (n: number) => string
}): Promise<Log> {
  const { file, plan, eventCount, textOf = userEventText } = options
  const log = await openEmbeddedLog({ file })
  const { name, partitions } = plan.topics[0]!
  await log.ensureTopic({ name, partitions })
  const newId = uuidV7Maker(systemClock, systemRandomness)
  const running = new Set<Promise<void>>()
  for (let from = 0; from < eventCount; from += RECORDS_PER_APPEND) {
    const count = Math.min(RECORDS_PER_APPEND, eventCount - from)
    const records = Array.from({ length: count }, (_, n) => newRecord(textOf(from + n), newId()))
    const done = log.append(name, records).then((outcome) => {
      running.delete(done)
      if (outcome.status !== 'appended') throw new Error(outcome.reason)
    })
    running.add(done)
    if (running.size >= APPENDS_AT_ONCE) await Promise.race(running)
  }
  await Promise.all(running)
  return log
}

const HEADERS = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }

function newRecord(text: string, id: string): NewRecord {
  const key = text.slice(text.indexOf(':') + 1, text.indexOf(','))
  return { id, idMayRepeat: false, key, value: Buffer.from(text), headers: HEADERS }
}
