import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../log/log.ts'
import type { Cursor } from '../model/consumed.ts'
import { hopLine, type LedgerLine, ledgerLine, type TopicEnd } from '../model/ledger.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { StateStore } from '../state/state-store.ts'

/** A hop as the ledger sees it: where its cursor is, and how many rows are really there. */
export interface LedgerHop {
  readonly name: string
  /** Topics it reads. */
  readonly topics: readonly string[]
  cursor(): Promise<Cursor>
  /**
   * Whether it is between two batches, so that its target holds what its cursor says and no more. A hop that has not yet read its cursor, that
   * is in the middle of a batch, or that does not know what became of one, is not.
   */
  isAtRest(): boolean
  /** Counted in the target itself; `undefined` where that is not possible now. */
  rowsFound(): Promise<number | undefined>
}

export interface LedgerOptions {
  readonly plan: PipelinePlan
  readonly log: Pick<Log, 'bounds' | 'topics'>
  readonly state: Pick<StateStore, 'counts' | 'rejectedCount'>
  readonly hops: readonly LedgerHop[]
}

/** A hop at work is rarely at rest for as long as a look takes; this often we try, and then leave out what we could not compare. */
const LOOK_COUNT_MAX = 5
const LOOK_PAUSE_MS = 20

/**
 * The ledger of one pipeline: gateway, log, then every hop. Each line is read so that records in motion show up as in flight
 * and never as missing: a cursor before the end of its topic, dead letters before the cursor that counts them.
 */
export async function pipelineLedger(options: LedgerOptions): Promise<readonly LedgerLine[]> {
  const { plan, hops } = options
  const doors = await Promise.all(plan.topics.map(({ name }) => doorLines(options, name)))
  const rest = await Promise.all(hops.map((hop) => lineOfHop(options, hop)))
  return [...doors.flat(), ...rest]
}

async function doorLines(
  { plan, log, state }: LedgerOptions,
  topic: string,
): Promise<readonly LedgerLine[]> {
  const dead = await state.rejectedCount(topic)
  const description = (await log.topics()).find(({ name }) => name === topic)
  const bounds = description?.bounds ?? []
  const duplicates = description?.duplicateCount ?? 0
  const accepted = bounds.reduce((sum, { offsetEnd }) => sum + offsetEnd, 0)
  const expired = bounds.reduce((sum, { offsetStart }) => sum + offsetStart, 0)
  const suffix = plan.topics.length === 1 ? '' : ` ${topic}`
  return [
    ledgerLine(plan.name, `gateway${suffix}`, {
      in: accepted + duplicates + dead,
      out: accepted,
      duplicates,
      dead,
    }),
    ledgerLine(plan.name, `log${suffix}`, {
      in: accepted,
      out: accepted - expired,
      filtered: expired,
    }),
  ]
}

async function lineOfHop(options: LedgerOptions, hop: LedgerHop): Promise<LedgerLine> {
  const { plan, log } = options
  let found: FoundCounts = {}
  let cursor = await hop.cursor()
  for (let look = 1; look <= LOOK_COUNT_MAX; look += 1) {
    if (look > 1) await sleep(LOOK_PAUSE_MS)
    cursor = await hop.cursor()
    if (!hop.isAtRest()) continue
    const counted = await countFound(options, hop)
    const moved = JSON.stringify(await hop.cursor()) !== JSON.stringify(cursor)
    if (moved || !hop.isAtRest()) continue
    found = counted
    break
  }
  const ends = (await Promise.all(hop.topics.map((topic) => endsOf(log, topic)))).flat()
  return hopLine(plan.name, hop.name, { cursor, ends, ...found })
}

interface FoundCounts {
  readonly rowsFound?: number
  readonly deadFound?: number
}

async function countFound({ plan, state }: LedgerOptions, hop: LedgerHop): Promise<FoundCounts> {
  const rowsFound = await hop.rowsFound()
  const letters = await state.counts({ pipeline: plan.name, hop: hop.name })
  const deadFound = letters.reduce((sum, count) => sum + count.letters, 0)
  return { deadFound, ...(rowsFound === undefined ? {} : { rowsFound }) }
}

async function endsOf(log: LedgerOptions['log'], topic: string): Promise<readonly TopicEnd[]> {
  const bounds = await log.bounds(topic)
  return bounds.map(({ partition, offsetEnd }) => ({ topic, partition, offsetEnd }))
}
