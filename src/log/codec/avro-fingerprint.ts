import type { AvroSchema } from '../../model/avro/schema.ts'

/**
 * The name of a schema in eight bytes: CRC-64-AVRO of its parsing canonical form (Avro specification, "Schema
 * Fingerprints"). Schemas that read bytes alike have the same one.
 */
export function avroFingerprint(schema: AvroSchema): bigint {
  let crc = EMPTY
  for (const byte of new TextEncoder().encode(canonicalForm(schema)))
    crc = (crc >> 8n) ^ TABLE[Number((crc ^ BigInt(byte)) & 0xffn)]!
  return crc
}

const EMPTY = 0xc15d213aa4d7a795n
const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let crc = BigInt(byte)
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >> 1n) ^ (EMPTY & -(crc & 1n))
  return crc
})

/** A schema as text, with nothing in it that reading does not need, and always the same (Avro specification, "Parsing Canonical Form"). */
export const canonicalForm = (schema: AvroSchema): string => form(schema, '', new Set())

function form(schema: AvroSchema, space: string, written: Set<string>): string {
  switch (schema.type) {
    case 'union':
      return `[${schema.branches.map((branch) => form(branch, space, written)).join(',')}]`
    case 'array':
      return `{"type":"array","items":${form(schema.items, space, written)}}`
    case 'map':
      return `{"type":"map","values":${form(schema.values, space, written)}}`
    case 'record':
    case 'enum':
    case 'fixed': {
      const inner =
        typeof (schema as Spaced).namespace === 'string' ? (schema as Spaced).namespace! : space
      const name =
        schema.name.includes('.') || inner === '' ? schema.name : `${inner}.${schema.name}`
      const quoted = JSON.stringify(name)
      if (written.has(name)) return quoted
      written.add(name)
      if (schema.type === 'fixed') return `{"name":${quoted},"type":"fixed","size":${schema.size}}`
      if (schema.type === 'enum')
        return `{"name":${quoted},"type":"enum","symbols":${JSON.stringify(schema.symbols)}}`
      const fields = schema.fields.map(
        (field) =>
          `{"name":${JSON.stringify(field.name)},"type":${form(field.type, inner, written)}}`,
      )
      return `{"name":${quoted},"type":"record","fields":[${fields.join(',')}]}`
    }
    default:
      return JSON.stringify(schema.type)
  }
}

interface Spaced {
  readonly namespace?: string
}
