import { type ReplayOutcome, type ReplayWish, replayIfSensible } from '../flow/replay-decision.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { StateStore } from '../state/state-store.ts'
import { lockHome } from './home.ts'
import { type Platform, startPlatform } from './platform.ts'
import type { Settings } from './settings.ts'

export interface ReplayAtRestOptions {
  readonly homeFolder: string
  readonly settings: Settings
  readonly plans: readonly PipelinePlan[]
  /** Full ids of letters. */
  readonly ids: readonly string[]
  readonly wish: ReplayWish
  readonly signal: AbortSignal
  readonly onNotice: (line: string) => void
}

/** What became of a replayed record at the hop that it went to. */
export type Arrival =
  | { readonly status: 'arrived' }
  | { readonly status: 'died_again'; readonly letters: readonly string[] }
  /** It is in the log; a hop that is away will take it when it is back. */
  | { readonly status: 'on_its_way'; readonly reason: string }

export interface ReplayedLetter {
  readonly id: string
  readonly outcome: ReplayOutcome
  /** Only of what was replayed now. */
  readonly arrival?: Arrival
}

/**
 * Replay letters where no platform runs: start one without a front door, send them, wait until every hop has carried them,
 * look what became of them, and stop it. Interrupted while waiting, they are on their way: the next start takes them.
 * @throws HomeLockedError, and whatever starting throws
 */
export async function replayAtRest(
  options: ReplayAtRestOptions,
): Promise<readonly ReplayedLetter[]> {
  const { homeFolder, settings, plans, ids, wish, signal, onNotice } = options
  const home = lockHome(homeFolder)
  try {
    const platform = await startPlatform({ home, settings, plans, openGateway: false, onNotice })
    try {
      const replayed: ReplayedLetter[] = []
      for (const id of ids) {
        signal.throwIfAborted()
        const outcome = await replayIfSensible(platform, await platform.state.find(id), wish)
        replayed.push({ id, outcome })
      }
      if (!replayed.some(({ outcome }) => outcome.status === 'replayed')) return replayed
      await platform.drained(signal)
      return await Promise.all(
        replayed.map(async ({ id, outcome }) =>
          outcome.status === 'replayed'
            ? { id, outcome, arrival: await arrivalOf(platform, id, outcome.to) }
            : { id, outcome },
        ),
      )
    } finally {
      await platform.stop()
    }
  } finally {
    home.release()
  }
}

async function arrivalOf(platform: Platform, id: string, to: string): Promise<Arrival> {
  const { pipeline, hop } = await platform.state.find(id)
  const hops = (await platform.hops()).filter(
    // The gateway's letters go into the topic, and so to every hop.
    (report) => report.pipeline === pipeline && (hop === 'gateway' || report.name === hop),
  )
  const behind = hops.find(({ lagRecords }) => lagRecords > 0)
  if (behind !== undefined) {
    const why = 'reason' in behind.state ? behind.state.reason : 'it was interrupted'
    return { status: 'on_its_way', reason: `${behind.name} has not taken it: ${why}` }
  }
  const letters = await lettersAt(platform.state, pipeline, to)
  return letters.length === 0 ? { status: 'arrived' } : { status: 'died_again', letters }
}

const PAGE_SIZE = 1_000

/** Ids of the letters of the record at `topic/partition/offset`. */
async function lettersAt(
  state: StateStore,
  pipeline: string,
  place: string,
): Promise<readonly string[]> {
  const found: string[] = []
  let after: string | undefined
  while (true) {
    const page = await state.list({
      pipeline,
      limit: PAGE_SIZE,
      ...(after === undefined ? {} : { after }),
    })
    for (const { id, topic, partition, offset } of page) {
      if (`${topic}/${partition}/${offset}` === place) found.push(id)
    }
    if (page.length < PAGE_SIZE) return found
    after = page.at(-1)!.id
  }
}
