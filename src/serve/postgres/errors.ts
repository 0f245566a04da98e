import { messageOf, PlatformError } from '../../model/errors.ts'
import { SinkConfigError, SinkFailedError, SinkUnavailableError } from '../errors.ts'

// What PostgreSQL's error codes mean to us. Classes and codes: https://www.postgresql.org/docs/current/errcodes-appendix.html

/** The fields of an error that came from the server, as the protocol names them. */
export interface ServerError {
  readonly code: string
  readonly message: string
  readonly detail?: string | undefined
  readonly column?: string | undefined
  readonly constraint?: string | undefined
  readonly where?: string | undefined
}

/** Whether the server said this, and not the network or our own code: it carries a five-character SQLSTATE. */
export function isServerError(error: unknown): error is Error & ServerError {
  const { code, severity } = error as { code?: unknown; severity?: unknown }
  return typeof severity === 'string' && typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)
}

/**
 * Words for dead letters. Class 22 is "data exception", 23 "integrity constraint violation"; the rest are codes of other
 * classes that one row can cause. 54000 is an index entry that is too long, P0001 a trigger that said no.
 */
const ROW_REASONS: Readonly<Record<string, string>> = {
  '22001': 'value_too_long',
  '22003': 'number_out_of_range',
  '22007': 'invalid_time',
  '22008': 'time_out_of_range',
  '22021': 'invalid_text',
  '22P02': 'invalid_text',
  '22P03': 'invalid_text',
  '22P05': 'invalid_text',
  '22030': 'invalid_json',
  '22032': 'invalid_json',
  '23502': 'not_null_violated',
  '23503': 'foreign_key_violated',
  '23505': 'unique_violated',
  '23514': 'check_violated',
  '23P01': 'exclusion_violated',
  '44000': 'check_violated',
  '54000': 'value_too_long',
  P0001: 'refused_by_trigger',
}

/** The dead-letter reason of an error that is the row's fault, or `undefined` when it is not. */
export function rowReason(error: unknown): string | undefined {
  if (!isServerError(error)) return undefined
  const known = ROW_REASONS[error.code]
  if (known !== undefined) return known
  if (error.code.startsWith('22')) return 'data_refused'
  if (error.code.startsWith('23')) return 'constraint_violated'
  return undefined
}

/** What a dead letter tells about a refused row. */
export function rowMessage(error: ServerError): string {
  const place = [
    error.column === undefined ? '' : `column ${error.column}`,
    error.constraint === undefined ? '' : `constraint ${error.constraint}`,
    `SQLSTATE ${error.code}`,
  ]
  const where = error.where === undefined ? '' : ` ${error.where.slice(0, 300)}`
  return `PostgreSQL refused the row: ${error.message} (${place.filter(Boolean).join(', ')}).${where}`
}

/**
 * The line of a COPY that the server was at, from 1, when it says so: `COPY user_events, line 17, column event_type: …`. For people, and
 * translated on some servers, so it is only good for where to look first.
 */
export function copyLine(error: unknown): number | undefined {
  const context = isServerError(error) ? error.where : undefined
  const line = /^COPY [^\n]*?, [^\n\d]*(\d+)/.exec(context ?? '')?.[1]
  return line === undefined ? undefined : Number(line)
}

/**
 * Classes and codes after which the same again may well succeed: connections (08), resources (53), operators'
 * doings (57P: shutdown, crash, starting up), I/O (58), rolled back for another's sake (40), locks and timeouts, and a
 * standby that is being promoted (25006).
 */
const LATER_CLASSES = ['08', '40', '53', '58']
const LATER_CODES = [
  '25006',
  '25P03',
  '25P04',
  '55006',
  '55P03',
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
]

/** Classes that a person must settle: rights and passwords (28, 42501), missing databases (3D) and objects (3F, 42), unsupported (0A), order of statements (25). */
const CONFIG_CLASSES = ['0A', '25', '28', '3D', '3F', '42', '55']

/**
 * Whether an error said in answer to COMMIT leaves open what became of it: the server was going down (57P) or losing us (08) while
 * it may have written the commit already. Every other error means that it rolled back.
 */
export function commitIsUnknown(error: unknown): boolean {
  return isServerError(error) && (error.code.startsWith('57P') || error.code.startsWith('08'))
}

/** The platform's error for whatever went wrong while doing `attempt` (a phrase such as "write to user_events in postgres://…"). */
export function sinkError(attempt: string, error: unknown): PlatformError {
  if (error instanceof PlatformError) return error
  const options = { cause: error }
  if (!isServerError(error))
    return new SinkFailedError(`Could not ${attempt}: ${messageOf(error)}.`, options)
  const said = `PostgreSQL said: ${error.message} (SQLSTATE ${error.code})`
  const codeClass = error.code.slice(0, 2)
  if (LATER_CODES.includes(error.code) || LATER_CLASSES.includes(codeClass))
    return new SinkUnavailableError(
      `Could not ${attempt} just now. ${said}. Nothing of it was committed.`,
      options,
    )
  if (CONFIG_CLASSES.includes(codeClass))
    return new SinkConfigError(
      `Could not ${attempt}. ${said}. Nothing of it was committed. Correct the settings, the rights or the table, then start again.`,
      options,
    )
  return new SinkFailedError(`Could not ${attempt}. ${said}. Nothing of it was committed.`, options)
}

/** The platform's error when no connection came about, or when one was lost. */
export function connectionError(attempt: string, error: unknown): PlatformError {
  if (error instanceof PlatformError || isServerError(error)) return sinkError(attempt, error)
  const { code } = error as { code?: unknown }
  const options = { cause: error }
  if (typeof code === 'string' && CERTIFICATE_CODES.test(code))
    return new SinkConfigError(
      `Could not ${attempt}: ${messageOf(error)}. The server's certificate was not accepted; give its authority in POSTGRES_SSLROOTCERT.`,
      options,
    )
  // Node gives an AggregateError without a message when several addresses of a host fail.
  const text =
    error instanceof AggregateError ? error.errors.map(messageOf).join('; ') : messageOf(error)
  return new SinkUnavailableError(
    `Could not ${attempt}: ${text}. Check that the server runs and can be reached.`,
    options,
  )
}

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE_CODES = /CERT|^UNABLE_TO_|^ERR_TLS|^HOSTNAME_MISMATCH$/
