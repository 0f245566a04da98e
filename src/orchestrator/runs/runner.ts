import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Randomness } from '../../model/clock.ts'
import { assert, messageOf } from '../../model/errors.ts'
import type { Run, RunRequest, RunStatus, RunTask } from '../../model/run.ts'
import type { Task } from '../../model/task.ts'
import {
  type CreateOutcome,
  type RunDetail,
  type RunStore,
  runnerLease,
} from '../../state/run-store.ts'
import { LeaseLostError } from '../errors.ts'
import { type DriveWorld, driveRun, type Hold, type StopReason } from './drive-run.ts'
import { runIdMaker } from './run-id.ts'
import { type RunRecord, runRecord } from './run-record.ts'
import { selectTasks } from './select-tasks.ts'
import type { TaskGraph } from './task-graph.ts'

// Whoever carries out runs: one in each process that runs tasks.
//
// Comes in: requests for runs, from schedules and from people. Goes out: runs, side by side as far as there are places, no two tasks that
// write one thing at once, here or in any process over the same state. Survives a crash: see `drive-run.ts`; the leases of a process that
// is gone end by themselves, and whoever comes next marks its runs as interrupted and goes on with them.

export interface RunnerOptions {
  readonly graph: TaskGraph
  readonly store: RunStore
  readonly clock: Clock
  readonly randomness: Randomness
  readonly chance: () => number
  /** Most tasks at work at one time. */
  readonly concurrency: number
  readonly leaseMs?: number
  /** No other process can use the state: leases that are there belong to the dead. Default false. */
  readonly alone?: boolean
  /** Told of each change of a task, and of each end of a run. */
  readonly onTask?: (run: Run, task: RunTask) => void
  readonly onEnd?: (detail: RunDetail) => void
  readonly onNotice: (line: string) => void
}

/** Longer than a process is held up by anything but trouble; it is renewed four times in it. */
const LEASE_MS = 30_000
/** How often things that others hold are looked at again. */
const LOOK_MS = 500

export type StartOutcome =
  | { readonly status: 'created'; readonly run: Run }
  | { readonly status: Exclude<CreateOutcome, 'created'> }

interface ActiveRun {
  readonly stop: AbortController
  readonly ended: Promise<RunStatus>
}

/** Open a runner; it is known to be there from now on. @throws StateUnavailableError */
export async function openRunner(options: RunnerOptions): Promise<Runner> {
  const runner = new Runner(options)
  await runner.open()
  return runner
}

export class Runner {
  readonly graph: TaskGraph
  readonly store: RunStore
  /** Its name among the runners of a state. */
  readonly name: string
  readonly #options: RunnerOptions
  readonly #leaseMs: number
  readonly #nextId: () => string
  readonly #active = new Map<string, ActiveRun>()
  readonly #holds = new Map<string, AbortController>()
  readonly #waiting = new Set<() => void>()
  readonly #leftBehind = new Set<string>()
  #placesTaken = 0
  #freedCount = 0
  #renewedMs = 0
  #heartbeat: NodeJS.Timeout | undefined
  #beating: Promise<void> = Promise.resolve()
  #stopping = false

  constructor(options: RunnerOptions) {
    this.#options = options
    this.graph = options.graph
    this.store = options.store
    this.#leaseMs = options.leaseMs ?? LEASE_MS
    this.#nextId = runIdMaker(options.clock, options.randomness)
    this.name = this.#nextId()
  }

  async open(): Promise<void> {
    const { store, alone = false } = this.#options
    if (alone) await store.leases.releaseAllBut(this.name)
    const mine = { runner: this.name, holder: this.name, leaseMs: this.#leaseMs }
    await store.leases.acquire([runnerLease(this.name)], mine)
    this.#renewedMs = performance.now()
    this.#heartbeat = setInterval(() => {
      this.#beating = this.#beating.then(() => this.#beat())
    }, this.#leaseMs / 4).unref()
  }

  /** Begin a run that no schedule asks for; it is durable when this returns, and goes on by itself. @throws SelectorError */
  async start(request: RunRequest): Promise<Run> {
    const outcome = await this.startScheduled(request)
    assert(outcome.status === 'created', 'only schedules have one run at a time')
    return outcome.run
  }

