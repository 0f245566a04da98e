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
