import type { Chart } from '../model/chart.ts'
import type { Clock } from '../model/clock.ts'
import { messageOf } from '../model/errors.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { QueryResult } from '../sql/duckdb/query.ts'

// The answers of dashboards, kept. Comes in: charts, a way to ask, a way to know whether anything has changed. Goes out: answers at once,
// and word of each that is new. A chart is asked again only when a table that it reads has a new version, and only while somebody looks: at once when a
// hop of its pipeline has committed, and once a second for what changes by other ways. A crash loses nothing: answers are made from tables.

export interface KeptAnswer {
  readonly pipeline: string
  readonly chart: Chart
  /** `undefined` before the first answer, and while there is none to give: then `problem` says why. */
  readonly rows: readonly (readonly unknown[])[] | undefined
  readonly columns: QueryResult['columns']
  readonly problem: string | undefined
  /** Milliseconds since 1970. */
  readonly askedMs: number | undefined
  readonly elapsedMs: number | undefined
}

export interface KeptAnswersOptions {
  readonly plans: readonly PipelinePlan[]
  readonly ask: (sql: string) => Promise<QueryResult>
  readonly stamp: (sql: string) => Promise<string>
  readonly clock: Clock
}

/** How often tables are looked at while somebody watches, for changes that nobody tells of: models, maintenance, other processes. */
const LOOK_INTERVAL_MS = 1_000

/** After a commit, because the hops of a pipeline often commit together. */
const SETTLE_MS = 50

/** A look that follows another waits this many times as long as that one took, so that commits in quick succession leave the engine to others. */
const REST_RATIO = 3

export class KeptAnswers {
  readonly #options: KeptAnswersOptions
  readonly #kept = new Map<Chart, KeptAnswer & { readonly stamp: string }>()
  readonly #watchers = new Set<(pipeline: string) => void>()
  readonly #refreshing = new Map<string, Promise<void>>()
  /** Looks that commits have asked for and that are still to begin, by pipeline. */
  readonly #due = new Map<string, NodeJS.Timeout>()
  /** Before this moment a pipeline is not looked at for a commit. */
  readonly #restsUntilMs = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: KeptAnswersOptions) {
    this.#options = options
  }

  /** The answers of a pipeline's charts, in order; asked first where there are none yet. */
  async answers(pipeline: string): Promise<readonly KeptAnswer[]> {
    const charts = this.#chartsOf(pipeline)
    if (charts.some((chart) => !this.#kept.has(chart))) await this.#refresh(pipeline)
    return this.known(pipeline)
  }

  /** The answers that there are, without waiting for the first of any. */
  known(pipeline: string): readonly KeptAnswer[] {
    return this.#chartsOf(pipeline).map(
      (chart) => this.#kept.get(chart) ?? unasked(pipeline, chart),
    )
  }

  /** Called with a pipeline whenever an answer of its dashboard is new. Returns what ends it. */
  watch(onChange: (pipeline: string) => void): () => void {
    this.#watchers.add(onChange)
    this.#timer ??= setInterval(() => void this.#look(), LOOK_INTERVAL_MS).unref()
    return () => {
      this.#watchers.delete(onChange)
      if (this.#watchers.size === 0) this.#rest()
    }
  }

  /** Tell that a hop of a pipeline has committed. Costs nothing while nobody watches. */
  noteCommit(pipeline: string): void {
    if (this.#watchers.size === 0 || this.#due.has(pipeline) || !this.#isLookedAt(pipeline)) return
    const restMs = (this.#restsUntilMs.get(pipeline) ?? 0) - this.#options.clock.nowMs()
    const look = async () => {
      this.#due.delete(pipeline)
      // A look that is under way may have passed the table before the commit.
      await this.#refreshing.get(pipeline)
      await this.#refresh(pipeline)
    }
    const waitMs = Math.max(SETTLE_MS, restMs)
    this.#due.set(pipeline, setTimeout(() => void look(), waitMs).unref())
  }

  /** Look at the tables now. */
  async refresh(): Promise<void> {
    await Promise.all(this.#options.plans.map(({ name }) => this.#refresh(name)))
  }

  stop(): void {
    this.#rest()
    this.#watchers.clear()
  }

  #rest(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    for (const timer of this.#due.values()) clearTimeout(timer)
    this.#due.clear()
  }

  #chartsOf(pipeline: string): readonly Chart[] {
    return this.#options.plans.find(({ name }) => name === pipeline)?.dashboard?.charts ?? []
  }

  /** Whether somebody has asked for the dashboard before. */
  #isLookedAt(pipeline: string): boolean {
    return this.#chartsOf(pipeline).some((chart) => this.#kept.has(chart))
  }

  async #look(): Promise<void> {
    for (const { name } of this.#options.plans)
      if (this.#isLookedAt(name)) await this.#refresh(name)
  }

  /** One at a time for each pipeline; whoever comes meanwhile waits for the one under way. */
  #refresh(pipeline: string): Promise<void> {
    const running = this.#refreshing.get(pipeline)
    if (running !== undefined) return running
    const made = this.#ask(pipeline).finally(() => this.#refreshing.delete(pipeline))
    this.#refreshing.set(pipeline, made)
    return made
  }

  async #ask(pipeline: string): Promise<void> {
    const { clock } = this.#options
    const beganMs = clock.nowMs()
    let isNew = false
    for (const chart of this.#chartsOf(pipeline)) {
      const stamp = await this.#options.stamp(chart.sql).catch(messageOf)
      const before = this.#kept.get(chart)
      if (before?.stamp === stamp) continue
      this.#kept.set(chart, { ...(await this.#answer(pipeline, chart)), stamp })
      isNew = true
    }
    const endedMs = clock.nowMs()
    this.#restsUntilMs.set(pipeline, endedMs + REST_RATIO * (endedMs - beganMs))
    if (isNew) for (const tell of this.#watchers) tell(pipeline)
  }

  async #answer(pipeline: string, chart: Chart): Promise<KeptAnswer> {
    const askedMs = this.#options.clock.nowMs()
    try {
      const { columns, rows, elapsedMs } = await this.#options.ask(chart.sql)
      const names = columns.map(({ name }) => name)
      const missing = chart.columns.filter(({ name }) => !names.includes(name))
      if (missing.length > 0)
        throw new Error(
          `The question answers with ${names.join(', ')}; the chart declares ${missing.map(({ name }) => name).join(', ')} too.`,
        )
      return { pipeline, chart, rows, columns, problem: undefined, askedMs, elapsedMs }
    } catch (error) {
      return { ...unasked(pipeline, chart), problem: messageOf(error), askedMs }
    }
  }
}

const unasked = (pipeline: string, chart: Chart): KeptAnswer => ({
  ...{ pipeline, chart, rows: undefined, columns: [], problem: undefined },
  ...{ askedMs: undefined, elapsedMs: undefined },
})
