import { readSize } from '../sql/models/net-changes.ts'
import type { ReadModel } from '../sql/models/read-model.ts'
import type { RunDecision } from '../sql/models/run-decision.ts'
import type { ModelTable } from './model-lake.ts'

// About how much a run reads, from metadata alone. What models above will have written by then is estimated too: that what comes out of them is
// about what goes in, or what is there now where they are made anew. An aggregate yields less than that.

/** Rows, and bytes of the files that hold them; `undefined` where nobody knows. */
export interface Amount {
  readonly rows: number | undefined
  readonly bytes: number | undefined
}

const NONE: Amount = { rows: 0, bytes: 0 }
const UNKNOWN: Amount = { rows: undefined, bytes: undefined }

/** What a model above would have written. */
export interface Coming {
  readonly amount: Amount
  /** In place of all that is there. */
  readonly isAnew: boolean
}

export interface EstimateParts {
  readonly read: ReadModel
  readonly decision: RunDecision
  /** Tables that it reads, through views too. */
  readonly under: readonly string[]
  readonly tables: ReadonlyMap<string, ModelTable>
  /** By table, for models above that would run. */
  readonly coming: ReadonlyMap<string, Coming>
}

/** About how much a run of a model reads. */
export async function estimateRun(parts: EstimateParts): Promise<Amount> {
  const { read, decision, under, tables, coming } = parts
  const { incoming } = read.model
  if (decision.kind !== 'whole' && incoming !== undefined) {
    const come = coming.get(incoming)?.amount ?? NONE
    return decision.kind === 'increment'
      ? sum([come, await changedAmount(tables.get(incoming)!, decision.fromVersion)])
      : come
  }
  if (decision.kind !== 'whole') return NONE
  const amounts = under.map(async (name) => {
    const above = coming.get(name)
    const standing = above?.isAnew ? NONE : await amountOf(tables.get(name))
    return sum([standing, above?.amount ?? NONE])
  })
  return sum(await Promise.all(amounts))
}

/** About what a model leaves in its table when it reads so much. */
export async function estimateComing(
  isAnew: boolean,
  { rows }: Amount,
  table: ModelTable | undefined,
): Promise<Coming> {
  const standing = await amountOf(table)
  const isKnown = (standing.rows ?? 0) > 0 && standing.bytes !== undefined
  if (isAnew && isKnown) return { isAnew, amount: standing }
  const bytes =
    rows === 0
      ? 0
      : isKnown && rows !== undefined
        ? Math.ceil((rows * standing.bytes!) / standing.rows!)
        : undefined
  return { isAnew, amount: { rows, bytes } }
}

async function amountOf(table: ModelTable | undefined): Promise<Amount> {
  if (table === undefined) return NONE
  const { rows, bytes } = await table.size()
  return { rows, bytes }
}

async function changedAmount(table: ModelTable, fromVersion: number): Promise<Amount> {
  const changes = await table.changesSince(fromVersion)
  if (changes === undefined) return UNKNOWN
  const { plus, minus, feed } = changes
  return {
    ...sum(plus.flatMap(({ files }) => files.map((file) => ({ rows: file.rowCount, bytes: 0 })))),
    bytes: readSize([...plus, ...minus, ...feed]).bytes,
  }
}

const sum = (amounts: readonly Amount[]): Amount =>
  amounts.reduce(
    (total, amount) => ({
      rows: plus(total.rows, amount.rows),
      bytes: plus(total.bytes, amount.bytes),
    }),
    NONE,
  )

const plus = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? undefined : a + b
