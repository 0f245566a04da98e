import type { Column, Columns } from './column.ts'
import { assert } from './errors.ts'
import type { JoinStep } from './step.ts'

/** The columns of a relation after a join, record columns aside. Pure. */
export function joinedColumns(columns: Columns, { each, take, missing }: JoinStep): Columns {
  const taken = take.map(({ name, type }): Column => ({ name, type, nullable: true }))
  const flag: Column = {
    name: missing,
    type: { kind: 'list', element: 'string', elementNullable: false },
    nullable: false,
    doc: 'What was looked up and not found yet.',
  }
  const rest = columns.filter(({ name }) => name !== missing)
  if (each === undefined) return [...rest, ...taken, flag]
  const widened = rest.map((column): Column => {
    if (column.name !== each) return column
    const { type } = column
    assert(
      typeof type !== 'string' && type.kind === 'list' && isStruct(type.element),
      `${each} is a list of objects`,
    )
    const element = { kind: 'struct' as const, columns: [...type.element.columns, ...taken] }
    return { ...column, type: { ...type, element } }
  })
  return [...widened, flag]
}

const isStruct = (type: Column['type']) => typeof type !== 'string' && type.kind === 'struct'
