import type { DecimalField, Field, IntegerField, ListField, TextField } from './schema.ts'

export const INT32_MIN = -2147483648
export const INT32_MAX = 2147483647
export const INT64_MIN = -(2n ** 63n)
export const INT64_MAX = 2n ** 63n - 1n

/** What a field wants, as the words of a message. */
export function expectationOf(field: Field): string {
  switch (field.kind) {
    case 'boolean':
      return 'true or false'
    case 'int32': {
      const { min = INT32_MIN, max = INT32_MAX } = field as IntegerField<'int32', unknown, unknown>
      return `a whole number from ${min} to ${max}`
    }
    case 'int64': {
      const { min, max } = field as IntegerField<'int64', unknown, unknown>
      return `a whole number from ${min ?? INT64_MIN} to ${max ?? INT64_MAX}`
    }
    case 'float64':
      return 'a number'
    case 'decimal': {
      const { precision, scale } = field as DecimalField
      return `a decimal (number or text) with at most ${precision - scale} digits before the point and ${scale} after it`
    }
    case 'text': {
      const { min, max, oneOf } = field as TextField
      if (oneOf !== undefined) return `one of ${oneOf.map((one) => JSON.stringify(one)).join(', ')}`
      return `text${spanText(min, max, 'character')}`
    }
    case 'timestamp':
      return 'an ISO 8601 instant with a zone, such as "2023-11-29T05:09:27.890Z"'
    case 'epoch':
      return 'a whole epoch number in seconds, milliseconds, microseconds or nanoseconds, between 1973-03-03 and 2200'
    case 'date':
      return 'a day as "YYYY-MM-DD"'
    case 'json':
      return 'any JSON but null'
    case 'list': {
      const { min, max } = field as ListField
      return `a list${spanText(min, max, 'item')}`
    }
    case 'record':
      return 'an object'
  }
}

function spanText(min: number | undefined, max: number | undefined, unit: string): string {
  if (min !== undefined && max !== undefined) return ` of ${min} to ${max} ${unit}s`
  if (min !== undefined) return ` of at least ${min} ${unit}s`
  if (max !== undefined) return ` of at most ${max} ${unit}s`
  return ''
}
