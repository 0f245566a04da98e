import type { DeltaField, DeltaType } from './schema.ts'
import { TYPE_CHANGES } from './schema.ts'

const WIDER: Readonly<Record<string, readonly string[]>> = {
  byte: ['short', 'integer', 'long', 'double'],
  short: ['integer', 'long', 'double'],
  integer: ['long', 'double'],
  float: ['double'],
  date: ['timestamp_ntz'],
}

/** Whether every value of one type is one of the other (PROTOCOL.md, "Type Widening"). */
export function canWiden(from: DeltaType, to: DeltaType): boolean {
  if (typeof from !== 'string' || typeof to !== 'string') return false
  if (WIDER[from]?.includes(to)) return true
  const [a, b] = [decimalOf(from), decimalOf(to)]
  if (a === undefined || b === undefined) return false
  const grownScale = b.scale - a.scale
  return grownScale >= 0 && b.precision - a.precision >= grownScale && from !== to
}

function decimalOf(type: string): { precision: number; scale: number } | undefined {
  const match = /^decimal\((\d+),\s*(\d+)\)$/.exec(type)
  return match === null ? undefined : { precision: Number(match[1]), scale: Number(match[2]) }
}

/** A field with a wider type, and its history in the schema, which readers of old files may need. */
export function widened(field: DeltaField, to: DeltaType): DeltaField {
  const before = (field.metadata?.[TYPE_CHANGES] as readonly object[] | undefined) ?? []
  const change = { fromType: field.type, toType: to }
  return {
    ...field,
    type: to,
    metadata: { ...field.metadata, [TYPE_CHANGES]: [...before, change] },
  }
}
