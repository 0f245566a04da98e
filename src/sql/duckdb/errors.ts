import { messageOf, PlatformError } from '../../model/errors.ts'

// The engine is opened with `errors_as_json`, so every error it throws carries its type, its position and its details as
// data. Types: https://github.com/duckdb/duckdb/blob/main/src/common/exception.cpp (`ExceptionEntry`).

/** What the engine says about an error, as data. */
export interface EngineErrorFacts {
  /** DuckDB's exception type: `Parser`, `Binder`, `Catalog`, `Out of Memory`, `INTERRUPT`, … */
  readonly type: string
  readonly subtype?: string
  readonly text: string
  /** Character in the SQL text, from 0. */
  readonly position?: number
  /** What was not found, when something was not. */
  readonly name?: string
  readonly kind?: string
  readonly candidates: readonly string[]
}

/** SQL that cannot run as written: syntax, unknown names, types that do not fit, values that do not convert. */
export class SqlError extends PlatformError {
  readonly code = 'SQL_INVALID'
  readonly retry = 'never'
  readonly facts: EngineErrorFacts
  readonly sql: string

  constructor(options: { facts: EngineErrorFacts; sql: string; hint?: string; cause?: unknown }) {
    const where = place(options.sql, options.facts.position)
    const hint = options.hint === undefined ? '' : `\n${options.hint}`
    super(`The SQL cannot run: ${options.facts.text}${where}${hint}`, { cause: options.cause })
    this.facts = options.facts
    this.sql = options.sql
  }
}

/** The engine's memory limit was reached and spilling did not help. Nothing of the statement stays. */
export class EngineMemoryError extends PlatformError {
  readonly code = 'ENGINE_OUT_OF_MEMORY'
  readonly retry = 'later'
}

/** The statement was stopped: its signal aborted, or its time was up. Nothing of it stays. */
export class EngineInterruptedError extends PlatformError {
  readonly code = 'ENGINE_INTERRUPTED'
  readonly retry = 'later'
}

/** A file the engine reads or writes could not be: disk full, missing, no rights. */
export class EngineIoError extends PlatformError {
  readonly code = 'ENGINE_IO'
  readonly retry = 'later'
}

/** The engine failed in a way that is its own or ours; it may need to be opened again. */
export class EngineFailedError extends PlatformError {
  readonly code = 'ENGINE_FAILED'
  readonly retry = 'never'
}

/** A query asks for something that a reader may not do, such as writing or opening files. */
export class QueryRefusedError extends PlatformError {
  readonly code = 'QUERY_REFUSED'
  readonly retry = 'never'
}

/** DuckDB types of errors that the author of the SQL can mend. */
const AUTHOR_ERRORS = new Set([
  'Parser',
  'Syntax',
  'Binder',
  'Catalog',
  'Conversion',
  'Mismatch Type',
  'Invalid type',
  'Invalid Input',
  'Out of Range',
  'Decimal',
  'Divide by Zero',
  'Expression',
  'Parameter Not Resolved',
  'Parameter Not Allowed',
  'Not implemented',
  'Constraint',
  'Permission',
  'Missing Extension',
])

/** The typed error for anything the driver threw while running `sql`. */
export function engineErrorOf(
  error: unknown,
  sql: string,
): SqlError | EngineMemoryError | EngineInterruptedError | EngineIoError | EngineFailedError {
  const facts = engineErrorFacts(error)
  if (facts === undefined)
    return new EngineFailedError(`DuckDB failed: ${messageOf(error)}`, { cause: error })
  if (facts.type === 'INTERRUPT')
    return new EngineInterruptedError('The statement was interrupted before it finished.', {
      cause: error,
    })
  if (facts.type === 'Out of Memory')
    return new EngineMemoryError(
      `The statement needs more memory than the compute engine may use. ${facts.text}`,
      { cause: error },
    )
  if (facts.type === 'IO' || facts.type === 'HTTP')
    return new EngineIoError(`The compute engine could not reach a file. ${facts.text}`, {
      cause: error,
    })
  if (AUTHOR_ERRORS.has(facts.type)) return new SqlError({ facts, sql, cause: error })
  return new EngineFailedError(`DuckDB failed (${facts.type}): ${facts.text}`, { cause: error })
}

/** The typed error for a file of the engine's that we could not write ourselves; `attempt` is a phrase such as "write x". */
export function fileErrorOf(error: unknown, attempt: string): PlatformError {
  if (error instanceof PlatformError) return error
  const { code } = error as { code?: unknown }
  if (typeof code !== 'string')
    return new EngineFailedError(`Could not ${attempt}: ${messageOf(error)}`, { cause: error })
  const advice = code === 'ENOSPC' ? ' Free some space.' : ''
  return new EngineIoError(`Could not ${attempt}: ${messageOf(error)}.${advice}`, { cause: error })
}

/** The engine's own facts about an error, or nothing when the error did not come from the engine. */
export function engineErrorFacts(error: unknown): EngineErrorFacts | undefined {
  if (!(error instanceof Error)) return undefined
  // Errors of the parser, and those that SQL's own `error()` raises, come with their type before the text, in the
  // form that DuckDB itself gives every error; the text is JSON for the first and the user's for the second.
  const labelled = /^([A-Za-z ]+?) Error: /.exec(error.message)
  const raw = jsonObject(error.message.slice(labelled?.[0].length ?? 0))
  const type = raw?.exception_type
  if (raw === undefined || type === undefined || (labelled !== null && labelled[1] !== type))
    return labelled === null
      ? undefined
      : { type: labelled[1]!, text: error.message.slice(labelled[0].length), candidates: [] }
  return {
    type,
    text: raw.exception_message ?? '',
    candidates: (raw.candidates ?? '').split(',').filter((name) => name !== ''),
    ...(raw.error_subtype === undefined ? {} : { subtype: raw.error_subtype }),
    ...(raw.position === undefined ? {} : { position: Number(raw.position) }),
    ...(raw.name === undefined ? {} : { name: raw.name }),
    ...(raw.type === undefined ? {} : { kind: raw.type }),
  }
}

function jsonObject(text: string): Record<string, string | undefined> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? (parsed as never) : undefined
  } catch {
    return undefined
  }
}

/** ` (line 2, column 5)` for a position in SQL text. */
function place(sql: string, position: number | undefined): string {
  if (position === undefined || position > sql.length) return ''
  const before = sql.slice(0, position)
  const line = before.split('\n').length
  return ` (line ${line}, column ${position - before.lastIndexOf('\n')})`
}
