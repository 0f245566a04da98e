import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { costUsd, estimatedTokens, type TokenPrices } from '../enrich/cost.ts'
import { type LabelModelPort, type LabelTask, labelRequest } from '../enrich/label-request.ts'
import {
  DEFAULT_LABEL_LIMITS,
  type FailedText,
  type LabelLimits,
  type LabelledText,
  type LabelOutcome,
  type LabelProgress,
  labelTexts,
} from '../enrich/label-texts.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { Columns } from '../model/column.ts'
import type { Task, TaskContext, TaskReport } from '../model/task.ts'
import type { LabelPlan } from '../pipeline/label.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { runQuery } from '../sql/duckdb/query.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import type { StateStore } from '../state/state-store.ts'
import type { LakeCatalog } from './lake-catalog.ts'
import type { ModelLake } from './model-lake.ts'
import { lakeQueryTables, openRowSpill } from './tables-to-sql.ts'

// Labels for keywords. Comes in: a SELECT over tables. Goes out: a lake table with one label for each keyword, who gave it and what it cost.
// Every answer is committed before the next is taken from the queue, so a run that is killed has paid for nothing twice but what was under way: the
// next run asks only for keywords that the table does not hold under the same model and prompt. Keywords that got no label are dead letters, and are asked again.

export interface LabelWorld {
  readonly engine: ComputeEngine
  readonly lake: ModelLake
  readonly catalog: LakeCatalog
  readonly state: Pick<StateStore, 'record' | 'list' | 'drop'>
  readonly clock: Clock
  readonly randomness: Randomness
  /** `undefined`: the pipeline's rules label. */
  readonly labelModel: LabelModelConfig | undefined
}

export interface LabelModelConfig {
  readonly port: LabelModelPort
  readonly prices: TokenPrices
  readonly budgetUsd: number
  readonly limits?: Partial<LabelLimits>
}

/** What a run would do, without asking anything. */
export interface LabelEstimate {
  readonly classifier: string
  readonly keywords: number
  readonly calls: number
  readonly tokensIn: number
  readonly tokensOut: number
  readonly costUsd: number
  readonly budgetUsd: number | null
}

export interface LabelRunOptions {
  readonly pipeline: string
  readonly signal: AbortSignal
  readonly onProgress?: (progress: LabelProgress) => void
}

export const LABEL_COLUMNS: Columns = [
  { name: 'keyword', type: 'string', nullable: false, doc: 'Lower case, trimmed, NFC.' },
  { name: 'label', type: 'string', nullable: false },
  { name: 'classifier', type: 'string', nullable: false, doc: 'model or rules.' },
  { name: 'model', type: 'string', nullable: false, doc: 'Name of the model, or of the rules.' },
  { name: 'prompt_version', type: 'string', nullable: false },
  {
    name: 'tokens_in',
    type: 'float64',
    nullable: false,
    doc: "The keyword's share of its request.",
  },
  { name: 'tokens_out', type: 'float64', nullable: false },
  { name: 'cost_usd', type: 'float64', nullable: false },
  { name: 'labelled_at', type: 'timestamp', nullable: false },
]

/** The label tables of a pipeline as tasks. */
export function labelTasks(world: LabelWorld, plan: PipelinePlan): readonly Task[] {
  return plan.labels.map(
    (label): Task => ({
      ...{ id: label.name, pipeline: plan.name, kind: 'step', tags: label.tags },
      ...{ after: label.reads, writes: [label.name] },
      run: (context) => runLabels(world, label, plan.name, context),
    }),
  )
}

/** A spent budget and a service that is away are no failure: what has labels is used, the rest is asked in a later run. */
async function runLabels(
  world: LabelWorld,
  plan: LabelPlan,
  pipeline: string,
  { signal, progress, log }: TaskContext,
): Promise<TaskReport> {
  const outcome = await labelKeywords(world, plan, {
    ...{ pipeline, signal },
    onProgress: ({ labelled, textCount }) => progress(labelled, textCount),
  })
  const { status, textCount, labelled, failed, calls, tokensIn, tokensOut } = outcome
  if (status === 'budget_spent')
    log(`the budget is spent; ${textCount - labelled} keywords are left`)
  if (status === 'service_away')
    log('the labelling service is away; what is left waits for the next run')
  return {
    status: textCount === 0 ? 'nothing_new' : 'done',
    facts: {
      ...{ outcome: status, classifier: classifierOf(plan, world).model, keywords: textCount },
      ...{ labelled, failed, calls, tokens_in: tokensIn, tokens_out: tokensOut },
      cost_usd: Math.round(outcome.costUsd * 1e6) / 1e6,
    },
  }
}

