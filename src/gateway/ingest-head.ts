import type { IncomingHttpHeaders } from 'node:http'
import { idFault } from './inspect-record.ts'
import { type Encoding, encodingOf, type Framing, mediaTypeOf } from './media-type.ts'
import type { HttpProblem } from './problem-document.ts'
import type { HttpExchange } from './router.ts'
import { isTraceparent } from './traceparent.ts'

/** What the head of an ingest request says. */
export interface IngestHead {
  readonly framing: Framing
  readonly encoding: Encoding
  readonly idempotencyKey: string | undefined
  /** What is stored with every record of the body. */
  readonly headers: Readonly<Record<string, string>>
  /** The client wants counts and not a line per record. */
  readonly wantsSummary: boolean
}

/** Leaves room within an id for a colon and the index of a record in its batch. */
const IDEMPOTENCY_KEY_BYTES_MAX = 240

/** Read the head of an ingest request; a problem when its body could not be read anyway. */
export function readIngestHead(
  { request, queryText }: HttpExchange,
  newTraceparent: () => string,
): IngestHead | HttpProblem {
  const headers = request.headers
  const media = mediaTypeOf(headers['content-type'])
  if (media.status === 'unsupported') {
    return { status: 415, code: 'unsupported_media_type', detail: media.detail }
  }
  const encoding = encodingOf(headers['content-encoding'])
  if (encoding === undefined) {
    const detail = `The body is compressed as ${headers['content-encoding']}; only gzip and zstd are read.`
    const accept = ['Accept-Encoding', 'gzip, zstd']
    return { status: 415, code: 'unsupported_encoding', detail, headers: accept }
  }
  const idempotencyKey = idempotencyKeyOf(headers)
  const wrong = idempotencyKey === undefined ? undefined : keyFault(idempotencyKey)
  if (wrong !== undefined) return { status: 400, code: 'bad_id', detail: wrong }
  const given = headers.traceparent
  const traceparent = typeof given === 'string' && isTraceparent(given) ? given : newTraceparent()
  return {
    framing: media.framing,
    encoding,
    idempotencyKey,
    headers: { traceparent },
    wantsSummary: wantsSummary(headers, queryText),
  }
}

/** The header draft asks for a quoted string, most clients send a bare one; both mean the same key. */
function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const header = headers['idempotency-key']
  if (typeof header !== 'string') return undefined
  const key = header.trim()
  return key.length >= 2 && key.startsWith('"') && key.endsWith('"') ? key.slice(1, -1) : key
}

function keyFault(key: string): string | undefined {
  if (!/^[\x20-\x7e]*$/.test(key)) return 'The Idempotency-Key header must be printable ASCII.'
  if (key.length > IDEMPOTENCY_KEY_BYTES_MAX) {
    return `The Idempotency-Key header has ${key.length} characters; at most ${IDEMPOTENCY_KEY_BYTES_MAX} are taken.`
  }
  return idFault(key)
}

function wantsSummary(headers: IncomingHttpHeaders, queryText: string): boolean {
  if (queryText !== '' && new URLSearchParams(queryText).get('results') === 'summary') return true
  const prefer = headers.prefer
  return typeof prefer === 'string' && /(^|[,;\s])return=minimal($|[,;\s])/.test(prefer)
}
