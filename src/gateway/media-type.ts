/** How the bytes of a body are to be cut into records. `sniff`: look at the first byte. */
export type Framing = 'sniff' | 'ndjson'

/** What a `Content-Type` header means for us, or why it cannot be read. */
export type MediaType =
  | { readonly status: 'readable'; readonly framing: Framing }
  | { readonly status: 'unsupported'; readonly detail: string }

/** Compressions we read. */
export type Encoding = 'identity' | 'gzip' | 'zstd'

const LINES = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
  'application/jsonlines',
])
/** The last is what `curl -d` says of anything; a page of another origin that says it is stopped by its `Origin`. */
const JSON_TYPES = new Set([
  'application/json',
  'text/json',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
])
const CHARSETS = new Set(['utf-8', 'utf8', 'us-ascii'])

const SNIFF: MediaType = Object.freeze({ status: 'readable', framing: 'sniff' })
const NDJSON: MediaType = Object.freeze({ status: 'readable', framing: 'ndjson' })

/** Read a `Content-Type` header. A missing one is sniffed, because many small clients send none. */
export function mediaTypeOf(header: string | undefined): MediaType {
  if (header === undefined || header === 'application/json') return SNIFF
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice('charset='.length)
    .replaceAll('"', '')
  if (charset !== undefined && !CHARSETS.has(charset)) {
    return unsupported(`The body is said to be in ${charset}; only UTF-8 is read.`)
  }
  if (LINES.has(type)) return NDJSON
  if (JSON_TYPES.has(type) || type.endsWith('+json')) return SNIFF
  return unsupported(
    `The body is said to be ${type}. Send "Content-Type: application/json" for an object or an array, or "application/x-ndjson" for one object per line.`,
  )
}

/** Read a `Content-Encoding` header; `undefined` when it names something else. */
export function encodingOf(header: string | undefined): Encoding | undefined {
  if (header === undefined) return 'identity'
  switch (header.trim().toLowerCase()) {
    case 'identity':
    case '':
      return 'identity'
    case 'gzip':
    case 'x-gzip':
      return 'gzip'
    case 'zstd':
      return 'zstd'
    default:
      return undefined
  }
}

function unsupported(detail: string): MediaType {
  return { status: 'unsupported', detail }
}
