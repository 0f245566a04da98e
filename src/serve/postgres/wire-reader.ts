import { copiesFromClient, copyInMessage, message, sqlIn, typeOf, withSql } from './wire.ts'

/** What a client wants next, in order. */
export type WireRequest =
  /** The first message of the connection, or a request for encryption before it. */
  | { readonly kind: 'first'; readonly bytes: Buffer }
  /** Messages to run together; the last one asks for an answer. */
  | { readonly kind: 'run'; readonly messages: readonly Buffer[] }
  /** A COPY was announced: say "send your rows". */
  | { readonly kind: 'copy-begin'; readonly answer: Buffer }
  /** The COPY with all its rows. */
  | { readonly kind: 'copy'; readonly messages: readonly Buffer[] }
  | { readonly kind: 'goodbye' }
  /** The bytes make no sense, or too much of them: hang up. */
  | { readonly kind: 'nonsense'; readonly text: string }

export interface WireReader {
  /** Take bytes as they come; returns what they complete. */
  push(bytes: Buffer): readonly WireRequest[]
  /** Bytes held for requests that are not complete. */
  readonly heldBytes: number
}

/** PostgreSQL's own limit for a first message. */
const FIRST_BYTES_MAX = 10_000
/** Types whose messages ask for an answer: query, sync, flush, function call. */
const ASKING = 'QSHF'
/** All a client may send outside of a COPY. Anything else would end the one session that all clients share. */
const KNOWN = `${ASKING}PBDEC`
/** What is left of a COPY that failed, "simply dropped" like the server does. */
const LEFT_OVER = 'dcf'

/**
 * Cuts a client's bytes into requests. A COPY's rows are held until they are complete, because the embedded database runs a COPY
 * in one go and cannot wait for a client in the middle of it (https://github.com/electric-sql/pglite/pull/1028).
 */
export function wireReader({ requestBytesMax }: { readonly requestBytesMax: number }): WireReader {
  let chunks: Buffer[] = []
  let chunkBytes = 0
  let started = false
  let pending: Buffer[] = []
  let pendingBytes = 0
  let copying = false

  /** The next `length` bytes, joined only once all of them are there. */
  const peek = (length: number): Buffer => {
    if (chunks[0]!.length < length) chunks = [Buffer.concat(chunks)]
    return chunks[0]!.subarray(0, length)
  }
  const take = (length: number): Buffer => {
    const bytes = peek(length)
    chunks[0] = chunks[0]!.subarray(length)
    if (chunks[0].length === 0) chunks.shift()
    chunkBytes -= length
    return bytes
  }
  const release = (): Buffer[] => {
    const messages = pending
    pending = []
    pendingBytes = 0
    return messages
  }

  const accept = (bytes: Buffer): WireRequest | null => {
    const type = typeOf(bytes)
    if (copying) return acceptCopying(type, bytes)
    if (type === 'X') return { kind: 'goodbye' }
    if (LEFT_OVER.includes(type)) return null
    if (!KNOWN.includes(type)) return { kind: 'nonsense', text: `a message of type ${type}` }
    const sql = sqlIn(bytes)
    const copies = sql === null ? 'no' : copiesFromClient(sql)
    if (type === 'Q' && copies === 'alone' && pending.length === 0) {
      copying = true
      pending = [bytes]
      pendingBytes = bytes.length
      return { kind: 'copy-begin', answer: copyInMessage(sql!) }
    }
    pending.push(copies === 'no' ? bytes : withSql(bytes, COPY_REFUSAL))
    pendingBytes += bytes.length
    return ASKING.includes(type) ? { kind: 'run', messages: release() } : null
  }
  const acceptCopying = (type: string, bytes: Buffer): WireRequest | null => {
    if (type === 'X') return { kind: 'goodbye' }
    // "The backend will ignore Flush and Sync messages received during copy-in mode."
    if (type === 'H' || type === 'S') return null
    pending.push('dcf'.includes(type) ? bytes : message('f', `unexpected message ${type}\0`))
    pendingBytes += bytes.length
    if (type === 'd') return null
    copying = false
    return { kind: 'copy', messages: release() }
  }

  return {
    get heldBytes() {
      return chunkBytes + pendingBytes
    },
    push(bytes) {
      chunks.push(bytes)
      chunkBytes += bytes.length
      const requests: WireRequest[] = []
      for (;;) {
        const headBytes = started ? 5 : 4
        if (chunkBytes < headBytes) break
        const length = peek(headBytes).readInt32BE(headBytes - 4) + headBytes - 4
        const most = started ? requestBytesMax : FIRST_BYTES_MAX
        if (length < headBytes + (started ? 0 : 4) || length + pendingBytes > most) {
          const text = `a message of ${length} bytes; at most ${most} are taken in one request`
          requests.push({ kind: 'nonsense', text })
          break
        }
        if (chunkBytes < length) break
        const whole = take(length)
        if (!started) {
          // A refused request for encryption is followed by another first message; only a version starts the session.
          started = whole.readInt32BE(4) >> 16 === 3
          requests.push({ kind: 'first', bytes: whole })
          continue
        }
        const request = accept(whole)
        if (request !== null) requests.push(request)
      }
      return requests
    },
  }
}

/** The database itself says no, so that every client hears it where it expects errors. 0A000 is "feature not supported". */
const COPY_REFUSAL = `DO $mekong$ BEGIN RAISE EXCEPTION
'the embedded server takes COPY ... FROM STDIN only as the single statement of a simple query'
USING ERRCODE = '0A000', HINT = 'Use \\copy in psql, or a PostgreSQL server.'; END $mekong$`
