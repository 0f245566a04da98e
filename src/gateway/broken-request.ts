import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type HttpProblem, rawProblemResponse, sendProblem } from './problem-document.ts'

/** The request that a connection brought last, kept on its socket. */
const LAST = Symbol('last exchange')

interface LastExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

type TrackedSocket = Socket & { [LAST]?: LastExchange | undefined }

/** Remember what a connection is busy with, so that `answerBrokenRequest` does not speak out of turn. */
export function trackExchange(request: IncomingMessage, response: ServerResponse): void {
  const socket = request.socket as TrackedSocket
  socket[LAST] = { request, response }
}

/**
 * Forget an exchange that is over, unless its answer still waits to be sent. A quiet connection would otherwise keep its last request alive, and the
 * collector would copy it again and again: that was 10 ms of pause seven times a second (bench gateway).
 */
export function forgetExchange(request: IncomingMessage, response: ServerResponse): void {
  // A request that was destroyed has let go of its connection.
  const socket = request.socket as TrackedSocket | null
  if (socket === null || !response.writableEnded || socket.writableLength > 0) return
  if (socket[LAST]?.response === response) socket[LAST] = undefined
}

/**
 * Answer a connection whose bytes stopped making sense, or stopped coming. Answers go out in the order of their requests:
 * one that broke within its body gets its own response; one that never became a request waits until those before
 * it are answered, because a client would take an early 400 for the answer to an earlier request.
 */
export function answerBrokenRequest(error: NodeJS.ErrnoException, duplex: Duplex): void {
  const socket = duplex as TrackedSocket
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = problemOf(error)
  const last = socket[LAST]
  if (last === undefined || last.response.writableFinished) {
    socket.end(rawProblemResponse(problem))
    return
  }
  if (!last.request.complete) {
    // Node forgets a request once it is answered, so whoever waits for the rest of its body must be told by us.
    last.response.once('close', () => last.request.destroy(error))
    if (last.response.headersSent) socket.destroySoon()
    else sendProblem(last.response, { ...problem, headers: ['Connection', 'close'] })
    return
  }
  last.response.once('finish', () => socket.end(rawProblemResponse(problem)))
}

function problemOf(error: NodeJS.ErrnoException): HttpProblem {
  switch (error.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: 408,
        code: 'request_timeout',
        detail: 'The request did not arrive whole in time. Nothing was taken; send it again.',
      }
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: 431,
        code: 'headers_too_large',
        detail: 'The headers are larger than the server reads. Nothing was taken.',
      }
    default:
      return {
        status: 400,
        code: 'malformed_http',
        detail: `The bytes are not HTTP/1.1 (${error.code ?? 'unknown'}). Nothing was taken.`,
      }
  }
}
