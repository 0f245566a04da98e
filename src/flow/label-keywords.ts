import { readFile } from 'node:fs/promises'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { costUsd, estimatedTokens, type TokenPrices } from '../enrich/cost.ts'
import { type LabelModelPort, type LabelTask, labelRequest } from '../enrich/label-request.ts'
import {
  DEFAULT_LABEL_LIMITS,
  type LabelLimits,
  type LabelledText,
  type LabelOutcome,
  type LabelProgress,
  labelTexts,
} from '../enrich/label-texts.ts'
import type { Randomness } from '../model/clock.ts'
import type { Task, TaskContext, TaskReport } from '../model/task.ts'
import type { LabelPlan } from '../pipeline/label.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import {
  type Classifier,
  type LabelStore,
  type LabelStoreWorld,
  labelStore,
  pendingKeywords,
} from './label-store.ts'

// Labels for keywords. Comes in: a SELECT over tables. Goes out: a lake table with one label for each keyword, who gave it and what it cost.
// Every answer is committed before the next is taken from the queue, so a run that is killed has paid for nothing twice but what was under way: what the same
// model answered to the same prompt is never asked again. Keywords that got no label are dead letters, and are asked again.

export interface LabelWorld extends LabelStoreWorld {
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
  if (status === 'answers_useless')
    log('the model answers nothing that is usable; what is left waits for the next run')
  return {
    status: textCount + outcome.known === 0 ? 'nothing_new' : 'done',
    facts: {
      ...{ outcome: status, classifier: classifierOf(plan, world).model, keywords: textCount },
      ...{ labelled, failed, cost_usd: Math.round(outcome.costUsd * 1e6) / 1e6 },
      ...{ calls, tokens_in: tokensIn, tokens_out: tokensOut, known: outcome.known },
    },
  }
}

function classifierOf(plan: LabelPlan, { labelModel }: Pick<LabelWorld, 'labelModel'>): Classifier {
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
  const who = classifierOf(plan, world)
  const { pending } = await pendingKeywords(world, plan, who, signal)
  const keywords = pending.flatMap((one) => (one.answered === undefined ? [one.keyword] : []))
  const none = { classifier: who.model, keywords: keywords.length }
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

export interface KeywordsOutcome extends LabelOutcome {
  /** Labels that the same model had given before, to the same prompt, and that were not asked for again. */
  readonly known: number
}

/** Label what has no label yet. @throws LabelServiceRefusedError, SqlError */
export async function labelKeywords(
  world: LabelWorld,
  plan: LabelPlan,
  { pipeline, signal, onProgress }: LabelRunOptions,
): Promise<KeywordsOutcome> {
  const who = classifierOf(plan, world)
  const store = labelStore(world, { plan, pipeline, who, signal })
  const { known, texts } = await store.begin()
  const { labelModel } = world
  if (labelModel === undefined) {
    await labelByRules(plan, texts, store)
    await store.end()
    const none = { calls: 0, failed: 0, tokensIn: 0, tokensOut: 0, costUsd: 0 }
    return { status: 'done', known, textCount: texts.length, labelled: texts.length, ...none }
  }
  const { port: model, prices, budgetUsd, limits } = labelModel
  const outcome = await labelTexts({
    ...{ task: await taskOf(plan), model, texts, prices, budgetUsd, signal },
    randomness: world.randomness,
    pause: (ms, abort) => sleep(ms, undefined, { signal: abort }).then(() => {}),
    write: (batch) => store.put(batch),
    ...(limits === undefined ? {} : { limits }),
    ...(onProgress === undefined ? {} : { onProgress }),
  })
  await store.end()
  return { ...outcome, known }
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
    await store.put({ labels, failed: [] })
  }
}
