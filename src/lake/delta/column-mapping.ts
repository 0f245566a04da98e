import type { StringMap } from './actions.ts'
import { COLUMN_ID, columnIdOf, type DeltaStruct, type DeltaType, PHYSICAL_NAME } from './schema.ts'

export const MAPPING_MODE = 'delta.columnMapping.mode'
const MAX_COLUMN_ID = 'delta.columnMapping.maxColumnId'

/**
 * Ids and physical names for fields that have none (PROTOCOL.md, "Column Mapping"). Fields of files that are there already keep their
 * names in them; new ones get names that nobody else ever had, so that a column may go and another of its name may come.
 */
export function withMapping(
  schema: DeltaStruct,
  configuration: StringMap,
  physicalName: (name: string) => string,
): { readonly schema: DeltaStruct; readonly configuration: StringMap } {
  let maxId = Math.max(Number(configuration[MAX_COLUMN_ID] ?? 0), highestId(schema))
  const mapped = (type: DeltaType): DeltaType => {
    if (typeof type === 'string') return type
    switch (type.type) {
      case 'array':
        return { ...type, elementType: mapped(type.elementType) }
      case 'map':
        return { ...type, keyType: mapped(type.keyType), valueType: mapped(type.valueType) }
      case 'struct':
        return mappedStruct(type)
    }
  }
  const mappedStruct = (struct: DeltaStruct): DeltaStruct => ({
    ...struct,
    fields: struct.fields.map((field) => {
      const isMapped = field.metadata?.[PHYSICAL_NAME] !== undefined
      if (!isMapped) maxId += 1
      // Taken before the fields inside, which count on.
      const id = maxId
      return {
        ...field,
        type: mapped(field.type),
        metadata: isMapped
          ? field.metadata
          : { ...field.metadata, [COLUMN_ID]: id, [PHYSICAL_NAME]: physicalName(field.name) },
      }
    }),
  })
  const done = mappedStruct(schema)
  return { schema: done, configuration: { ...configuration, [MAX_COLUMN_ID]: String(maxId) } }
}

function highestId(type: DeltaType): number {
  if (typeof type === 'string') return 0
  switch (type.type) {
    case 'array':
      return highestId(type.elementType)
    case 'map':
      return Math.max(highestId(type.keyType), highestId(type.valueType))
    case 'struct':
      return Math.max(0, ...type.fields.map((f) => Math.max(columnIdOf(f) ?? 0, highestId(f.type))))
  }
}
