/**
 * Avro schemas (Apache Avro 1.12 specification, "Schema Declaration"), as far as topics, Iceberg's metadata and others' files
 * of it go: every type but none of the aliases. Attributes beside the type, such as Iceberg's `field-id`, are kept.
 */
export type AvroSchema =
  | AvroPrimitive
  | AvroRecord
  | AvroEnum
  | AvroFixed
  | AvroArray
  | AvroMap
  | AvroUnion

export type AvroPrimitiveName =
  | 'null'
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'bytes'
  | 'string'

export interface AvroPrimitive {
  readonly type: AvroPrimitiveName
  readonly logicalType?: string
  readonly [attribute: string]: unknown
}

export interface AvroRecord {
  readonly type: 'record'
  readonly name: string
  readonly fields: readonly AvroField[]
  readonly [attribute: string]: unknown
}

export interface AvroField {
  readonly name: string
  readonly type: AvroSchema
  readonly [attribute: string]: unknown
}

export interface AvroEnum {
  readonly type: 'enum'
  readonly name: string
  readonly symbols: readonly string[]
}

export interface AvroFixed {
  readonly type: 'fixed'
  readonly name: string
  /** In bytes. */
  readonly size: number
  readonly [attribute: string]: unknown
}

export interface AvroArray {
  readonly type: 'array'
  readonly items: AvroSchema
  readonly [attribute: string]: unknown
}

export interface AvroMap {
  readonly type: 'map'
  readonly values: AvroSchema
  readonly [attribute: string]: unknown
}

export interface AvroUnion {
  readonly type: 'union'
  readonly branches: readonly AvroSchema[]
}

const PRIMITIVES: ReadonlySet<string> = new Set([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
])

/** A schema from its JSON, with names resolved. @throws RangeError when it is no schema, or one that contains itself */
export function parseAvroSchema(json: string): AvroSchema {
  return resolve(JSON.parse(json), new Map(), '')
}

/** The JSON of a schema. A named type that occurs again is written by its name. */
export function avroSchemaJson(schema: AvroSchema): string {
  return JSON.stringify(unresolve(schema, new Map()))
}

function resolve(json: unknown, known: Map<string, AvroSchema>, space: string): AvroSchema {
  if (typeof json === 'string') {
    if (PRIMITIVES.has(json)) return { type: json as AvroPrimitiveName }
    const named = known.get(fullName(json, space)) ?? known.get(json)
    if (named === undefined) throw new RangeError(`unknown Avro type ${json}`)
    return named
  }
  if (Array.isArray(json))
    return { type: 'union', branches: json.map((branch) => resolve(branch, known, space)) }
  if (typeof json !== 'object' || json === null) throw new RangeError('not an Avro schema')
  const { type, ...attributes } = json as Record<string, unknown>
  switch (type) {
    case 'record':
    case 'error': {
      const name = nameOf(attributes)
      const inner = spaceOf(name, attributes, space)
      const fields = (attributes.fields as readonly Record<string, unknown>[]).map((field) => ({
        ...field,
        name: nameOf(field),
        type: resolve(field.type, known, inner),
      }))
      return remember(known, name, inner, { ...attributes, type: 'record', name, fields })
    }
    case 'enum': {
      const name = nameOf(attributes)
      const symbols = attributes.symbols as readonly string[]
      return remember(known, name, spaceOf(name, attributes, space), { type, name, symbols })
    }
    case 'fixed': {
      const name = nameOf(attributes)
      const size = Number(attributes.size)
      const schema = { ...attributes, type, name, size } as const
      return remember(known, name, spaceOf(name, attributes, space), schema)
    }
    case 'array':
      return { ...attributes, type, items: resolve(attributes.items, known, space) }
    case 'map':
      return { ...attributes, type, values: resolve(attributes.values, known, space) }
    default: {
      const inner = resolve(type, known, space)
      return Object.keys(attributes).length === 0 || inner.type === 'union'
        ? inner
        : ({ ...inner, ...attributes } as AvroSchema)
    }
  }
}

function remember(
  known: Map<string, AvroSchema>,
  name: string,
  space: string,
  schema: AvroSchema,
): AvroSchema {
  known.set(fullName(name, space), schema)
  return schema
}

const fullName = (name: string, space: string) =>
  name.includes('.') || space === '' ? name : `${space}.${name}`

function spaceOf(name: string, { namespace }: Record<string, unknown>, space: string): string {
  if (name.includes('.')) return name.slice(0, name.lastIndexOf('.'))
  return typeof namespace === 'string' ? namespace : space
}

function nameOf({ name }: Record<string, unknown>): string {
  if (typeof name !== 'string') throw new RangeError('an Avro type lacks its name')
  return name
}

function unresolve(schema: AvroSchema, written: Map<string, AvroSchema>): unknown {
  switch (schema.type) {
    case 'union':
      return schema.branches.map((branch) => unresolve(branch, written))
    case 'array':
      return { ...schema, items: unresolve(schema.items, written) }
    case 'map':
      return { ...schema, values: unresolve(schema.values, written) }
    case 'record':
    case 'enum':
    case 'fixed': {
      if (written.get(schema.name) === schema) return schema.name
      written.set(schema.name, schema)
      if (schema.type !== 'record') return schema
      const fields = schema.fields.map((field) => ({
        ...field,
        type: unresolve(field.type, written),
      }))
      return { ...schema, fields }
    }
    default:
      return Object.keys(schema).length === 1 ? schema.type : schema
  }
}
