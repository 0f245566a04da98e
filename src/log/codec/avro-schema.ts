import type {
  AvroField,
  AvroPrimitiveName,
  AvroRecord,
  AvroSchema,
} from '../../model/avro/schema.ts'
import type { Field, FieldMap, ListField, RecordField, RecordSchema } from '../../model/schema.ts'

/** Marks a text that holds JSON, so that whoever decodes it can put it back as it was. */
export const JSON_MARK = 'mekong-json'

/** Marks a text that holds a decimal, which clients may also write as a JSON number. */
export const DECIMAL_MARK = 'mekong-decimal'

/** What the values of a topic are called in Avro. */
export interface AvroName {
  /** Such as `GitHubEvent`. */
  readonly name: string
  /** Such as `com.github.events`. */
  readonly namespace: string
}

/**
 * The Avro schema of a topic's values. Instants and days stay the text that came, decimals are text so that no digit is lost, and JSON is text
 * that holds it. Fields that may be missing are unions with null, which is their default.
 */
export function avroSchemaOf(schema: RecordSchema, { name, namespace }: AvroName): AvroRecord {
  return { ...recordOf(schema.fields, name), namespace }
}

function recordOf(fields: FieldMap, name: string): AvroRecord {
  return {
    type: 'record',
    name,
    fields: Object.entries(fields).map(([field, of]) => fieldOf(field, of, name)),
  }
}

function fieldOf(name: string, field: Field, outer: string): AvroField {
  const inner = `${outer}_${name}`
  const type = typeOf(field, inner)
  const doc = field.doc === undefined ? {} : { doc: field.doc }
  if (!field.optional) return { name, type, ...doc }
  return { name, type: orNull(type), default: null, ...doc }
}

const orNull = (type: AvroSchema): AvroSchema => ({
  type: 'union',
  branches: [{ type: 'null' }, type],
})

function typeOf(field: Field, name: string): AvroSchema {
  switch (field.kind) {
    case 'record':
      return recordOf((field as RecordField).fields, name)
    case 'list': {
      const { item } = field as ListField
      const items = typeOf(item, name)
      return { type: 'array', items: item.optional ? orNull(items) : items }
    }
    case 'json':
      return { type: 'string', [JSON_MARK]: true }
    case 'decimal':
      return { type: 'string', [DECIMAL_MARK]: true }
    default:
      return { type: PRIMITIVES[field.kind] }
  }
}

const PRIMITIVES: Readonly<
  Record<Exclude<Field['kind'], 'record' | 'list' | 'json' | 'decimal'>, AvroPrimitiveName>
> = {
  boolean: 'boolean',
  int32: 'int',
  int64: 'long',
  epoch: 'long',
  float64: 'double',
  text: 'string',
  timestamp: 'string',
  date: 'string',
}
