import type { Micros } from '../../model/clock.ts'
import type { Columns } from '../../model/column.ts'
import { RECORD_COLUMNS, type Relation } from '../../model/relation.ts'
import type { JoinStep, SelectStep, Step, WhereStep } from '../../model/step.ts'
import type { EngineConnection } from './engine.ts'
import { canFail, expressionSql } from './expression.ts'
import { runJoin } from './join.ts'
import { quoteIdentifier } from './quote-identifier.ts'
import { runRowSteps } from './row-steps.ts'
import { type FailedRecord, ownColumns, type RowStep, type StepOutcome } from './step-outcome.ts'

// What a stream does to its rows. In: a relation with record columns, and steps. Out: a relation with record columns, the
// records that a step failed on, and how many a filter dropped. Expressions run inside the engine, neighbouring ones as
// one statement; the user's own TypeScript sees rows in chunks, off the event loop's critical path.

/** Records of one partition that filters dropped. */
export interface FilteredCount {
  readonly topic: string
  readonly partition: number
  readonly count: number
}

export interface TransformedBatch {
  /** The last step's columns, then `RECORD_COLUMNS`. */
  readonly relation: Relation
  /** In order of topic, partition and offset. */
  readonly failed: readonly FailedRecord[]
  /** Only partitions with a count above zero. */
  readonly filtered: readonly FilteredCount[]
  /** The relation is computed from the one handed in whenever it is read, so that one must be kept as long. */
  readonly readsInput: boolean
  /** Frees what the steps made, but not the relation handed in; calling it twice is fine. */
  release(): Promise<void>
}

export interface TransformOptions {
  readonly relation: Relation
  readonly steps: readonly Step[]
  /** What `processing_time` means for the whole batch, UTC microseconds. */
  readonly processingTime: Micros
  /** Where the engine holds the references that steps join with, by name. */
  readonly references?: ReadonlyMap<string, string> | undefined
  readonly signal?: AbortSignal | undefined
}

/** Apply steps to a relation, in order. @throws EngineMemoryError, EngineInterruptedError; nothing is left behind then */
export async function transform(
  connection: EngineConnection,
  { relation, steps, processingTime, references, signal }: TransformOptions,
): Promise<TransformedBatch> {
  const failed: FailedRecord[] = []
  const groups = groupsOf(steps)
  let current = relation
  const drop = async (made: Relation) => {
    if (made !== relation) await connection.run(`DROP TABLE IF EXISTS ${made.name}`)
  }
  const [only] = groups
  if (groups.length === 1 && only!.kind === 'sql' && keepsEveryRow(only!.steps))
    return viewOver(connection, relation, only!.steps, processingTime)
  try {
    for (const group of groups) {
      const outcome =
        group.kind === 'sql'
          ? await runSqlSteps(connection, current, group.steps, processingTime, signal)
          : group.kind === 'join'
            ? await runJoin(connection, current, group.step, references, signal)
            : await runRowSteps(connection, current, group.steps, signal)
      await drop(current)
      current = outcome.relation
      failed.push(...outcome.failed)
    }
    failed.sort(byPlace)
    const filtered = await countFiltered(connection, relation, current, failed)
    return {
      ...{ relation: current, failed, filtered, readsInput: current === relation },
      release: () => drop(current),
    }
  } catch (error) {
    await drop(current)
    throw error
  }
}

/** The engine hands over rows in the order in which its threads have them. */
const byPlace = (a: FailedRecord, b: FailedRecord) =>
  a.topic === b.topic
    ? a.partition - b.partition || a.offset - b.offset
    : a.topic < b.topic
      ? -1
      : 1

type SqlStep = SelectStep | WhereStep

type Group =
  | { readonly kind: 'sql'; readonly steps: readonly SqlStep[] }
  | { readonly kind: 'rows'; readonly steps: readonly RowStep[] }
  | { readonly kind: 'join'; readonly step: JoinStep }

/** Neighbours of one kind run together. */
function groupsOf(steps: readonly Step[]): readonly Group[] {
  const groups: ({ kind: 'sql' | 'rows'; steps: Step[] } | { kind: 'join'; step: JoinStep })[] = []
  for (const step of steps) {
    if (step.kind === 'join') {
      groups.push({ kind: 'join', step })
      continue
    }
    const kind = step.kind === 'select' || step.kind === 'where' ? 'sql' : 'rows'
    const last = groups.at(-1)
    if (last !== undefined && last.kind !== 'join' && last.kind === kind) last.steps.push(step)
    else groups.push({ kind, steps: [step] })
  }
  return groups as readonly Group[]
}

/** Nothing is dropped and nothing can fail, so the number of rows is known without looking. */
const keepsEveryRow = (steps: readonly SqlStep[]) =>
  steps.every((step) => step.kind === 'select' && !step.columns.some((c) => canFail(c.expression)))

