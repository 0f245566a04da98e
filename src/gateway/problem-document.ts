import type { IncomingMessage, ServerResponse } from 'node:http'

/** An HTTP error as a value: an RFC 9457 document before it is written. */
export interface HttpProblem {
  readonly status: number
  /** A stable word; the document's `type` is `urn:mekong:problem:<code>`. Programs decide on this. */
  readonly code: string
  /** What was attempted, what state things are in now, what to do. */
  readonly detail: string
  /** Sent as `Retry-After`, rounded up to seconds. */
  readonly retryAfterMs?: number
  /** Extension members (RFC 9457, 3.2). */
  readonly members?: Readonly<Record<string, unknown>>
  /** Further headers, names and values by turns. */
  readonly headers?: readonly string[]
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json'

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is malformed or invalid',
  401: 'An API key is needed',
  403: 'Not allowed',
  404: 'There is nothing here',
  405: 'The method does not apply here',
  408: 'The request came too slowly',
  409: 'Not as things stand',
  413: 'The body is too large',
  415: 'The body is in a form that is not read',
  421: 'The request was meant for another server',
  429: 'Too much at once',
  431: 'The headers are too large',
  500: 'Something broke on our side',
  503: 'Not now; try again',
}

/** The text of the document. */
export function problemText({ status, code, detail, members }: HttpProblem): string {
  return JSON.stringify({
    type: `urn:mekong:problem:${code}`,
    title: TITLES[status] ?? 'Error',
    status,
    code,
    detail,
    ...members,
  })
}

/** Write the problem as the answer. A response whose head has left is cut off instead, so that nobody takes a part for the whole. */
export function sendProblem(response: ServerResponse, problem: HttpProblem): void {
  const text = problemText(problem)
  if (beginProblem(response, problem, text)) response.end(text)
}

/** How long bytes of a refused body are still taken in and dropped. */
const LINGER_MS = 2_000

/** What is left of a body up to this size is read and dropped, and the connection stays in use. */
const DROPPED_BYTES_MAX = 64 * 1024

/**
 * Answer before the body has been read. Past a small size the connection is closed then; what the client is still
 * sending is taken in and dropped for a moment, because closing at once would reset the connection, and many clients
 * would never see the answer.
 */
export function sendProblemUnread(
  request: IncomingMessage,
  response: ServerResponse,
  problem: HttpProblem,
): void {
  if (request.complete || isSmall(request)) {
    sendProblem(response, problem)
    return
  }
  const text = problemText(problem)
  if (!beginProblem(response, problem, text, ['Connection', 'close'])) return
  response.write(text)
  const finish = () => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(finish, LINGER_MS)
  request.once('end', finish)
  request.once('error', finish)
  request.resume()
}

/** Whether Node may drop the rest of the body by itself, as it does for every request that is answered unread. */
function isSmall({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return false
  return Number(headers['content-length'] ?? 0) <= DROPPED_BYTES_MAX
}

/** The same problem as a whole HTTP/1.1 response, for sockets whose request never became one. */
export function rawProblemResponse(problem: HttpProblem): string {
  const text = problemText(problem)
  return [
    `HTTP/1.1 ${problem.status} ${TITLES[problem.status] ?? 'Error'}`,
    `Content-Type: ${PROBLEM_CONTENT_TYPE}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
    '',
    text,
  ].join('\r\n')
}

/** Codes of problems that were answered, for the audit log. */
const codesSent = new WeakMap<ServerResponse, string>()

/** The code of the problem that an answer is, if it is one. */
export const problemCodeOf = (response: ServerResponse): string | undefined =>
  codesSent.get(response)

function beginProblem(
  response: ServerResponse,
  { status, code, retryAfterMs, headers = [] }: HttpProblem,
  text: string,
  more: readonly string[] = [],
): boolean {
  if (response.headersSent) {
    response.destroy()
    return false
  }
  codesSent.set(response, code)
  const length = String(Buffer.byteLength(text))
  const all = ['Content-Type', PROBLEM_CONTENT_TYPE, 'Content-Length', length, ...headers, ...more]
  if (retryAfterMs !== undefined) {
    all.push('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000))))
  }
  response.writeHead(status, all)
  return true
}
