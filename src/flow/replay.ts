import type { Log } from '../log/log.ts'
import type { AppendOutcome, NewRecord } from '../model/append.ts'
import type { Clock } from '../model/clock.ts'
import { bytesColumn, type RecordBatch } from '../model/record-batch.ts'
import type { DayFilesPlan } from '../pipeline/day-files.ts'
import type { PipelinePlan, TopicPlan } from '../pipeline/plan.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { DeadLetterStateError } from '../state/errors.ts'
import type { StoredLetter } from '../state/letter-rows.ts'
import { letterTransition } from '../state/letter-status.ts'
import type { StateStore } from '../state/state-store.ts'
import { hopsOf, type PlannedHop, topicsReadBy } from './pipeline-hops.ts'
import { filesOfLetter, previewLine } from './replay-line.ts'
import { type ReplayPreview, ReplayRefusedError, replayBytes } from './replay-preview.ts'
import { stageBatches } from './stage-batches.ts'

// A dead letter's way back. It goes where it was turned away and nowhere else: a hop's letter into the hop's own replay topic, the
// gateway's letter into the topic it was meant for, a line of a day file into its day (`replay-line.ts`). Appending is idempotent by an id made from the letter, so a replay that
// was cut off anywhere is repeated safely: replay is exactly once.

export interface ReplayContext {
  readonly plans: readonly PipelinePlan[]
  readonly log: Pick<Log, 'append' | 'ensureTopic'>
  readonly state: Pick<StateStore, 'markReplayed'>
  /** Puts a line of a day file into its day and says where it counts; once, however often. */
  readonly replayLine: (wish: LineReplay) => Promise<string>
}

export interface LineReplay {
  readonly pipeline: string
  readonly files: DayFilesPlan
  readonly letter: StoredLetter
}

/**
 * Decode a letter's bytes as its hop would, without writing anything. A gateway's letter is shown as the topic's row.
 * @throws ReplayRefusedError
 */
export async function previewReplay(
  {
    plans,
    engine,
    clock,
  }: {
    readonly plans: readonly PipelinePlan[]
    readonly engine: ComputeEngine
    readonly clock: Clock
  },
  letter: StoredLetter,
): Promise<ReplayPreview> {
  const lines = filesOfLetter(planOf(plans, letter), letter)
  if (lines !== undefined) return previewLine(engine, lines, letter)
  const { plan, hop, topic } = placeOf(plans, letter)
  const stage = stageBatches({
    pipeline: plan.name,
    hop: letter.hop,
    schema: topic.schema,
    steps: hop === undefined ? [] : hop.kind === 'table' ? hop.table.steps : hop.serve.steps,
    engine,
    clock,
  })
  const staged = await stage.stage([batchOfOne(letter)], AbortSignal.timeout(30_000))
  try {
    const [dead] = staged.dead
    if (dead !== undefined) return { status: 'dead', reason: dead.reason, message: dead.message }
    if (staged.relation.rowCount === 0) return { status: 'filtered' }
    const connection = await engine.connection()
    try {
      const result = await connection.run(
        `SELECT COLUMNS(c -> NOT starts_with(c, '_')) FROM ${staged.relation.name}`,
      )
      const [row] = await result.getRowObjectsJson()
      return { status: 'row', row: row! }
    } finally {
      connection.close()
    }
  } finally {
    await staged.release()
  }
}

/**
 * Send a letter back. Returns where it went, `topic/partition/offset`.
 * @throws ReplayRefusedError, DeadLetterStateError when it was replayed or dropped
 */
