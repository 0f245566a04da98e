import fc from 'fast-check'
import type { Column, Columns, ColumnType } from '../../src/model/column.ts'

/** The column that every table has, with a different number in every row. */
export const KEY: Column = { name: 'k', type: 'int64', nullable: false }

/** Words that are keywords, that differ in case, and that paths and dialects must quote. */
const NAMES = ['a', 'Mixed', 'order', 'größe', 'x.y', '%41', "o'clock", 'value'] as const

const decimal = (precision: number, scale: number): ColumnType => ({
  kind: 'decimal',
  precision,
  scale,
})
const SCALARS: readonly ColumnType[] = [
  ...(['boolean', 'int8', 'int16', 'int32', 'int64', 'float32', 'float64', 'string'] as const),
  ...(['binary', 'date', 'timestamp', 'timestamp_ntz'] as const),
  ...[decimal(9, 2), decimal(18, 0), decimal(38, 10), decimal(5, 5)],
]

export interface ColumnChoice {
  /** Types that the table's format or an engine lacks. */
  readonly without?: readonly ColumnType[]
  /** Whether lists and maps hold structs. Default: true. */
  readonly hasInnerStructs?: boolean
  /** Whether columns are scalars only. Default: false. */
  readonly isFlat?: boolean
}

const scalar = ({ without = [] }: ColumnChoice) => {
  const left = SCALARS.filter((type) => !without.includes(type))
  return fc.constantFrom<ColumnType>(...left)
}

/** Any type, at most three deep. */
export function columnType(choice: ColumnChoice = {}): fc.Arbitrary<ColumnType> {
  if (choice.isFlat === true) return scalar(choice)
  const inner = (of: fc.Arbitrary<ColumnType>) =>
    choice.hasInnerStructs === false
      ? of.filter((type) => !JSON.stringify(type).includes('struct'))
      : of
  const { type } = fc.letrec<{ type: ColumnType; nested: ColumnType }>((tie) => ({
    type: fc.oneof(
      { maxDepth: 2, depthIdentifier: 'column' },
      { arbitrary: scalar(choice), weight: 5 },
      { arbitrary: tie('nested'), weight: 1 },
    ),
    nested: fc.oneof(
      inner(tie('type')).map(
        (element) => ({ kind: 'list', element, elementNullable: true }) as const,
      ),
      fc
        .tuple(fc.constantFrom('string', 'int32', 'date'), inner(tie('type')))
        .map(([key, value]) => ({ kind: 'map', key, value, valueNullable: true }) as ColumnType),
      fc.array(tie('type'), { minLength: 1, maxLength: 2 }).map((types) => ({
        kind: 'struct' as const,
        columns: types.map((t, i) => ({ name: NAMES[i]!, type: t, nullable: true })),
      })),
    ),
  }))
  return type
}

/** Columns of a table: `KEY`, then up to five others. */
export const columns = (choice: ColumnChoice = {}): fc.Arbitrary<Columns> =>
  fc
    .tuple(
      fc.shuffledSubarray([...NAMES], { minLength: 1, maxLength: 5 }),
      fc.array(columnType(choice), { minLength: 5, maxLength: 5 }),
    )
    .map(([names, types]) => [
      KEY,
      ...names.map((name, index) => ({ name, type: types[index]!, nullable: true })),
    ])

export const isScalar = (type: ColumnType) => typeof type === 'string' || type.kind === 'decimal'

/** Up to two columns whose values can be in a path. */
export const partitioning = (of: Columns): fc.Arbitrary<readonly string[]> =>
  fc
    .shuffledSubarray(
      of
        .filter(({ name, type }) => name !== KEY.name && isScalar(type) && type !== 'binary')
        .map(({ name }) => name),
    )
    .map((names) => names.slice(0, 2))
