import type { Predicate, Value } from '../model/predicate.ts'
import type { Condition, SourceDiffers } from '../model/row-edit.ts'

/** A condition for people, in the history of a table. */
export function conditionText(condition: Condition | SourceDiffers): string {
  if (condition.kind === 'source_differs') {
    const names = condition.columns.map((name) => `target.${name} IS DISTINCT FROM source.${name}`)
    return names.join(' OR ') || 'false'
  }
  return condition.kind === 'sql' ? condition.text : predicateText(condition)
}

function predicateText(predicate: Predicate): string {
  switch (predicate.kind) {
    case 'and':
    case 'or': {
      if (predicate.of.length === 0) return String(predicate.kind === 'and')
      if (predicate.of.length === 1) return predicateText(predicate.of[0]!)
      return predicate.of
        .map((part) => `(${predicateText(part)})`)
        .join(` ${predicate.kind.toUpperCase()} `)
    }
    case 'not':
      return `NOT (${predicateText(predicate.of)})`
    case 'is_null':
      return `${predicate.column.join('.')} IS NULL`
    case 'compare':
      return `${predicate.column.join('.')} ${predicate.op} ${valueText(predicate.value)}`
    case 'in':
      return `${predicate.column.join('.')} IN (${predicate.values.map(valueText).join(', ')})`
  }
}

function valueText({ value, type }: Value): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString('hex')}'`
  if (typeof value !== 'bigint' || (typeof type === 'string' && type.startsWith('int')))
    return String(value)
  if (type === 'date')
    return `DATE '${new Date(Number(value) * 86_400_000).toISOString().slice(0, 10)}'`
  if (type === 'timestamp' || type === 'timestamp_ntz')
    return `TIMESTAMP '${new Date(Number(value / 1000n)).toISOString()}'`
  if (typeof type === 'string' || type.kind !== 'decimal') return String(value)
  const digits = String(value < 0n ? -value : value).padStart(type.scale + 1, '0')
  const whole = digits.slice(0, digits.length - type.scale)
  const text = type.scale === 0 ? whole : `${whole}.${digits.slice(-type.scale)}`
  return value < 0n ? `-${text}` : text
}
