import type { WindowMaterialization } from '../model/sql-model.ts'
import type { TaskContext } from '../model/task.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { openModelSession } from '../sql/models/model-session.ts'
import { readSize } from '../sql/models/net-changes.ts'
import type { ReadModel } from '../sql/models/read-model.ts'
import type { SparkPlace } from '../sql/models/rows-of-spark.ts'
import { decideRun, type ProgressStep, progressSteps } from '../sql/models/run-decision.ts'
import { withinTouched } from '../sql/models/touched-partitions.ts'
import { buildWindow } from './build-window.ts'
import { followDeletes, followedBy } from './follow-deletes.ts'
import { makeIncoming } from './make-incoming.ts'
import { makeTables } from './make-tables.ts'
import { makeTouched } from './make-touched.ts'
import type { ModelLake, ModelTable, ModelWritten } from './model-lake.ts'
import { type ModelRun, type RunSql, tablesUnder } from './model-run.ts'
import { checkColumns, decideWrite, targetFor } from './model-write.ts'
import { replaceAll } from './replace-all.ts'
import { rowsByEngine } from './rows-by-engine.ts'

// One run of one model. In: the tables it reads, each fixed at its newest version, and what the model's own table remembers of earlier
// runs. Out: one commit to that table, with the rows and the versions they were made from. A crash before the commit leaves the table
// as it was, and the next run does the same again; a crash after it leaves a table that says what it holds. Nothing else is kept.

export interface BuildOptions {
  readonly engine: ComputeEngine
  readonly lake: ModelLake
  readonly read: ReadModel
  /** View models that this one may read, by name. */
  readonly views: ReadonlyMap<string, ReadModel>
  /** For models that run there. */
  readonly spark?: SparkPlace | undefined
  readonly context: Pick<TaskContext, 'logicalMs' | 'signal' | 'fullRefresh' | 'range' | 'versions'>
}

export type BuildOutcome =
  | { readonly status: 'waiting'; readonly table: string }
  | { readonly status: 'nothing_new'; readonly reads: readonly VersionStep[] }
  | ({
      readonly status: 'built'
      readonly decision: ModelRun['decision']
      readonly reads: readonly VersionStep[]
    } & BuildNumbers)

export interface BuildNumbers {
  /** Rows of `incoming`; `undefined` for models that have none. */
  readonly rowsIn: number | undefined
  readonly rowsGone: number
  readonly partitions: number | undefined
  /** Rows the SQL yielded. */
  readonly rowsMade: number
  readonly filesRead: number
  readonly bytesRead: number
  readonly written: ModelWritten
}

export interface VersionStep {
  readonly table: string
  readonly from: number | null
  readonly to: number
}

/** Run a model once. @throws PlatformError; nothing was changed then */
export async function buildModel(options: BuildOptions): Promise<BuildOutcome> {
  const { lake, read, views, context } = options
  const { model } = read
  const sources = new Map<string, ModelTable>()
  for (const name of tablesUnder(read, views)) {
    const table = await lake.open(name)
    if (table === undefined) return { status: 'waiting', table: name }
    sources.set(name, table)
  }
  const target = await lake.open(model.name)
  const facts = {
    ...{ model, fingerprint: read.fingerprint, progress: target?.progress },
    ...{ reads: [...sources.values()], fullRefresh: context.fullRefresh },
    hasRange: context.range !== undefined || context.versions !== undefined,
  }
  const decided = decideRun(facts)
  // A window has no parts that could be made alone.
  const isPart = decided.kind === 'range' && model.materialize.kind === 'window'
  const decision = isPart ? ({ kind: 'whole', why: 'asked_for' } as const) : decided
  const steps = progressSteps(facts)
  const reads = versionSteps(sources, steps)
  if (decision.kind === 'nothing_new') return { status: 'nothing_new', reads }
  const session = await openModelSession(options.engine, {
    runTimeMs: context.logicalMs,
    signal: context.signal,
    parameters: model.parameters,
  })
  try {
    const run = { model, read, views, context, decision, sources, target, session }
    return { status: 'built', decision, reads, ...(await build(run, options, steps)) }
  } finally {
    await session.close()
  }
}

async function build(
  run: ModelRun,
  { lake, spark }: BuildOptions,
  steps: readonly ProgressStep[],
): Promise<BuildNumbers> {
  const { model, read, decision, context } = run
  const runSql = rowsByEngine(run, spark)
  if (model.materialize.kind === 'window')
    return moveWindow(run, { how: model.materialize, lake, steps, runSql })
  const incoming = await makeIncoming(run)
  const touched = await makeTouched(run, incoming)
  const tables = await makeTables(run, touched)
  const made = await runSql(touched === undefined ? read.sql : withinTouched(read.sql, touched.by))
  checkColumns(run, made.columns)
  const follows = followedBy(run, incoming)
  const followed = follows && (await followDeletes(run, follows, made, runSql))
  const write = followed?.write ?? (await decideWrite(run, made, touched))
  const table = await targetFor(run, lake, write, made.columns)
  // What a backfill reads is a part of what is there, so that the next run still has to look.
  const moves = decision.kind === 'range' ? [] : steps
  const written = await table.write(write, moves, context.signal)
  const { files: filesRead, bytes: bytesRead } = readSize(
    [...incoming.scans.values(), ...tables.values(), followed?.scan ?? []].flat(),
  )
  return {
    ...{ rowsIn: incoming.rowsIn, rowsGone: incoming.rowsGone },
    partitions: touched?.rows.length,
    ...{ rowsMade: made.rowCount, filesRead, bytesRead, written },
  }
}

/** The run of a window, whose rows are made another way and committed with its newest day. */
async function moveWindow(
  run: ModelRun,
  parts: {
    readonly how: WindowMaterialization
    readonly lake: ModelLake
    readonly steps: readonly ProgressStep[]
    readonly runSql: RunSql
  },
): Promise<BuildNumbers> {
  const { model, sources, target, context } = run
  const { how, lake, steps, runSql } = parts
  const source = sources.get(model.incoming!)!
  const { made, step, scanned, ...facts } = await buildWindow({ ...run, how, source, runSql })
  if (made !== undefined) checkColumns(run, made.columns)
  const write = made === undefined ? ({ kind: 'nothing' } as const) : replaceAll(run, made)
  const table = made === undefined ? target! : await targetFor(run, lake, write, made.columns)
  const written = await table.write(write, [...steps, step], context.signal)
  const { files: filesRead, bytes: bytesRead } = readSize(scanned)
  return {
    ...{ rowsIn: facts.rowsIn, rowsGone: facts.rowsGone, partitions: facts.days },
    ...{ rowsMade: made?.rowCount ?? 0, filesRead, bytesRead, written },
  }
}

function versionSteps(
  sources: ReadonlyMap<string, ModelTable>,
  steps: readonly ProgressStep[],
): readonly VersionStep[] {
  return [...sources.values()].map((table) => {
    const step = steps.find(({ appId }) => appId.includes(`/read/${table.name}/`))
    return { table: table.name, from: step?.expected ?? null, to: table.version }
  })
}
