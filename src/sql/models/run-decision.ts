import type { SqlModel } from '../../model/sql-model.ts'

/** A table as a run found it. */
export interface ReadVersion {
  readonly name: string
  /** The table's own id: another table of the same name has another. */
  readonly id: string
  readonly version: number
}

/** What a model's table remembers of its runs: application ids with their versions, committed with the rows. */
export type Progress = ReadonlyMap<string, number>

export type RunDecision =
  | { readonly kind: 'nothing_new' }
  /** From the first row on. */
  | { readonly kind: 'whole'; readonly why: WholeReason }
  /** What came to the incoming table after this version. */
  | { readonly kind: 'increment'; readonly fromVersion: number }
  /** Asked for: a part of what is there. */
  | { readonly kind: 'range' }

export type WholeReason =
  | 'first_run'
  | 'asked_for'
  | 'model_changed'
  | 'columns_changed'
  | 'source_replaced'
  | 'source_changed'

export interface DecisionFacts {
  readonly model: SqlModel
  readonly fingerprint: number
  /** `undefined` when the model's table is not there. */
  readonly progress: Progress | undefined
  readonly reads: readonly ReadVersion[]
  readonly fullRefresh: boolean
  readonly hasRange: boolean
}

const PREFIX = 'mekong/model'
export const SQL_APP_ID = `${PREFIX}/sql`
/** Application id under which a model's table keeps the version of a table it read. */
export const readAppId = ({ name, id }: Pick<ReadVersion, 'name' | 'id'>) =>
  `${PREFIX}/read/${name}/${id}`

/** What a run has to do. Pure. */
export function decideRun(facts: DecisionFacts): RunDecision {
  const { model, fingerprint, progress, reads, fullRefresh, hasRange } = facts
  if (fullRefresh) return { kind: 'whole', why: 'asked_for' }
  if (hasRange) return { kind: 'range' }
  const standing = progress?.get(SQL_APP_ID)
  if (progress === undefined || standing === undefined) return { kind: 'whole', why: 'first_run' }
  if (standing !== fingerprint && model.onChange === 'rebuild')
    return { kind: 'whole', why: 'model_changed' }
  const { incoming } = model
  if (incoming === undefined) {
    const isSame = reads.every((read) => progress.get(readAppId(read)) === read.version)
    return isSame ? { kind: 'nothing_new' } : { kind: 'whole', why: 'source_changed' }
  }
  const source = reads.find(({ name }) => name === incoming)!
  const fromVersion = progress.get(readAppId(source))
  if (fromVersion === undefined) return { kind: 'whole', why: 'source_replaced' }
  return fromVersion === source.version
    ? { kind: 'nothing_new' }
    : { kind: 'increment', fromVersion }
}

/** One application's step, for the commit that carries the rows. */
export interface ProgressStep {
  readonly appId: string
  readonly version: number
  /** What must stand there until then, so that of two runs only one wins; `null` for nothing. */
  readonly expected: number | null
}

/** The steps that a run's commit carries. Pure. */
export function progressSteps({
  fingerprint,
  progress,
  reads,
}: Pick<DecisionFacts, 'fingerprint' | 'progress' | 'reads'>): readonly ProgressStep[] {
  const step = (appId: string, version: number): ProgressStep => ({
    ...{ appId, version },
    expected: progress?.get(appId) ?? null,
  })
  return [
    step(SQL_APP_ID, fingerprint),
    ...reads.map((read) => step(readAppId(read), read.version)),
  ]
}
