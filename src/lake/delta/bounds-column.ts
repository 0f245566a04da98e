import type { ColumnType } from '../../model/column.ts'
import type { ColumnBounds } from '../file-skipping.ts'
import { boundsFromValues } from './file-bounds.ts'

interface WholeBounds {
  readonly mins: BigInt64Array
  readonly maxs: BigInt64Array
  /** NaN where unknown. */
  readonly nullCounts: Float64Array
  /** Which of them a row has. */
  readonly told: Uint8Array
}

const MIN = 1
const MAX = 2
const TOLD = 4

/**
 * The bounds of one column in each of a table's first files. Whole numbers are kept side by side: a hundred thousand objects that live
 * cost the collector more than all the rest of a plan, and what asking makes is forgotten at once.
 */
export class BoundsColumn {
  readonly #type: ColumnType
  readonly #rowCounts: Float64Array
  readonly #made: (ColumnBounds | undefined)[] = []
  #whole: WholeBounds | undefined

  /** @param rowCounts of all the files, filled by the caller; NaN where unknown */
  constructor(type: ColumnType, rowCounts: Float64Array) {
    this.#type = type
    this.#rowCounts = rowCounts
  }

  set(row: number, bounds: ColumnBounds): void {
    this.#made[row] = bounds
  }

  /** Values of the column's type, which are whole numbers underneath. */
  setWhole(
    row: number,
    found: {
      readonly min: bigint | undefined
      readonly max: bigint | undefined
      readonly nullCount: number | undefined
    },
  ): void {
    const { mins, maxs, nullCounts, told } = this.#wholeBounds()
    const { min, max, nullCount } = found
    if (min !== undefined) mins[row] = min
    if (max !== undefined) maxs[row] = max
    if (nullCount !== undefined) nullCounts[row] = nullCount
    told[row] = TOLD | (min === undefined ? 0 : MIN) | (max === undefined ? 0 : MAX)
  }

  at(row: number): ColumnBounds | undefined {
    const told = this.#whole?.told[row] ?? 0
    if (told === 0) return this.#made[row]
    const { mins, maxs, nullCounts } = this.#whole!
    return boundsFromValues(
      {
        min: (told & MIN) === 0 ? undefined : mins[row],
        max: (told & MAX) === 0 ? undefined : maxs[row],
        nullCount: known(nullCounts[row]!),
        numRecords: known(this.#rowCounts[row]!),
      },
      this.#type,
    )
  }

  #wholeBounds(): WholeBounds {
    const { length } = this.#rowCounts
    this.#whole ??= {
      mins: new BigInt64Array(length),
      maxs: new BigInt64Array(length),
      nullCounts: new Float64Array(length).fill(Number.NaN),
      told: new Uint8Array(length),
    }
    return this.#whole
  }
}

const known = (count: number) => (Number.isNaN(count) ? undefined : count)
