import { setTimeout as sleep } from 'node:timers/promises'
import type { Backfill, BackfillPart, BackfillRequest } from '../../model/backfill.ts'
import type { Clock, Randomness } from '../../model/clock.ts'
import { messageOf } from '../../model/errors.ts'
import type { Run, RunRequest } from '../../model/run.ts'
import type { BackfillStore } from '../../state/backfill-store.ts'
import { runIdMaker } from '../runs/run-id.ts'
import type { Runner } from '../runs/runner.ts'
import { selectTasks } from '../runs/select-tasks.ts'
import { backfillParts } from './backfill-parts.ts'

// Backfills: the past made again, part by part.
//
// Comes in: tasks and a stretch of days or versions. Goes out: a run for each part, oldest first, one at a time. Survives a crash: the
// backfill with the parts that are done; the run of the part in hand goes on where it was, and then the next part.

export interface Backfills {
  readonly store: BackfillStore
  /** Begin one; it is durable when this returns. @throws BackfillInvalidError, SelectorError */
  begin(request: BackfillRequest): Promise<Backfill>
  /** Carry one on, unless somebody else does, until it is done, fails, is paused or the signal aborts. */
  drive(id: string, signal: AbortSignal): Promise<Backfill>
  /** Let the part in hand end, and begin no other. False when it does not run. */
  pause(id: string): Promise<boolean>
  /** Go on with one that was paused or has failed; parts that failed are tried again. False when it is neither. */
  resume(id: string): Promise<boolean>
  /** Stop for good, and the part in hand with it. False when it is over. */
  cancel(id: string): Promise<boolean>
  /** Carry on every backfill that runs, and those that will, until stopped. */
  look(): { stop(): Promise<void> }
}

export interface BackfillsOptions {
  readonly store: BackfillStore
  readonly runner: Runner
  readonly clock: Clock
  readonly randomness: Randomness
  readonly onNotice: (line: string) => void
  readonly onPart?: (backfill: Backfill) => void
}

const DAY_MS = 86_400_000
const LOOK_MS = 1_000
const LEASE_MS = 30_000

export function openBackfills(options: BackfillsOptions): Backfills {
  const { store, runner, clock } = options
  const nextId = runIdMaker(clock, options.randomness)
  const driven = new Map<string, Promise<Backfill>>()
  const drive = (id: string, signal: AbortSignal) => {
    const already = driven.get(id)
    if (already !== undefined) return already
    const driving = driveBackfill(options, id, signal).finally(() => driven.delete(id))
    driven.set(id, driving)
    return driving
  }
  return {
    store,
    drive,
    async begin(request) {
      const parts = backfillParts(request)
      selectTasks(runner.graph, request.selectors)
      const backfill: Backfill = {
        ...{ ...request, id: nextId(), status: 'running', parts },
        ...{ createdMs: clock.nowMs(), endedMs: null },
      }
      await store.create(backfill)
      return backfill
    },
    pause: (id) => store.move(id, { from: ['running'], to: 'paused', endedMs: null }),
    resume: (id) => store.move(id, { from: ['paused', 'failed'], to: 'running', endedMs: null }),
    async cancel(id) {
      const from = ['running', 'paused', 'failed'] as const
      const told = await store.move(id, { from, to: 'cancelled', endedMs: clock.nowMs() })
      if (told)
        for (const run of await runner.store.list({ backfill: id, status: 'running' }))
          await runner.cancel(run.id)
      return told
    },
    look: () => lookAfter(options, drive),
  }
}

function lookAfter(
  { store, onNotice }: BackfillsOptions,
  drive: Backfills['drive'],
): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const { signal } = stopping
  const atWork = new Set<Promise<unknown>>()
  const loop = async () => {
    while (!signal.aborted) {
      for (const { id } of await store.list({ status: 'running', limit: 100 }).catch(() => [])) {
        const work: Promise<unknown> = drive(id, signal)
          .catch((error: unknown) => onNotice(`Backfill ${id} waits: ${messageOf(error)}`))
          .finally(() => atWork.delete(work))
        atWork.add(work)
      }
      await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => {})
    }
    await Promise.all(atWork)
  }
  const ended = loop()
  return {
    async stop() {
      stopping.abort()
      await ended
    },
  }
}

async function driveBackfill(
  options: BackfillsOptions,
  id: string,
  signal: AbortSignal,
): Promise<Backfill> {
  const { store, runner, clock, onPart } = options
  const holder = `${runner.name}/backfill/${id}`
  const lease = { runner: runner.name, holder, leaseMs: LEASE_MS }
  const isOurs = () => runner.store.leases.acquire([`backfill/${id}`], lease)
  try {
    while (!signal.aborted && (await isOurs())) {
      const backfill = await store.find(id)
      if (backfill.status !== 'running') break
      const part = backfill.parts.find(({ status }) => status !== 'done')
      if (part === undefined) {
        await store.move(id, { from: ['running'], to: 'done', endedMs: clock.nowMs() })
        break
      }
      const run = await runOfPart(options, backfill, part)
      await store.part(id, { position: part.position, status: 'running', runId: run.id })
      onPart?.(await store.find(id))
      const { status } = (await ended(runner, run, signal)) ?? { status: 'interrupted' }
      if (status === 'interrupted') break
      const isDone = status === 'succeeded'
      const outcome = isDone ? 'done' : 'failed'
      await store.part(id, { position: part.position, status: outcome, runId: run.id })
      if (!isDone) await store.move(id, { from: ['running'], to: 'failed', endedMs: clock.nowMs() })
      onPart?.(await store.find(id))
    }
  } finally {
    await runner.store.leases.release(holder).catch(() => {})
  }
  return store.find(id)
}

/** The run of a part that was begun before and is not over, gone on with; else a new one. */
async function runOfPart(
  { runner, clock }: BackfillsOptions,
  backfill: Backfill,
  { from, to, status, runId }: BackfillPart,
): Promise<Run> {
  const { id, unit, selectors, limits } = backfill
  if (status === 'running' && runId !== null) {
    const { run } = await runner.store.find(runId)
    // It ended when nobody was there to say so of the part.
    if (run.status === 'succeeded' || run.status === 'failed') return run
  }
  const range = unit === 'days' ? { from, to } : null
  const versions = unit === 'versions' ? { from: Number(from), to: Number(to) } : null
  const request: RunRequest = {
    ...{ trigger: 'backfill', schedule: null, backfill: id, pipeline: null, selectors },
    // The end of the part, which a run then would have seen as now; but no moment that is still to come.
    logicalMs: Math.min(clock.nowMs(), unit === 'days' ? Date.parse(to) + DAY_MS : Infinity),
    ...{ fullRefresh: false, range, versions, limits },
  }
  await runner.store.interruptAbandoned()
  const unfinished = [
    ...(await runner.store.list({ backfill: id, status: 'running' })),
    ...(await runner.store.list({ backfill: id, status: 'interrupted' })),
  ].find((run) => run.range?.from === range?.from && run.versions?.from === versions?.from)
  if (unfinished === undefined) return runner.start(request)
  await runner.resume(unfinished.id)
  return unfinished
}

/** How a run ended that is carried out here or elsewhere; `undefined` when we were told to stop before. */
async function ended(runner: Runner, run: Run, signal: AbortSignal): Promise<Run | undefined> {
  while (true) {
    const { run: now } = await runner.ended(run.id)
    if (now.status !== 'running' && now.status !== 'interrupted') return now
    if (signal.aborted || now.status === 'interrupted') return undefined
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {})
  }
}
