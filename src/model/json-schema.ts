import type {
  DecimalField,
  Field,
  IntegerField,
  ListField,
  RecordField,
  RecordSchema,
  TextField,
} from './schema.ts'

/** A JSON Schema 2020-12 document, as OpenAPI 3.1 embeds it. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** The JSON Schema of what a client sends. Looser than the real check only where JSON Schema has no word for it. */
export function jsonSchemaOf(schema: RecordSchema): JsonSchema {
  return objectSchema(schema.fields)
}

function objectSchema(fields: RecordSchema['fields']): JsonSchema {
  const entries = Object.entries(fields)
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, field]) => [name, fieldSchema(field)])),
    required: entries.filter(([, field]) => !field.optional).map(([name]) => name),
    additionalProperties: true,
  }
}

function fieldSchema(field: Field): JsonSchema {
  const plain = plainSchema(field)
  const schema = field.optional ? nullable(plain) : plain
  const description = [field.doc, schema.description].filter((part) => part !== undefined).join(' ')
  return description === '' ? schema : { ...schema, description }
}

function nullable(schema: JsonSchema): JsonSchema {
  if (schema.not !== undefined) return {}
  const types = Array.isArray(schema.type) ? schema.type : [schema.type]
  const withNull = { ...schema, type: [...types, 'null'] }
  return Array.isArray(schema.enum) ? { ...withNull, enum: [...schema.enum, null] } : withNull
}

function plainSchema(field: Field): JsonSchema {
  switch (field.kind) {
    case 'boolean':
      return { type: 'boolean' }
    case 'int32':
    case 'int64': {
      const { min, max, kind } = field as IntegerField<'int32' | 'int64', unknown, unknown>
      const [lowest, highest] = kind === 'int32' ? [-2147483648, 2147483647] : []
      return { type: 'integer', format: kind, ...bounds('imum', min ?? lowest, max ?? highest) }
    }
    case 'float64':
      return { type: 'number', format: 'double' }
    case 'decimal': {
      const { precision, scale } = field as DecimalField
      const fraction = scale === 0 ? '' : `(\\.\\d{1,${scale}}0*)?`
      const pattern = `^-?0*\\d{1,${Math.max(1, precision - scale)}}${fraction}$`
      return { type: ['string', 'number'], pattern, description: 'Exact; send text to be sure.' }
    }
    case 'text': {
      const { min, max, oneOf } = field as TextField
      return {
        type: 'string',
        ...bounds('Length', min, max),
        ...(oneOf === undefined ? {} : { enum: oneOf }),
      }
    }
    case 'timestamp':
      return { type: 'string', format: 'date-time' }
    case 'epoch':
      return {
        type: 'integer',
        format: 'int64',
        minimum: 100_000_000,
        description: 'Epoch seconds, milliseconds, microseconds or nanoseconds, told by magnitude.',
      }
    case 'date':
      return { type: 'string', format: 'date' }
    case 'json':
      return { not: { type: 'null' } }
    case 'list': {
      const { item, min, max } = field as ListField
      return { type: 'array', items: fieldSchema(item), ...bounds('Items', min, max) }
    }
    case 'record':
      return objectSchema((field as RecordField).fields)
  }
}

function bounds(word: string, min: number | undefined, max: number | undefined): JsonSchema {
  return {
    ...(min === undefined ? {} : { [`min${word}`]: min }),
    ...(max === undefined ? {} : { [`max${word}`]: max }),
  }
}

/** A value that the schema accepts, for documentation; always the same for the same schema. */
export function exampleOf(schema: RecordSchema): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(schema.fields).map(([name, field]) => [name, exampleValue(name, field)]),
  )
}

function exampleValue(name: string, field: Field): unknown {
  switch (field.kind) {
    case 'boolean':
      return true
    case 'int32':
    case 'int64': {
      const { min, max } = field as IntegerField<'int32' | 'int64', unknown, unknown>
      return Math.min(Math.max(123, min ?? 123), max ?? 123)
    }
    case 'float64':
      return 1.5
    case 'decimal': {
      const { precision, scale } = field as DecimalField
      const integer = precision === scale ? '0' : '9'
      return scale === 0 ? integer : `${integer}.${'5'.padEnd(scale, '0')}`
    }
    case 'text': {
      const { min, max, oneOf } = field as TextField
      if (oneOf !== undefined) return oneOf[0] ?? ''
      return [...name.padEnd(min ?? 0, '…')].slice(0, max).join('')
    }
    case 'timestamp':
      return '2023-11-29T05:09:27.890Z'
    case 'epoch':
      return 1701234567890
    case 'date':
      return '2023-11-29'
    case 'json':
      return {}
    case 'list': {
      const { item, min = 1, max = 1 } = field as ListField
      return Array.from({ length: Math.max(min, Math.min(1, max)) }, () => exampleValue(name, item))
    }
    case 'record':
      return exampleOf(field as RecordField)
  }
}
