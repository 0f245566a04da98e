import { amendRows } from '../flow/amend-rows.ts'
import { type FollowedReference, followReference } from '../flow/follow-reference.ts'
import type { LakeHome } from '../flow/lake-home.ts'
import { hopsOf } from '../flow/pipeline-hops.ts'
import { referenceGate } from '../flow/reference-gate.ts'
import type { JoinedReferences } from '../flow/stage-batches.ts'
import type { Log } from '../log/log.ts'
import type { Clock } from '../model/clock.ts'
import { assert } from '../model/errors.ts'
import type { PipelinePlan, ReferencePlan } from '../pipeline/plan.ts'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import { putReferenceRows } from '../serve/postgres/reference-rows.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { openReferenceStore, type ReferenceTable } from '../sql/duckdb/reference-store.ts'

/** The references of all pipelines, followed. */
export interface References {
  /** What a pipeline's joins read; `undefined` when it has no references. */
  joined(pipeline: string): JoinedReferences | undefined
  /** Put rows into the source of a reference, as an application would. Returns how many were new or changed. */
  put(
    pipeline: string,
    reference: string,
    rows: readonly Readonly<Record<string, unknown>>[],
  ): Promise<number>
  /** Returns when what stands in the sources now is what joins see, and rows that it changes are on their way. */
  sync(): Promise<void>
  stop(): Promise<void>
}

export interface OpenReferencesOptions {
  readonly plans: readonly PipelinePlan[]
  readonly postgres: PostgresConfig | undefined
  readonly log: Log
  readonly lake: LakeHome
  /** The engine that carries records. */
  readonly engine: ComputeEngine
  readonly clock: Clock
  readonly onNotice: (line: string) => void
}

/** Follow every reference. Returns after the first look at each, whether its source answered or not. */
export async function openReferences(options: OpenReferencesOptions): Promise<References> {
  const { plans, postgres, engine } = options
  const joined = new Map<string, JoinedReferences>()
  const followed: FollowedReference[] = []
  const withReferences = plans.filter(({ references }) => references.length > 0)
  if (withReferences.length > 0) {
    assert(postgres !== undefined, 'references live in PostgreSQL, which is open')
    const store = await openReferenceStore(engine)
    for (const plan of withReferences) {
      const gate = referenceGate()
      const relations = new Map<string, string>()
      for (const reference of plan.references) {
        const { key, columns } = reference
        const name = `${plan.name}/${reference.name}`
        const table = await store.table({ name, key, columns })
        relations.set(reference.name, table.relation)
        const amend = amendAll(options, plan, reference)
        const { clock, onNotice } = options
        const lake = options.lake.delta
        followed.push(
          followReference({
            ...{
              pipeline: plan.name,
              plan: reference,
              postgres,
              lake,
              engine,
              table,
              gate,
              clock,
              amend,
              onNotice,
            },
          }),
        )
      }
      joined.set(plan.name, { relations, gate })
    }
  }
  await Promise.all(followed.map(({ ready }) => ready))
  return {
    joined: (pipeline) => joined.get(pipeline),
    async put(pipeline, reference, rows) {
      const plan = plans.find(({ name }) => name === pipeline)
      const known = plan?.references.find(({ name }) => name === reference)
      assert(known !== undefined, `the pipeline ${pipeline} has a reference ${reference}`)
      const columns = known.columns.map(({ name }) => name)
      return putReferenceRows(postgres!, { ...known, columns }, rows)
    },
    sync: async () => void (await Promise.all(followed.map((one) => one.sync()))),
    stop: async () => void (await Promise.all(followed.map((one) => one.stop()))),
  }
}

/** Every table of the pipeline that is joined with the reference. */
function amendAll(
  { log, lake, engine }: OpenReferencesOptions,
  plan: PipelinePlan,
  { name }: ReferencePlan,
) {
  const joins = hopsOf(plan).flatMap((hop) =>
    hop.kind === 'table'
      ? hop.table.steps.flatMap((step) =>
          step.kind === 'join' && step.reference === name ? [{ hop, step }] : [],
        )
      : [],
  )
  return async (table: ReferenceTable, afterMicros: bigint): Promise<number> => {
    let count = 0
    for (const { hop, step } of joins)
      count += await amendRows({ log, lake, engine, hop, step, table, afterMicros })
    return count
  }
}