/** Who labels now: texts that the same one labelled with the same wording are not asked again. */
function classifierOf(plan: LabelPlan, { labelModel }: Pick<LabelWorld, 'labelModel'>) {
  return labelModel === undefined
    ? { classifier: 'rules', model: 'rules', version: plan.rulesVersion }
    : { classifier: 'model', model: labelModel.port.model, version: plan.promptVersion }
}

/** What labelling would take now. */
export async function estimateLabels(
  world: LabelWorld,
  plan: LabelPlan,
  signal: AbortSignal,
): Promise<LabelEstimate> {
  const keywords = await keywordsToLabel(world, plan, signal)
  const { model } = classifierOf(plan, world)
  const none = { classifier: model, keywords: keywords.length }
  const { labelModel } = world
  if (labelModel === undefined)
    return { ...none, calls: 0, tokensIn: 0, tokensOut: 0, costUsd: 0, budgetUsd: null }
  const task = await taskOf(plan)
  const { textsPerCall } = { ...DEFAULT_LABEL_LIMITS, ...labelModel.limits }
  let [calls, tokensIn, tokensOut] = [0, 0, 0]
  for (let from = 0; from < keywords.length; from += textsPerCall) {
    const texts = keywords.slice(from, from + textsPerCall)
    const tokens = estimatedTokens(labelRequest(task, texts), texts.length)
    calls += 1
    tokensIn += tokens.tokensIn
    tokensOut += tokens.tokensOut
  }
  const cost = costUsd(labelModel.prices, { tokensIn, tokensOut })
  return { ...none, calls, tokensIn, tokensOut, costUsd: cost, budgetUsd: labelModel.budgetUsd }
}

/** Label what has no label yet. @throws LabelServiceRefusedError, SqlError */
export async function labelKeywords(
  world: LabelWorld,
  plan: LabelPlan,
  { pipeline, signal, onProgress }: LabelRunOptions,
): Promise<LabelOutcome> {
  const texts = await keywordsToLabel(world, plan, signal)
  const store = labelStore(world, plan, pipeline, signal)
  await store.ensure()
  const { labelModel } = world
  if (labelModel === undefined) {
    await labelByRules(plan, texts, store)
    const none = { calls: 0, failed: 0, tokensIn: 0, tokensOut: 0, costUsd: 0 }
    return { status: 'done', textCount: texts.length, labelled: texts.length, ...none }
  }
  const { port: model, prices, budgetUsd, limits } = labelModel
  return labelTexts({
    ...{ task: await taskOf(plan), model, texts, prices, budgetUsd, signal },
    randomness: world.randomness,
    pause: (ms, abort) => sleep(ms, undefined, { signal: abort }).then(() => {}),
    write: async ({ labels, failed }) => {
      await store.put(labels)
      await store.putFailed(failed)
    },
    ...(limits === undefined ? {} : { limits }),
    ...(onProgress === undefined ? {} : { onProgress }),
  })
}

async function taskOf({ prompt, labels }: LabelPlan): Promise<LabelTask> {
  return { prompt: await readFile(prompt, 'utf8'), labels }
}

/** Rules cost nothing, so few and large commits. */
const RULES_AT_ONCE = 50_000
/** Between two turns of the event loop; a keyword takes some microseconds. */
const RULES_PER_TURN = 200

async function labelByRules(
  { rules }: LabelPlan,
  texts: readonly string[],
  store: LabelStore,
): Promise<void> {
  const free = { tokensIn: 0, tokensOut: 0, costUsd: 0 }
  for (let from = 0; from < texts.length; from += RULES_AT_ONCE) {
    const labels: LabelledText[] = []
    for (const text of texts.slice(from, from + RULES_AT_ONCE)) {
      if (labels.length % RULES_PER_TURN === 0) await nextTurn()
      labels.push({ text, label: rules(text), ...free })
    }
    await store.put(labels)
  }
}