  /** As `start`, unless the schedule of the run has one for this moment, or one that is not over. @throws SelectorError */
  async startScheduled(request: RunRequest): Promise<StartOutcome> {
    assert(!this.#stopping, 'a runner that stops begins no run')
    const { store, clock } = this.#options
    const pipeline = request.pipeline ?? undefined
    const chosen = selectTasks(this.graph, request.selectors, pipeline)
    const id = this.#nextId()
    const run: Run = {
      ...request,
      ...{ id, status: 'running', createdMs: clock.nowMs(), endedMs: null, interruptions: 0 },
    }
    const tasks = chosen.map((task, position) => newTask(id, task, position))
    const status = await store.create(run, tasks, this.name)
    if (status !== 'created') return { status }
    this.#drive(run, tasks)
    return { status, run }
  }

  /** Go on with an interrupted run. False when somebody else does, or it is over. @throws RunMissingError */
  async resume(id: string): Promise<boolean> {
    if (this.#active.has(id) || this.#stopping) return false
    const { store } = this.#options
    if (!(await store.claim(id, this.name))) return false
    const { run, tasks } = await store.find(id)
    this.#drive(run, tasks)
    return true
  }

  /** Go on with every run that was interrupted; their ids. */
  async resumeInterrupted(): Promise<readonly string[]> {
    const { store } = this.#options
    await store.interruptAbandoned()
    const resumed: string[] = []
    for (const { id } of await store.list({ status: 'interrupted', limit: 1_000 }))
      if (await this.resume(id)) resumed.push(id)
    return resumed
  }

  /** Ids of the runs that are carried out here. */
  get active(): readonly string[] {
    return [...this.#active.keys()]
  }

  /** Tasks that were told to stop, did not, and may keep the process from ending. */
  get leftBehind(): readonly string[] {
    return [...this.#leftBehind]
  }

  /** The run with its tasks once it is over, or was interrupted. @throws RunMissingError, and whatever ended it unkept */
  async ended(id: string): Promise<RunDetail> {
    await this.#active.get(id)?.ended
    return this.#options.store.find(id)
  }

  /** Stop a run for good, whoever carries it out; a runner elsewhere sees it within seconds. False when it is over. */
  async cancel(id: string): Promise<boolean> {
    const { store, clock } = this.#options
    const { run } = await store.find(id)
    if (run.status === 'running') {
      await store.wantCancel(run.id)
      this.#active.get(run.id)?.stop.abort('cancel' satisfies StopReason)
      return true
    }
    if (run.status !== 'interrupted' || !(await store.claim(run.id, this.name))) return false
    const { tasks } = await store.find(run.id)
    const record = this.#record(run, tasks)
    const status = await driveRun(this.#world(), record, AbortSignal.abort('cancel'))
    await store.end(run.id, status, clock.nowMs())
    return true
  }

  /** Tell every run to stop; they are interrupted, and whoever opens a runner next goes on with them. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#stopAll('interrupt')
    clearInterval(this.#heartbeat)
    await this.#beating
    await this.#options.store.leases.release(this.name).catch(() => {})
  }

  async #stopAll(reason: StopReason): Promise<void> {
    for (const { stop } of this.#active.values()) stop.abort(reason)
    await Promise.allSettled([...this.#active.values()].map(({ ended }) => ended))
  }

  #drive(run: Run, tasks: readonly RunTask[]): void {
    const stop = new AbortController()
    const ended = this.#carryOut(run, tasks, stop.signal)
    this.#active.set(run.id, { stop, ended })
    ended
      .catch((error: unknown) => {
        this.#options.onNotice(`Run ${run.id} could not be carried on: ${messageOf(error)}`)
      })
      .finally(() => this.#active.delete(run.id))
  }

  async #carryOut(run: Run, tasks: readonly RunTask[], signal: AbortSignal): Promise<RunStatus> {
    const { store, clock, onEnd } = this.#options
    const status = await driveRun(this.#world(), this.#record(run, tasks), signal)
    if (signal.reason === 'lost') return status
    await store.end(run.id, status, clock.nowMs())
    onEnd?.(await store.find(run.id))
    return status
  }

  #record(run: Run, tasks: readonly RunTask[]): RunRecord {
    const { store, clock, onTask = () => {} } = this.#options
    return runRecord({ run, tasks, store, clock, onTask })
  }

  #world(): DriveWorld {
    const { graph, clock, chance, concurrency } = this.#options
    return {
      ...{ graph, clock, chance },
      takePlace: () => {
        if (this.#placesTaken >= concurrency) return false
        this.#placesTaken += 1
        return true
      },
      leavePlace: () => {
        this.#placesTaken -= 1
        this.#wake()
      },
      hold: (runId, task) =>
        this.#hold(`${this.name}/${runId}/${task.id}`, [
          `task/${task.id}`,
          ...task.writes.map((thing) => `writes/${thing}`),
        ]),
      leftBehind: (id, settled) => {
        this.#leftBehind.add(id)
        void settled.then(() => this.#leftBehind.delete(id))
      },
      freedCount: () => this.#freedCount,
      somethingFreed: (sinceCount, signal) => this.#freed(sinceCount, signal),
    }
  }

  async #hold(holder: string, names: readonly string[]): Promise<Hold | undefined> {
    const { leases } = this.#options.store
    const lost = new AbortController()
    this.#holds.set(holder, lost)
    const mine = { runner: this.name, holder, leaseMs: this.#leaseMs }
    const taken = await leases.acquire(names, mine).catch((error: unknown) => {
      this.#holds.delete(holder)
      throw error
    })
    if (!taken) {
      this.#holds.delete(holder)
      return undefined
    }
    return {
      lost: lost.signal,
      release: async () => {
        this.#holds.delete(holder)
        await leases.release(holder)
        this.#wake()
      },
    }
  }

  async #freed(sinceCount: number, signal: AbortSignal): Promise<void> {
    if (this.#freedCount !== sinceCount) return
    let wake = () => {}
    const woken = new Promise<void>((resolve) => {
      wake = resolve
    })
    this.#waiting.add(wake)
    await Promise.race([woken, sleep(LOOK_MS, undefined, { signal }).catch(() => {})])
    this.#waiting.delete(wake)
  }

  #wake(): void {
    this.#freedCount += 1
    for (const wake of this.#waiting) wake()
  }

  /** Renew what is held, stop what is not held any more, and look what somebody wants cancelled. */
  async #beat(): Promise<void> {
    const { store, onNotice } = this.#options
    const askedMs = performance.now()
    const known = [...this.#holds.keys()]
    try {
      const held = await store.leases.renew(this.name, this.#leaseMs)
      const holders = new Set(held.map(({ holder }) => holder))
      this.#renewedMs = askedMs
      if (!holders.has(this.name)) return await this.#lost()
      for (const holder of known)
        if (!holders.has(holder)) this.#holds.get(holder)?.abort(new LeaseLostError())
      for (const id of await store.cancelsWanted(this.name))
        this.#active.get(id)?.stop.abort('cancel' satisfies StopReason)
    } catch (error) {
      onNotice(`The leases of runs were not renewed this time: ${messageOf(error)}`)
      if (performance.now() - this.#renewedMs > this.#leaseMs) await this.#lost()
    }
  }

  /** Others may go on with our runs by now: stop without a word, and come back under the same name. */
  async #lost(): Promise<void> {
    const { store, onNotice } = this.#options
    if (this.#active.size > 0)
      onNotice(
        'The lease of this process was not renewed in time; its runs go on from what is kept.',
      )
    await this.#stopAll('lost')
    // Those that nobody has taken over yet are nobody's, for whoever looks next.
    await store.interruptAbandoned().catch(() => [])
    const mine = { runner: this.name, holder: this.name, leaseMs: this.#leaseMs }
    await store.leases.acquire([runnerLease(this.name)], mine).catch(() => false)
  }
}

const newTask = (runId: string, { id, pipeline, kind }: Task, position: number): RunTask => ({
  ...{ runId, id, pipeline, kind, position, status: 'waiting', attempt: 0 },
  ...{ startedMs: null, endedMs: null, facts: {}, errorCode: null, error: null },
  ...{ progressDone: null, progressTotal: null },
})
