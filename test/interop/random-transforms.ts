import fc from 'fast-check'
import type { Column, Columns } from '../../src/model/column.ts'
import { isScalar } from './random-columns.ts'

/** A column and a transform of it, as Iceberg writes it: `bucket[4]`. */
export interface PartitionField {
  readonly column: string
  readonly transform: string
}

/** Every transform that Iceberg has for a column's type, for those types that all engines can split by. */
function transformsOf({ type }: Column): string[] {
  if (typeof type !== 'string')
    return type.kind === 'decimal' ? ['identity', 'bucket[3]', 'truncate[50]'] : []
  switch (type) {
    case 'int32':
    case 'int64':
    case 'string':
      return ['identity', 'bucket[3]', 'truncate[4]']
    case 'date':
      return ['identity', 'bucket[3]', 'year', 'month', 'day']
    case 'timestamp':
    case 'timestamp_ntz':
      return ['identity', 'bucket[3]', 'year', 'month', 'day', 'hour']
    case 'binary':
      return ['bucket[3]', 'truncate[5]']
    case 'boolean':
      return ['identity']
    default:
      return []
  }
}

/** Up to two fields, of different columns. The numbers choose, so that they fit whatever columns there are by then. */
export const partitionChoice = fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { maxLength: 2 })

export function partitionFields(
  columns: Columns,
  choice: readonly (readonly [column: number, transform: number])[],
): readonly PartitionField[] {
  const able = columns.filter((column) => isScalar(column.type) && transformsOf(column).length > 0)
  const fields = choice.map(([at, by]) => {
    const column = able[at % able.length]!
    const transforms = transformsOf(column)
    return { column: column.name, transform: transforms[by % transforms.length]! }
  })
  return fields.filter(
    ({ column }, index) => fields.findIndex((field) => field.column === column) === index,
  )
}

/** Without what we read and do not write: we cannot hash decimals, and cut those of 38 digits at the very end of their range. */
export const writableByUs = (columns: Columns, fields: readonly PartitionField[]) =>
  fields.filter(({ column, transform }) => {
    const { type } = columns.find(({ name }) => name === column)!
    if (typeof type === 'string' || type.kind !== 'decimal') return true
    return transform === 'identity' || (transform.startsWith('truncate') && type.precision < 38)
  })
