import type { IncomingMessage } from 'node:http'
import zlib from 'node:zlib'
import type { Admission } from './admission.ts'
import type { Encoding } from './media-type.ts'

/**
 * What became of a body. `read` holds `heldBytes` of the admission until the caller releases them; all other outcomes hold
 * nothing. After `aborted` nobody is there to answer.
 */
export type BodyOutcome =
  | { readonly status: 'read'; readonly bytes: Buffer; readonly heldBytes: number }
  | { readonly status: 'too_large' }
  | { readonly status: 'full' }
  | { readonly status: 'aborted' }
  | { readonly status: 'undecodable'; readonly detail: string }

export interface ReadBodyOptions {
  readonly encoding: Encoding
  /** Before and after decompression. */
  readonly bytesMax: number
  readonly admission: Admission
}

/** 16 MiB: what zstd's own levels up to 19 need. A frame could otherwise make us allocate 128 MiB before its first byte. */
const ZSTD_WINDOW_LOG_MAX = 24

/** Read a whole body, decompressed, within the limits. Bytes count against the admission as they arrive. */
export function readBody(request: IncomingMessage, options: ReadBodyOptions): Promise<BodyOutcome> {
  const raw = readRaw(request, options)
  return options.encoding === 'identity' ? raw : decompressed(raw, options)
}

async function decompressed(
  reading: Promise<BodyOutcome>,
  options: ReadBodyOptions,
): Promise<BodyOutcome> {
  const raw = await reading
  if (raw.status !== 'read') return raw
  const decoded = await decompress(raw.bytes, options)
  options.admission.releaseBytes(raw.heldBytes)
  return decoded
}

function readRaw(
  request: IncomingMessage,
  { bytesMax, admission }: ReadBodyOptions,
): Promise<BodyOutcome> {
  return new Promise((resolve) => {
    const declared = request.headers['content-length']
    if (declared !== undefined && Number(declared) > bytesMax) {
      resolve({ status: 'too_large' })
      return
    }
    let first: Buffer | undefined
    let chunks: Buffer[] | undefined
    let heldBytes = 0
    let settled = false
    const giveUp = (outcome: BodyOutcome) => {
      if (settled) return
      settled = true
      admission.releaseBytes(heldBytes)
      first = undefined
      chunks = undefined
      resolve(outcome)
    }
    request.on('data', (chunk: Buffer) => {
      if (settled) return
      if (heldBytes + chunk.length > bytesMax) {
        giveUp({ status: 'too_large' })
      } else if (!admission.holdBytes(chunk.length)) {
        giveUp({ status: 'full' })
      } else {
        heldBytes += chunk.length
        if (first === undefined) first = chunk
        else if (chunks === undefined) chunks = [first, chunk]
        else chunks.push(chunk)
      }
    })
    request.on('end', () => {
      if (settled) return
      settled = true
      const bytes = chunks === undefined ? (first ?? EMPTY) : Buffer.concat(chunks, heldBytes)
      resolve({ status: 'read', bytes, heldBytes })
    })
    request.on('error', () => giveUp({ status: 'aborted' }))
  })
}

const EMPTY = Buffer.alloc(0)

function decompress(
  bytes: Buffer,
  { encoding, bytesMax, admission }: ReadBodyOptions,
): Promise<BodyOutcome> {
  return new Promise((resolve) => {
    const done = (error: Error | null, decoded: Buffer) => {
      if (error !== null) {
        const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
        resolve(
          code === 'ERR_BUFFER_TOO_LARGE'
            ? { status: 'too_large' }
            : { status: 'undecodable', detail: `The body is not valid ${encoding} (${code}).` },
        )
      } else if (!admission.holdBytes(decoded.length)) {
        resolve({ status: 'full' })
      } else {
        resolve({ status: 'read', bytes: decoded, heldBytes: decoded.length })
      }
    }
    if (encoding === 'gzip') zlib.gunzip(bytes, { maxOutputLength: bytesMax }, done)
    else {
      const params = { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX }
      zlib.zstdDecompress(bytes, { maxOutputLength: bytesMax, params }, done)
    }
  })
}
