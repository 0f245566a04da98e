import type { ColumnType } from '../../model/column.ts'
import type { Json } from '../../model/sync.ts'

// JSON in, JSON out: what is sent is what reads back. Lossy: days before 1900-01-01 or after 2299-12-31 do not fit a Date32 and become null; a null for a column that is
// not Nullable is the type's own nothing: 0, an empty text, an empty list.

const FIRST_DAY = '1900-01-01'
const LAST_DAY = '2299-12-31'

/** A value as a column of `type` gives it back. */
export function cellAsStored(type: string, value: Json): Json {
  const inner = /^(?:Nullable|LowCardinality)\((.*)\)$/.exec(type)?.[1]
  if (inner !== undefined) {
    if (value === null && !type.startsWith('LowCardinality')) return null
    return cellAsStored(inner, value)
  }
  const list = /^Array\((.*)\)$/.exec(type)?.[1]
  if (list !== undefined)
    return Array.isArray(value) ? value.map((each: Json) => cellAsStored(list, each)) : []
  const tuple = /^Tuple\((.*)\)$/.exec(type)?.[1]
  if (tuple !== undefined) {
    const given = (value ?? {}) as Readonly<Record<string, Json>>
    return Object.fromEntries(
      membersOf(tuple).map(([member, of]) => [member, cellAsStored(of, given[member] ?? null)]),
    )
  }
  if (type === 'Date32') return dayOrNull(value)
  if (value !== null) return value
  if (/^(U?Int|Float)/.test(type)) return 0
  return type === 'Bool' ? false : ''
}

/** The type that a column's values have elsewhere. Unsigned numbers of 64 bits are taken to fit into signed ones, as ids do. */
export function columnTypeOf(type: string): ColumnType {
  const inner = /^(?:Nullable|LowCardinality)\((.*)\)$/.exec(type)?.[1]
  if (inner !== undefined) return columnTypeOf(inner)
  const list = /^Array\((.*)\)$/.exec(type)?.[1]
  if (list !== undefined)
    return { kind: 'list', element: columnTypeOf(list), elementNullable: false }
  const tuple = /^Tuple\((.*)\)$/.exec(type)?.[1]
  if (tuple !== undefined) {
    const columns = membersOf(tuple).map(([name, of]) => ({
      ...{ name, type: columnTypeOf(of), nullable: false },
    }))
    return { kind: 'struct', columns }
  }
  if (/^U?Int/.test(type)) return 'int64'
  if (/^Float/.test(type)) return 'float64'
  if (type === 'Bool') return 'boolean'
  return type === 'Date32' || type === 'Date' ? 'date' : 'string'
}

const dayOrNull = (day: Json): string | null =>
  typeof day === 'string' && day >= FIRST_DAY && day <= LAST_DAY ? day : null

/** `id UInt64, name String`, with types in brackets kept whole. */
function membersOf(text: string): readonly (readonly [string, string])[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const character of text) {
    if (character === '(') depth += 1
    if (character === ')') depth -= 1
    if (character === ',' && depth === 0) {
      parts.push(part)
      part = ''
    } else part += character
  }
  parts.push(part)
  return parts.map((each) => {
    const [member = '', ...type] = each.trim().split(' ')
    return [member, type.join(' ')] as const
  })
}
