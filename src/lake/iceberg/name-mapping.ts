import { TableBrokenError } from '../errors.ts'
import type { TableMetadata } from './metadata.ts'

/**
 * Names that columns have in files without field ids (table spec, "Column Projection", "Name Mapping Serialization"):
 * id to names, for every level at once, because ids are unique in a table.
 */
export type NameMapping = ReadonlyMap<number, readonly string[]>

const PROPERTY = 'schema.name-mapping.default'

interface FieldMapping {
  readonly 'field-id'?: number
  readonly names: readonly string[]
  readonly fields?: readonly FieldMapping[]
}

/** The table's mapping; `undefined` when it has none. @throws TableBrokenError when it is malformed */
export function nameMappingOf(metadata: TableMetadata, table: string): NameMapping | undefined {
  const json = metadata.properties[PROPERTY]
  if (json === undefined) return undefined
  const names = new Map<number, readonly string[]>()
  const visit = (mappings: readonly FieldMapping[]): void => {
    for (const mapping of mappings) {
      if (mapping['field-id'] !== undefined) names.set(mapping['field-id'], mapping.names)
      visit(mapping.fields ?? [])
    }
  }
  try {
    visit(JSON.parse(json) as FieldMapping[])
  } catch (cause) {
    throw new TableBrokenError(`The property ${PROPERTY} of ${table} is no name mapping.`, {
      cause,
    })
  }
  return names
}
