import { messageOf, PlatformError } from '../model/errors.ts'

/** The bytes cannot be mended as asked: they are no JSON object, or what should be put in is not JSON. */
export class MendError extends PlatformError {
  readonly code = 'MEND_IMPOSSIBLE'
  readonly retry = 'never'
}

/** Part of JavaScript since 2025 and of Node 24; TypeScript's library does not know it yet. */
const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON(text: string): unknown
  isRawJSON(value: unknown): boolean
}
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Set fields of a JSON object, given as JSON texts; every other field keeps its value to the last digit. `null` as text is the
 * value null; `undefined` removes the field. A byte order mark, which is no part of JSON, is left out. @throws MendError
 */
export function mendFields(
  value: Uint8Array,
  fields: Readonly<Record<string, string | undefined>>,
): Uint8Array {
  let record: unknown
  try {
    record = parseKeepingDigits(utf8.decode(value))
  } catch (cause) {
    throw new MendError(
      `The value is not JSON (${messageOf(cause)}), so no field of it can be set. Give the whole value instead.`,
      { cause },
    )
  }
  if (!isJsonObject(record)) {
    throw new MendError(
      'The value is JSON, but not an object, so no field of it can be set. Give the whole value instead.',
    )
  }
  const mended: Record<string, unknown> = { ...record }
  for (const [name, text] of Object.entries(fields)) {
    if (text === undefined) delete mended[name]
    else mended[name] = fieldValue(name, text)
  }
  return new TextEncoder().encode(JSON.stringify(mended))
}

function fieldValue(name: string, text: string): unknown {
  try {
    return parseKeepingDigits(text)
  } catch (cause) {
    throw new MendError(
      `${name}=${text} does not give JSON after the equals sign; a text needs quotes, as in ${name}='"${text}"'.`,
      { cause },
    )
  }
}

/** Whether what `parseKeepingDigits` gave is a JSON object, and not a list, a number or null. */
export const isJsonObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawJSON(value)

/**
 * JSON whose numbers are written again as they were: nanoseconds since 1970 are past what JavaScript's numbers hold. The
 * numbers in it are opaque. @throws SyntaxError
 */
export function parseKeepingDigits(text: string): unknown {
  const exact: Reviver = (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? rawJSON(source) : value
  return JSON.parse(text, exact as Parameters<typeof JSON.parse>[1])
}