/** Steps that keep every row as a view, which spares writing all rows once more: whoever reads the relation computes them. */
async function viewOver(
  connection: EngineConnection,
  relation: Relation,
  steps: readonly SqlStep[],
  processingTime: Micros,
): Promise<TransformedBatch> {
  const name = connection.engine.relationName('viewed')
  const { sql, columns } = sqlSteps(relation, steps, processingTime)
  await connection.run(`CREATE VIEW ${name} AS SELECT * EXCLUDE (${FAILED}) FROM (${sql})`)
  return {
    ...{ relation: { name, columns, rowCount: relation.rowCount }, failed: [], filtered: [] },
    readsInput: true,
    release: async () => {
      await connection.run(`DROP VIEW IF EXISTS ${name}`)
    },
  }
}

const RECORD_NAMES = RECORD_COLUMNS.map((column) => column.name).join(', ')
const FAILED = quoteIdentifier('?failed')

async function runSqlSteps(
  connection: EngineConnection,
  relation: Relation,
  steps: readonly SqlStep[],
  processingTime: Micros,
  signal: AbortSignal | undefined,
): Promise<StepOutcome> {
  const name = connection.engine.relationName('selected')
  const { sql, columns } = sqlSteps(relation, steps, processingTime)
  await connection.run(`CREATE TABLE ${name} AS ${sql}`, { signal })
  const dead = await connection.rows(
    `SELECT _topic, _partition, _offset FROM ${name} WHERE ${FAILED} ORDER BY ALL`,
  )
  if (dead.length > 0) await connection.run(`DELETE FROM ${name} WHERE ${FAILED}`)
  await connection.run(`ALTER TABLE ${name} DROP COLUMN ${FAILED}`)
  const rowCount = await countRows(connection, name)
  const failed = dead.map(([topic, partition, offset]) => ({
    topic: topic as string,
    partition: partition as number,
    offset: Number(offset),
    reason: 'step_failed' as const,
    message: 'A number computed from the record is too large for its column.',
  }))
  return { relation: { name, columns, rowCount }, failed }
}

/** Steps as one query over a relation. A row that arithmetic failed on is marked and carried along instead of failing all. */
function sqlSteps(
  relation: Relation,
  steps: readonly SqlStep[],
  processingTime: Micros,
): { readonly sql: string; readonly columns: Columns } {
  let own = ownColumns(relation.columns)
  let sql = `SELECT ${names(own)}${RECORD_NAMES}, false AS ${FAILED} FROM ${relation.name}`
  for (const step of steps) {
    const context = { processingTime }
    if (step.kind === 'where') {
      const condition = expressionSql(step.condition, context)
      if (canFail(step.condition)) {
        const tried = `SELECT *, TRY({v: ${condition}}) AS "?tried" FROM (${sql})`
        sql = `SELECT * EXCLUDE ("?tried", ${FAILED}), ${FAILED} OR "?tried" IS NULL AS ${FAILED} FROM (${tried}) WHERE ${FAILED} OR "?tried" IS NULL OR coalesce("?tried".v, false)`
      } else sql = `SELECT * FROM (${sql}) WHERE ${FAILED} OR coalesce(${condition}, false)`
      continue
    }
    const made = step.columns.map((c) => ({
      name: quoteIdentifier(c.name),
      value: expressionSql(c.expression, context),
    }))
    if (step.columns.some((c) => canFail(c.expression))) {
      const packed = made.map((c) => `${c.name}: ${c.value}`).join(', ')
      const tried = `SELECT ${RECORD_NAMES}, ${FAILED}, TRY({${packed}}) AS "?tried" FROM (${sql})`
      const taken = made.map((c) => `"?tried".${c.name} AS ${c.name}`).join(', ')
      sql = `SELECT ${taken}, ${RECORD_NAMES}, ${FAILED} OR "?tried" IS NULL AS ${FAILED} FROM (${tried})`
    } else {
      const taken = made.map((c) => `${c.value} AS ${c.name}, `).join('')
      sql = `SELECT ${taken}${RECORD_NAMES}, ${FAILED} FROM (${sql})`
    }
    own = step.columns.map(({ name, expression: { type, nullable } }) => ({ name, type, nullable }))
  }
  return { sql, columns: [...own, ...RECORD_COLUMNS] }
}

const names = (columns: Columns) => columns.map((c) => `${quoteIdentifier(c.name)}, `).join('')

async function countRows(connection: EngineConnection, name: string): Promise<number> {
  const [row] = await connection.rows(`SELECT count(*) FROM ${name}`)
  return Number(row![0])
}

/** What went in, less what came out and what failed, for each partition. */
async function countFiltered(
  connection: EngineConnection,
  before: Relation,
  after: Relation,
  failed: readonly FailedRecord[],
): Promise<readonly FilteredCount[]> {
  if (before.rowCount === after.rowCount + failed.length) return []
  const counts = await connection.rows(
    `SELECT _topic, _partition, sum(n) FROM (` +
      `SELECT _topic, _partition, 1 AS n FROM ${before.name} UNION ALL SELECT _topic, _partition, -1 FROM ${after.name}` +
      `) GROUP BY ALL ORDER BY ALL`,
  )
  return counts
    .map(([topic, partition, gone]) => ({
      topic: topic as string,
      partition: partition as number,
      count:
        Number(gone) - failed.filter((f) => f.topic === topic && f.partition === partition).length,
    }))
    .filter(({ count }) => count > 0)
}
