/** What can be wrong with one place in a value. These words are part of the HTTP answers and of dead letters. */
export type ProblemCode =
  | 'not_an_object'
  | 'missing_field'
  | 'wrong_type'
  | 'out_of_range'
  | 'too_long'
  | 'too_short'
  | 'not_allowed'
  | 'bad_format'

/** One thing that is wrong, where, and what would be right. */
export interface Problem {
  /** JSON Pointer (RFC 6901) from the record; empty for the record itself. */
  readonly path: string
  readonly code: ProblemCode
  /** Says what was expected and what was found, for people. Never decide on it. */
  readonly message: string
}

/** One step of a JSON Pointer, with its slash. */
export function pointerStep(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** A short text of a JSON value for messages: the kind, and the value when it is small. */
export function describeJson(value: unknown): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'string':
      return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`
    case 'number':
    case 'bigint':
      return `the number ${value}`
    case 'boolean':
      return String(value)
    default:
      return Array.isArray(value) ? 'a list' : 'an object'
  }
}