/** More keywords than this are taken in the next run. */
const KEYWORD_COUNT_MAX = 5_000_000
const QUERY_TIMEOUT_MS = 3_600_000

async function keywordsToLabel(
  world: LabelWorld,
  plan: LabelPlan,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const wanted = (await readFile(plan.sql, 'utf8')).replace(/[;\s]+$/, '')
  const tables = await lakeQueryTables(world.catalog, world.engine)
  const names = await world.catalog.names()
  const missing = plan.reads.some((name) => !names.includes(name))
  if (missing) return []
  const { model, version } = classifierOf(plan, world)
  const text = (value: string) => `'${value.replaceAll("'", "''")}'`
  const known = names.includes(plan.name)
    ? `WHERE keyword NOT IN (SELECT keyword FROM ${plan.name} WHERE model = ${text(model)} AND prompt_version = ${text(version)})`
    : ''
  const { rows } = await runQuery(world.engine, {
    sql: `SELECT keyword FROM (\n${wanted}\n) ${known} ORDER BY keyword`,
    ...{ tables, rowCountMax: KEYWORD_COUNT_MAX, timeoutMs: QUERY_TIMEOUT_MS, signal },
  })
  return rows.map(([keyword]) => String(keyword))
}

interface LabelStore {
  ensure(): Promise<void>
  put(labels: readonly LabelledText[]): Promise<void>
  putFailed(failed: readonly FailedText[]): Promise<void>
}

/** The table and the dead letters of one label plan. */
function labelStore(
  world: LabelWorld,
  plan: LabelPlan,
  pipeline: string,
  signal: AbortSignal,
): LabelStore {
  const { engine, lake, state, clock } = world
  const who = classifierOf(plan, world)
  const topic = `${plan.name}/${who.model}/${who.version}`
  const hop = plan.name
  return {
    async ensure() {
      if ((await lake.open(plan.name)) !== undefined) return
      await lake.create({
        ...{ name: plan.name, format: 'delta', columns: LABEL_COLUMNS },
        ...{ partitionBy: [], properties: {} },
      })
    },
    async put(labels) {
      if (labels.length === 0) return
      const atMicros = BigInt(clock.nowMs()) * 1_000n
      const rows = labels.map((l) => [
        ...[l.text, l.label, who.classifier, who.model, who.version],
        ...[l.tokensIn, l.tokensOut, l.costUsd, atMicros],
      ])
      await mergeRows(engine, lake, plan.name, rows, signal)
    },
    async putFailed(failed) {
      if (failed.length === 0) return
      await state.record(
        failed.map(({ text, reason, message }) => ({
          ...{ pipeline, hop, topic, partition: 0, offset: textNumber(text), recordId: text },
          ...{ key: text, reason, message, value: Buffer.from(text), headers: {} },
          arrivedMs: clock.nowMs(),
        })),
      )
    },
  }
}

/** 48 bits of the text's hash: its place among dead letters, the same in every run. */
const textNumber = (text: string) =>
  Number.parseInt(createHash('sha256').update(text).digest('hex').slice(0, 12), 16)

async function mergeRows(
  engine: ComputeEngine,
  lake: ModelLake,
  name: string,
  rows: readonly (readonly unknown[])[],
  signal: AbortSignal,
): Promise<void> {
  const spill = await openRowSpill(engine)
  const connection = await engine.connection()
  const relation = engine.relationName('labels')
  try {
    const select = await spill.select(LABEL_COLUMNS, rows)
    await connection.run(`CREATE TABLE ${quoteIdentifier(relation)} AS ${select}`, { signal })
    const table = await lake.open(name)
    await table!.write(
      {
        ...{ kind: 'merge', key: ['keyword'], whenMatched: 'update' },
        rows: { name: relation, columns: LABEL_COLUMNS, rowCount: rows.length },
      },
      [],
      signal,
    )
  } finally {
    await connection.run(`DROP TABLE IF EXISTS ${quoteIdentifier(relation)}`)
    connection.close()
    await spill.close()
  }
}
