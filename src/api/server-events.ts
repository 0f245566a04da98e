import type { HttpExchange } from '../gateway/router.ts'

/** A stream of server-sent events, for as long as the client listens and the server stays. */
export interface EventStream {
  /** Aborted when the client has gone or the server is closing. */
  readonly ended: AbortSignal
  /** One event. Says false when the client is behind: wait for the next chance rather than pile up. */
  send(event: string, value: unknown): boolean
}

/** Often enough that nothing between client and server thinks the connection dead. */
const BEAT_MS = 15_000

/** Whoever may no longer look is cut off within this. */
const ADMITTED_LOOK_MS = 2_000

/** Begin a stream (WHATWG HTML, "Server-sent events"). The caller returns when `ended` has aborted. */
export function openEventStream(exchange: HttpExchange): EventStream {
  const { request, response, closing } = exchange
  const gone = new AbortController()
  request.on('close', () => gone.abort())
  response.on('close', () => gone.abort())
  const ended = AbortSignal.any([closing, gone.signal])
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  })
  response.write('retry: 1000\n\n')
  const beat = setInterval(() => response.write(':\n\n'), BEAT_MS)
  const look = setInterval(() => {
    exchange.isStillAdmitted().then(
      (isAdmitted) => isAdmitted || gone.abort(),
      () => gone.abort(),
    )
  }, ADMITTED_LOOK_MS)
  ended.addEventListener(
    'abort',
    () => {
      clearInterval(beat)
      clearInterval(look)
      response.end()
    },
    { once: true },
  )
  return {
    ended,
    send: (event, value) =>
      response.write(`event: ${event}\ndata: ${JSON.stringify(value)}\n\n`) ||
      response.writableLength < 1024 * 1024,
  }
}
