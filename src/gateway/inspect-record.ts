import { isUtf8 } from 'node:buffer'
import type { NewRecord } from '../model/append.ts'
import { messageOf } from '../model/errors.ts'
import { pointerStep } from '../model/problem.ts'
import { compileSchemaCheck, parseExactly } from '../model/schema-check.ts'
import { type IngestRoute, idPathOf, keyPathOf } from './ingest-route.ts'
import { duplicateKeyOf, isWellFormedJson, memberCountOf } from './json-members.ts'
import type { JsonScanner } from './json-scan.ts'
import type { Fault, Rejection, RejectReason } from './rejection.ts'

/** The longest id, in UTF-8 bytes (`NewRecord.id`). */
export const ID_BYTES_MAX = 256

/** What the records of one body have in common. */
export interface BodyContext {
  readonly bytes: Buffer
  /** Whether all of the body is UTF-8, so that its records need not be asked one by one. */
  readonly isUtf8: boolean
  readonly headers: Readonly<Record<string, string>>
  /** From `Idempotency-Key`. */
  readonly idempotencyKey: string | undefined
  readonly isBatch: boolean
}

/** Judges the record that a scanner stands on. Synchronous, and the hottest code of the gateway. */
export type InspectRecord = (
  body: BodyContext,
  scanner: JsonScanner,
  index: number,
) => NewRecord | Rejection

export interface InspectLimits {
  readonly recordBytesMax: number
  readonly depthMax: number
}

/** Compile a route into the check of its records. @throws GatewayRouteError */
export function createInspector(
  route: IngestRoute,
  limits: InspectLimits,
  newId: () => string,
): InspectRecord {
  const schema = compileSchemaCheck(route.schema)
  const idPath = idPathOf(route)
  const keyPath = keyPathOf(route)

  return (body, scanner, index) => {
    const { start, end } = scanner
    if (end - start > limits.recordBytesMax) {
      const message = `The record has ${end - start} bytes; at most ${limits.recordBytesMax} are taken.`
      return reject(body, scanner, index, 'record_too_large', message, limits.recordBytesMax)
    }
    if (scanner.depthMax > limits.depthMax) {
      const message = `The record is nested ${scanner.depthMax} deep; at most ${limits.depthMax} is taken.`
      return reject(body, scanner, index, 'too_deep', message)
    }
    if (!body.isUtf8 && !isUtf8(body.bytes.subarray(start, end))) {
      return reject(body, scanner, index, 'invalid_utf8', 'The record is not valid UTF-8.')
    }
    const json = body.bytes.toString('utf8', start, end)
    let value: unknown
    try {
      value = JSON.parse(json)
    } catch (error) {
      const message = `The record is not valid JSON: ${messageOf(error)}.`
      return reject(body, scanner, index, 'malformed_json', message)
    }
    const fault = ambiguityOf(value, json, scanner)
    if (fault !== undefined) return rejection(body, scanner, index, '', [fault])
    const problems = schema.problems(value, json)
    if (problems.length > 0) {
      const upgraded = upgradedRecord(value)
      if (upgraded !== undefined && upgraded.status === 'upgraded')
        return identify(body, scanner, index, upgraded.value, upgraded.json)
      const id = idPath === undefined ? null : scalarText(value, idPath, json)
      return rejection(body, scanner, index, id ?? '', upgraded?.faults ?? problems)
    }
    return identify(body, scanner, index, value, json, slice(body, scanner))
  }

  /** A refused record in today's shape, or why it cannot be; `undefined` when it is of no older shape either. */
  function upgradedRecord(
    value: unknown,
  ):
    | { readonly status: 'upgraded'; readonly value: unknown; readonly json: string }
    | { readonly status: 'refused'; readonly faults: readonly Fault[] }
    | undefined {
    if (route.upgrade === undefined || typeof value !== 'object' || value === null) return undefined
    const refused = (message: string) => {
      const faults: Fault[] = [{ path: '', code: 'old_schema', message }]
      return { status: 'refused', faults } as const
    }
    try {
      const outcome = route.upgrade(value as Readonly<Record<string, unknown>>)
      if (outcome === undefined) return undefined
      if (outcome.status === 'impossible') return refused(outcome.message)
      const json = JSON.stringify(outcome.record)
      const [first] = schema.problems(outcome.record, json)
      if (first === undefined) return { status: 'upgraded', value: outcome.record, json }
      return refused(
        `Brought into today's shape it is still refused: ${first.path} ${first.message}`,
      )
    } catch (error) {
      return refused(`The upgrade to today's shape failed: ${messageOf(error)}.`)
    }
  }

  function identify(
    body: BodyContext,
    scanner: JsonScanner,
    index: number,
    value: unknown,
    json: string,
    stored: Uint8Array = Buffer.from(json),
  ): NewRecord | Rejection {
    let id = idPath === undefined ? null : scalarText(value, idPath, json)
    let idMayRepeat = true
    if (id !== null) {
      const wrong = idFault(id)
      if (wrong !== undefined) {
        const path = idPath!.map(pointerStep).join('')
        return rejection(body, scanner, index, '', [{ path, code: 'bad_id', message: wrong }])
      }
    } else if (body.idempotencyKey !== undefined) {
      id = body.isBatch ? `${body.idempotencyKey}:${index}` : body.idempotencyKey
    } else {
      id = newId()
      idMayRepeat = false
    }
    const key = keyPath === undefined ? null : scalarText(value, keyPath, json) || null
    return { id, idMayRepeat, key, value: stored, headers: body.headers }
  }
}

