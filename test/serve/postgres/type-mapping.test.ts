import { describe, expect, test } from 'vitest'
import type { Columns } from '../../../src/model/column.ts'
import {
  cellValue,
  columnDifferences,
  type TableColumn,
} from '../../../src/serve/postgres/type-mapping.ts'

const real = (name: string, typeName: string, more: Partial<TableColumn> = {}): TableColumn => ({
  name,
  typeName,
  typeText: typeName,
  typeKind: 'b',
  typeModifier: -1,
  notNull: false,
  filledByServer: false,
  generated: false,
  ...more,
})
/** `atttypmod` of `numeric(precision, scale)`. */
const numeric = (precision: number, scale: number) => ({
  typeModifier: ((precision << 16) | scale) + 4,
})

describe('what a table takes', () => {
  test('wider types and columns of its own fit', () => {
    const declared: Columns = [
      { name: 'a', type: 'int32', nullable: false },
      { name: 'b', type: 'string', nullable: true },
      { name: 'c', type: { kind: 'decimal', precision: 10, scale: 2 }, nullable: true },
      {
        name: 'd',
        type: { kind: 'list', element: 'int32', elementNullable: false },
        nullable: true,
      },
      { name: 'e', type: 'string', nullable: true },
    ]
    const actual = [
      real('id', 'int8', { notNull: true, filledByServer: true }),
      real('a', 'int8', { notNull: true }),
      real('b', 'varchar'),
      real('c', 'numeric', numeric(12, 3)),
      real('d', 'jsonb'),
      real('e', 'mood', { typeKind: 'e' }),
      real('sum', 'int4', { notNull: true, generated: true }),
    ]
    expect(columnDifferences(declared, actual)).toEqual([])
  })

  test('every difference is named', () => {
    const declared: Columns = [
      { name: 'narrow', type: 'int64', nullable: false },
      { name: 'local', type: 'timestamp', nullable: false },
      { name: 'rounded', type: { kind: 'decimal', precision: 10, scale: 4 }, nullable: true },
      { name: 'short', type: { kind: 'decimal', precision: 10, scale: 2 }, nullable: true },
      { name: 'computed', type: 'int32', nullable: true },
      { name: 'absent', type: 'date', nullable: true },
    ]
    const actual = [
      real('narrow', 'int4', { typeText: 'integer' }),
      real('local', 'timestamp'),
      real('rounded', 'numeric', numeric(10, 2)),
      real('short', 'numeric', numeric(9, 2)),
      real('computed', 'int4', { generated: true }),
      real('demanded', 'text', { notNull: true }),
    ]
    const differences = columnDifferences(declared, actual)
    expect(differences.map((line) => line.split(' ')[1])).toEqual([
      ...['narrow', 'local', 'rounded', 'short', 'computed', 'absent', 'demanded'],
    ])
    expect(differences[0]).toBe('column narrow is integer, but int64 needs bigint')
  })
})

test('cells come back exact', () => {
  expect(cellValue('2023-11-29 05:09:27.89+00', 'timestamp')).toBe(1_701_234_567_890_000n)
  expect(cellValue('1969-12-31 23:59:59.999999+00', 'timestamp')).toBe(-1n)
  expect(cellValue('0001-01-01 00:00:00', 'timestamp_ntz')).toBe(-62_135_596_800_000_000n)
  expect(cellValue('infinity', 'timestamp')).toBe('infinity')
  expect(cellValue('9223372036854775807', 'int64')).toBe(9_223_372_036_854_775_807n)
  expect(cellValue('\\x00ff', 'binary')).toEqual(Uint8Array.of(0, 255))
  expect(cellValue(null, 'int64')).toBeNull()
})
