import { messageOf } from '../model/errors.ts'
import type { TaskContext } from '../model/task.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { type RunEventOptions, runEvent, type TestFact } from '../sql/models/open-lineage.ts'
import type { ReadModel } from '../sql/models/read-model.ts'
import type { BuildOutcome } from './build-model.ts'
import type { ModelLake } from './model-lake.ts'
import { lineageOfOne } from './model-lineage.ts'
import { tablesUnder } from './model-run.ts'
import type { LineageEmitter } from './open-lineage.ts'
import type { TestResult } from './test-model.ts'

/** Tells of one run of a model, as OpenLineage has it. */
export interface LineageTeller {
  started(): Promise<void>
  /** Its rows are there; what its tests found is told as a run after it. */
  completed(outcome: BuildOutcome | undefined, tests: readonly TestResult[]): Promise<void>
  failed(error: unknown): Promise<void>
}

interface TellerWorld {
  readonly engine: ComputeEngine
  readonly lake: ModelLake
  readonly lineage: LineageEmitter
}

interface ToldRun {
  readonly pipeline: string
  readonly read: ReadModel
  readonly views: ReadonlyMap<string, ReadModel>
  readonly context: Pick<TaskContext, 'runId' | 'attempt'>
}

export function lineageTeller(
  { engine, lake, lineage }: TellerWorld,
  plan: PipelinePlan,
  { pipeline, read, views, context }: ToldRun,
): LineageTeller {
  const { name: model } = read.model
  const event = (more: Pick<RunEventOptions, 'type' | 'inputs'> & Partial<RunEventOptions>) =>
    lineage.emit(
      runEvent({
        ...{ namespace: lineage.namespace, atMs: Date.now(), pipeline, model, sql: read.sql },
        ...{ runId: context.runId, attempt: context.attempt },
        ...more,
      }),
    )
  const names = tablesUnder(read, views)
  const inputs = names.map((table) => ({ table }))

  const seen = async (outcome: BuildOutcome | undefined) => {
    const tables = await Promise.all(names.map((name) => lake.open(name)))
    const versions = outcome === undefined || outcome.status === 'waiting' ? [] : outcome.reads
    return tables.map((table, index) => ({
      table: names[index]!,
      version: versions.find((step) => step.table === names[index])?.to ?? table?.version ?? 0,
      columns: table?.columns ?? [],
    }))
  }

  /** Tests read the table, so that they are a run after the one that made it. */
  const tested = async (tests: readonly TestFact[]) => {
    if (tests.length === 0) return
    const { version, columns } = (await lake.open(model)) ?? { version: 0, columns: [] }
    const isTest = true
    await event({ type: 'START', isTest, inputs: [{ table: model }] })
    // A warning is a failed assertion in a run that did what it should.
    const fails = tests.some(({ severity, failures }) => severity === 'error' && failures > 0)
    const about = { type: fails ? 'FAIL' : 'COMPLETE', isTest } as const
    await event({ ...about, inputs: [{ table: model, version, columns, tests }] })
  }

  return {
    started: () => event({ type: 'START', inputs }),
    async completed(outcome, tests) {
      const table = await lake.open(model)
      const { columns } = await lineageOfOne({ engine, lake, plans: [plan], views }, read)
      const written = outcome?.status === 'built' ? outcome.written : undefined
      await event({
        type: 'COMPLETE',
        inputs: await seen(outcome),
        output: {
          columns: table?.columns ?? [],
          version: table?.version ?? 0,
          lineage: columns,
          rows: (written?.rowsAdded ?? 0) + (written?.rowsChanged ?? 0),
          bytes: written?.bytesWritten ?? 0,
          files: written?.filesWritten ?? 0,
        },
      })
      await tested(tests.map(factOf))
    },
    async failed(error) {
      await event({ type: 'FAIL', inputs, message: messageOf(error) })
    },
  }
}

const factOf = ({ test, severity, failingCount }: TestResult): TestFact => ({
  name: test.name,
  ...('column' in test ? { column: test.column } : {}),
  ...{ severity, failures: failingCount },
})
