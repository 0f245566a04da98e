import { type Columns, type ColumnType, columnTypeText, sameColumnType } from '../model/column.ts'

/**
 * What keeps rows from going into a table, in words. Rows go in whole or not at all: a column too many would be lost, one
 * too few would be made up. `kept` says which type a table has for a type that it knows no such width of.
 */
export function columnProblems(
  given: Columns,
  wanted: Columns,
  kept: (type: ColumnType) => ColumnType = (type) => type,
): readonly string[] {
  const problems: string[] = []
  for (const column of wanted) {
    const found = given.find((candidate) => candidate.name === column.name)
    if (found === undefined) problems.push(`the rows lack column ${column.name}`)
    else if (!sameColumnType(bare(found.type, kept), bare(column.type, kept)))
      problems.push(
        `column ${column.name} is ${columnTypeText(found.type)} in the rows and ` +
          `${columnTypeText(column.type)} in the table`,
      )
  }
  for (const { name } of given)
    if (!wanted.some((column) => column.name === name))
      problems.push(`the table has no column ${name}`)
  return problems
}

/** A type without docs and nullability, which values decide. */
function bare(type: ColumnType, kept: (type: ColumnType) => ColumnType): ColumnType {
  if (typeof type === 'string') return kept(type)
  switch (type.kind) {
    case 'decimal':
      return { kind: 'decimal', precision: type.precision, scale: type.scale }
    case 'list':
      return { kind: 'list', element: bare(type.element, kept), elementNullable: true }
    case 'map':
      return {
        kind: 'map',
        key: bare(type.key, kept),
        value: bare(type.value, kept),
        valueNullable: true,
      }
    case 'struct':
      return {
        kind: 'struct',
        columns: type.columns.map(({ name, type: inner }) => ({
          name,
          type: bare(inner, kept),
          nullable: true,
        })),
      }
  }
}
