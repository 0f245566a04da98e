import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, retryOf } from '../model/errors.ts'
import { SinkConfigError } from '../serve/errors.ts'
import { postgresName } from '../serve/postgres/config.ts'
import { migrate } from '../serve/postgres/migrations.ts'
import { ReferenceBusyError } from './errors.ts'
import { type PollOptions, pollReference } from './poll-reference.ts'
import {
  openReferenceHistory,
  type ReferenceHistory,
  type ReferenceHistoryOptions,
} from './reference-history.ts'
import type { ReferenceWay } from './reference-way.ts'
import { replicateReference } from './replicate-reference.ts'
import { readMigrations } from './running-hop.ts'

// A reference is followed: a table in PostgreSQL that others change becomes all its versions in the lake, and a relation that joins read.
//
// Comes in: the table's rows and changes, by replication where the server offers it (`replicate-reference.ts`), else by asking (`poll-reference.ts`). Goes out: versions with
// `valid_from` and `valid_to` in the lake table, the same in the engine, and the records whose rows they change, sent through their hop again
// (`reference-history.ts`). Survives a crash: the lake table.

export interface FollowReferenceOptions extends ReferenceHistoryOptions, PollOptions {
  readonly pipeline: string
  /** Told, in one line, what a person should know. */
  readonly onNotice: (line: string) => void
}

export interface FollowedReference {
  readonly name: string
  /** Settles after the first look, whether the source answered or not; joins before it would only miss what is there. */
  readonly ready: Promise<void>
  /** Look for changes now. Returns when what was there at the call is in the lake, in the engine, and sent to the hops. */
  sync(): Promise<void>
  stop(): Promise<void>
}

export function followReference(options: FollowReferenceOptions): FollowedReference {
  const { plan, onNotice } = options
  const stopping = new AbortController()
  const { signal } = stopping
  const state: FollowState = {}
  let turn: Promise<unknown> = Promise.resolve()
  const look = (isWhole: boolean) => {
    const mine = turn.then(() => lookOnce(options, state, { isWhole, signal }))
    turn = mine.catch(() => {})
    return mine
  }
  let trouble: string | undefined
  const tell = (error: unknown) => {
    const now = messageOf(error)
    if (now !== trouble) onNotice(`reference ${plan.name} is waiting: ${now}`)
    trouble = now
  }
  const first = look(true).catch(tell)
  const run = async () => {
    await first
    while (!signal.aborted) {
      await (state.way?.wait(signal) ?? pause(plan.pollIntervalMs, signal))
      if (signal.aborted) return
      try {
        await look(false)
        trouble = undefined
      } catch (error) {
        if (!signal.aborted) tell(error)
        if (retryOf(error) === 'never') return
        await pause(plan.pollIntervalMs, signal)
      }
    }
  }
  const running = run()
  return {
    name: plan.name,
    ready: first,
    sync: () => look(true),
    async stop() {
      stopping.abort()
      await running
      await turn
      await state.way?.close()
    },
  }
}

interface FollowState {
  history?: ReferenceHistory | undefined
  isMigrated?: boolean
  way?: ReferenceWay | undefined
  /** Why there is no replication, as it was said last. */
  refusal?: string
}

async function lookOnce(
  options: FollowReferenceOptions,
  state: FollowState,
  how: { readonly isWhole: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { plan } = options
  state.history ??= await openReferenceHistory(options)
  if (!state.isMigrated) {
    // One folder may make the tables of several references, so it is applied once for the pipeline.
    const target = `references of ${options.pipeline}`
    await migrate(options.postgres, target, readMigrations(plan.migrations), how.signal)
    state.isMigrated = true
  }
  state.way ??= await chooseWay(options, state, state.history, how.signal)
  try {
    await state.way.look(how)
  } catch (error) {
    await state.way.close()
    state.way = undefined
    // Whether the lake has it is not known; the lake says.
    if (error instanceof ReferenceBusyError) state.history = undefined
    throw error
  }
}

async function chooseWay(
  options: FollowReferenceOptions,
  state: FollowState,
  history: ReferenceHistory,
  signal: AbortSignal,
): Promise<ReferenceWay> {
  const { plan, postgres, onNotice } = options
  if (plan.follow === 'polling') return pollReference(options, history)
  const choice = await replicateReference({ ...options, signal }, history)
  if ('way' in choice) return choice.way
  const why = `${postgresName(postgres)} does not let ${plan.table} be followed by replication: ${choice.refusal}`
  if (plan.follow === 'replication')
    throw new SinkConfigError(
      `The reference ${plan.name} waits: ${why}. Change that, or leave \`follow\` out, so that the table is asked for changes instead.`,
    )
  if (!choice.isUnasked && state.refusal !== choice.refusal)
    onNotice(
      `reference ${plan.name}: ${why}. It is asked for changes every ${plan.pollIntervalMs} ms instead.`,
    )
  state.refusal = choice.refusal
  return pollReference(options, history)
}

const pause = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => {})