/** The record's own bytes in its body. */
function slice({ bytes }: BodyContext, { start, end }: JsonScanner): Uint8Array {
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
}

/** What makes valid JSON mean different things to different readers, or nothing to a store. */
function ambiguityOf(value: unknown, json: string, scanner: JsonScanner): Fault | undefined {
  if (memberCountOf(value) !== scanner.memberCount) {
    const path = duplicateKeyOf(json) ?? ''
    const message =
      'The key comes twice in its object, and readers disagree about which one counts.'
    return { path, code: 'duplicate_key', message }
  }
  if (scanner.hasSurrogateEscape && !isWellFormedJson(value)) {
    const message = 'A text holds half of a surrogate pair, which no store can keep as UTF-8.'
    return { path: '', code: 'lone_surrogate', message }
  }
  return undefined
}

/** Whether an inspected record was turned away. */
export function isRejection(inspected: NewRecord | Rejection): inspected is Rejection {
  return 'faults' in inspected
}

/** What is wrong with an id, or `undefined`. */
export function idFault(id: string): string | undefined {
  if (id === '') return 'An id cannot be empty.'
  if (id.includes('\0')) return 'An id cannot hold the character U+0000.'
  // A unit of UTF-16 takes at most three bytes, so most ids need no counting.
  if (id.length * 3 <= ID_BYTES_MAX) return undefined
  const bytes = Buffer.byteLength(id)
  return bytes <= ID_BYTES_MAX
    ? undefined
    : `An id has at most ${ID_BYTES_MAX} UTF-8 bytes; this one has ${bytes}.`
}

/**
 * The text of a plain field: numbers exactly as whole numbers are written, read again from the JSON text where JavaScript
 * would round them. `null` where there is none.
 */
function scalarText(value: unknown, path: readonly string[], json: string): string | null {
  let cell = follow(value, path)
  if (typeof cell === 'number' && !Number.isSafeInteger(cell)) {
    cell = follow(parseExactly(json), path)
  }
  if (typeof cell === 'string') return cell
  if (typeof cell === 'number' || typeof cell === 'bigint' || typeof cell === 'boolean') {
    return String(cell)
  }
  return null
}

function follow(value: unknown, path: readonly string[]): unknown {
  let cell = value
  for (let index = 0; index < path.length; index += 1) {
    if (typeof cell !== 'object' || cell === null || !Object.hasOwn(cell, path[index]!)) return null
    cell = (cell as Record<string, unknown>)[path[index]!]
  }
  return cell
}

function reject(
  body: BodyContext,
  scanner: JsonScanner,
  index: number,
  code: RejectReason,
  message: string,
  bytesMax?: number,
): Rejection {
  return rejection(body, scanner, index, '', [{ path: '', code, message }], bytesMax)
}

function rejection(
  body: BodyContext,
  { start, end }: JsonScanner,
  index: number,
  id: string,
  faults: readonly Fault[],
  bytesMax = Number.POSITIVE_INFINITY,
): Rejection {
  const truncated = end - start > bytesMax
  const value = body.bytes.subarray(start, truncated ? start + bytesMax : end)
  return { index, id, faults, value, truncated }
}
