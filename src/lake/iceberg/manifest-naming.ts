import type { FieldNaming } from '../../model/avro/decode.ts'
import type { AvroField, AvroSchema } from '../../model/avro/schema.ts'

/**
 * What members of manifests and manifest lists are called when they are read: `f` and the field's id, so that it does not matter what a
 * writer called them; members without an id are left out. Where a file has no ids at all, which the specification does not allow and
 * ClickHouse writes, names stand for them, as in the reference implementation: `known` has the ids of the names of the specification.
 */
export function manifestNaming(schema: AvroSchema, known: () => AvroSchema): FieldNaming {
  if (hasIds(schema)) return (field) => memberName(field)
  const names = new Map<AvroField, string>()
  nameAlike(schema, known(), names)
  return (field) => names.get(field)
}

function memberName(field: AvroField): string | undefined {
  return typeof field['field-id'] === 'number' ? `f${field['field-id']}` : undefined
}

const hasIds = (schema: AvroSchema) =>
  schema.type !== 'record' || schema.fields.some((field) => memberName(field) !== undefined)

function nameAlike(schema: AvroSchema, known: AvroSchema, names: Map<AvroField, string>): void {
  const [inner, innerKnown] = [whole(schema), whole(known)]
  if (inner?.type === 'array' && innerKnown?.type === 'array')
    nameAlike(inner.items, innerKnown.items, names)
  if (inner?.type !== 'record' || innerKnown?.type !== 'record') return
  for (const field of inner.fields) {
    const alike = innerKnown.fields.find(({ name }) => name === field.name)
    const name = alike === undefined ? undefined : memberName(alike)
    if (alike === undefined || name === undefined) continue
    names.set(field, name)
    nameAlike(field.type, alike.type, names)
  }
}

/** The branch of a union that is not null, of which manifests have one. */
const whole = (schema: AvroSchema): AvroSchema | undefined =>
  schema.type === 'union' ? schema.branches.find(({ type }) => type !== 'null') : schema