export async function replayLetter(context: ReplayContext, letter: StoredLetter): Promise<string> {
  // Asked before the append: a letter that was dropped must not be sent after all.
  if (letterTransition(letter.status, 'replay') === undefined) {
    throw new DeadLetterStateError(
      `The dead letter ${letter.id} is ${letter.status}, so it cannot be replayed. Nothing was sent.`,
    )
  }
  const files = filesOfLetter(planOf(context.plans, letter), letter)
  if (files !== undefined) {
    const at = await context.replayLine({ pipeline: letter.pipeline, files, letter })
    await context.state.markReplayed(letter.id, at)
    return at
  }
  const { hop, topic } = placeOf(context.plans, letter)
  const to = hop?.replayTopic ?? topic.name
  if (hop !== undefined) await context.log.ensureTopic({ name: to, partitions: 1 })
  const outcome = await context.log.append(to, [replayRecord(letter, topic)])
  const place = `${to}/${placeText(outcome)}`
  await context.state.markReplayed(letter.id, place)
  return place
}

function placeText(outcome: AppendOutcome): string {
  if (outcome.status !== 'appended') {
    throw new ReplayRefusedError(
      `The log did not take it (${outcome.reason}). Nothing was changed; try again.`,
    )
  }
  const [record] = outcome.records
  return `${record!.partition}/${record!.offset}`
}

/**
 * A record that never reached the log takes the id that it declares, mended as it is, so that a client who sends it again
 * finds it there already. One that did reach it takes an id that is new in the replay topic and always the same.
 */
function replayRecord(letter: StoredLetter, topic: TopicPlan): NewRecord {
  const value = replayBytes(letter)
  const headers = { ...letter.headers, 'mekong-dead-letter': letter.id }
  const rest = { idMayRepeat: true, value, headers }
  if (letter.partition >= 0) return { ...rest, id: `replay-${letter.id}`, key: letter.key }
  const declared = fieldText(value, topic.id)
  return { ...rest, id: declared ?? `replay-${letter.id}`, key: fieldText(value, topic.key) }
}

function fieldText(value: Uint8Array, field: string | undefined): string | null {
  if (field === undefined) return null
  try {
    const record = JSON.parse(new TextDecoder().decode(value))
    const path = Object.hasOwn(record, field) ? [field] : field.split('.')
    const cell = path.reduce((at, name) => at?.[name], record)
    return cell === undefined || cell === null || cell === '' ? null : String(cell)
  } catch {
    return null
  }
}

const planOf = (plans: readonly PipelinePlan[], letter: StoredLetter) =>
  plans.find(({ name }) => name === letter.pipeline)

function placeOf(plans: readonly PipelinePlan[], letter: StoredLetter) {
  const plan = planOf(plans, letter)
  const hop: PlannedHop | undefined =
    plan &&
    hopsOf(plan).find(
      (planned) => planned.name === letter.hop && topicsReadBy(planned).includes(letter.topic),
    )
  if (plan?.labels.some(({ name }) => name === letter.hop)) {
    throw new ReplayRefusedError(
      `The dead letter ${letter.id} is a text that got no label. The next "mekong enrich ${letter.pipeline}" asks for it again.`,
    )
  }
  const topic = plan?.topics.find(({ name }) => name === (hop?.topic ?? letter.topic))
  if (plan === undefined || topic === undefined || (hop === undefined && letter.partition >= 0)) {
    throw new ReplayRefusedError(
      `The dead letter ${letter.id} belongs to ${letter.pipeline} / ${letter.hop}, topic ${letter.topic}, which is not in the configuration.`,
    )
  }
  return { plan, hop, topic }
}

function batchOfOne(letter: StoredLetter): RecordBatch {
  const text = new TextEncoder()
  return {
    topic: letter.topic,
    partition: Math.max(0, letter.partition),
    offsets: Float64Array.of(letter.offset),
    offsetEnd: letter.offset + 1,
    arrivedMs: Float64Array.of(letter.arrivedMs),
    ids: bytesColumn([text.encode(letter.recordId || letter.id)]),
    keys: bytesColumn([text.encode(letter.key ?? '')]),
    headers: bytesColumn([text.encode(JSON.stringify(letter.headers))]),
    values: bytesColumn([replayBytes(letter)]),
  }
}
