import type { IncomingMessage, ServerResponse } from 'node:http'
import { messageOf, PlatformError, retryOf } from '../model/errors.ts'
import { type Admitted, admit, type Doorkeeper, isStillAdmitted } from './admit.ts'
import type { AuditTrail } from './audit-trail.ts'
import { forgetExchange, trackExchange } from './broken-request.ts'
import { carryOut, noteRefusal } from './carry-out.ts'
import type { GatewayMetrics, RouteMetrics } from './gateway-metrics.ts'
import { foreignPageProblem } from './local-callers.ts'
import { type HttpProblem, sendProblemUnread } from './problem-document.ts'
import { createRouter, type HttpExchange, type HttpRoute, type Router } from './router.ts'

export interface RequestListener {
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void
  readonly isDraining: boolean
  /** Requests begun and not yet settled. */
  readonly activeCount: number
  beginDraining(): void
}

interface Entry {
  readonly route: HttpRoute
  readonly metrics: RouteMetrics
}

interface ListenerOptions {
  readonly routes: readonly HttpRoute[]
  readonly doorkeeper: Doorkeeper
  readonly audit: AuditTrail | undefined
  readonly originsAllowed: readonly string[]
  readonly metrics: GatewayMetrics
  readonly onSurprise: (error: unknown, what: string) => void
}

/** From a request to its route: who may, what is there, and what to say otherwise. @throws GatewayRouteError */
export function createRequestListener(options: ListenerOptions): RequestListener {
  const { doorkeeper, audit, originsAllowed, metrics, onSurprise } = options
  const witness = audit === undefined ? undefined : { audit, front: doorkeeper.front }
  const router = createRouter(
    options.routes.map((route): Entry => ({ route, metrics: metrics.route(route.path) })),
  )
  // Paths that nobody declared share one line, or strangers could make as many metrics as they like.
  const elsewhere = metrics.route('')
  const closing = new AbortController()
  let activeCount = 0
  let isDraining = false

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const startMs = performance.now()
    trackExchange(request, response)
    activeCount += 1
    const url = originFormOf(request.url!)
    const queryAt = url.indexOf('?')
    const path = queryAt < 0 ? url : url.slice(0, queryAt)
    const found = router.match(request.method!, path)
    const route = found.status === 'found' ? found.entry.route : undefined
    const isOpen = doorkeeper.keys() === undefined
    try {
      if (isDraining) response.setHeader('Connection', 'close')
      const problem =
        (isDraining ? drainingProblem(path) : undefined) ??
        (isOpen ? foreignPageProblem(request, originsAllowed) : undefined)
      const asked: Admitted =
        problem === undefined && !isOpen && route?.access !== 'open'
          ? await admit(doorkeeper, request, route?.access)
          : ANYBODY
      const refusal = problem ?? asked.problem
      if (refusal !== undefined) {
        sendProblemUnread(request, response, refusal)
        if (witness !== undefined)
          await noteRefusal(witness, route, asked, refusal, { request, path })
      } else if (found.status === 'found') {
        const { identity } = asked
        const exchange: HttpExchange = {
          request,
          response,
          path,
          queryText: queryAt < 0 ? '' : url.slice(queryAt + 1),
          params: found.params,
          identity,
          about: ignore,
          isStillAdmitted: () => isStillAdmitted(doorkeeper, request, identity),
          closing: closing.signal,
        }
        const { action, handle } = found.entry.route
        if (witness === undefined || action === undefined) await handle(exchange)
        else await carryOut(witness, found.entry.route, action, exchange)
      } else {
        sendProblemUnread(request, response, nothingHere(request.method!, path, found, router))
      }
    } catch (error) {
      onSurprise(error, `${request.method} ${path}`)
      sendProblemUnread(request, response, surpriseProblem(error))
    }
    activeCount -= 1
    forgetExchange(request, response)
    const measured = found.status === 'found' ? found.entry.metrics : elsewhere
    measured.status(response.statusCode).add(1)
    measured.seconds.observe((performance.now() - startMs) / 1000)
  }

  return {
    onRequest: (request, response) => void serve(request, response),
    get isDraining() {
      return isDraining
    },
    get activeCount() {
      return activeCount
    },
    beginDraining() {
      isDraining = true
      closing.abort()
    },
  }
}

/** Proxies may send the whole URL as target, and a server must take it (RFC 9112, 3.2.2). */
function originFormOf(target: string): string {
  if (target.startsWith('/')) return target
  const absolute = /^https?:\/\/[^/?]*(.*)$/i.exec(target)
  return absolute === null ? target : absolute[1]!.replace(/^(?!\/)/, '/')
}

const ANYBODY: Admitted = Object.freeze({ identity: undefined })

const ignore = (): void => {}

/** Health checks and the last scrape are still answered while draining. */
const ANSWERED_WHILE_DRAINING = new Set(['/health', '/ready', '/metrics'])

function drainingProblem(path: string): HttpProblem | undefined {
  if (ANSWERED_WHILE_DRAINING.has(path)) return undefined
  return {
    status: 503,
    code: 'shutting_down',
    detail: 'The gateway is shutting down. Nothing was taken; send the same again after the pause.',
    retryAfterMs: 1_000,
  }
}

function nothingHere(
  method: string,
  path: string,
  found:
    | { readonly status: 'missing' }
    | { readonly status: 'wrong_method'; readonly allowed: readonly string[] },
  router: Router<Entry>,
): HttpProblem {
  if (found.status === 'wrong_method') {
    const allowed = found.allowed.join(', ')
    return {
      status: 405,
      code: 'method_not_allowed',
      detail: `${path} does not answer to ${method}, but to ${allowed}.`,
      headers: ['Allow', allowed],
      members: { allowed: found.allowed },
    }
  }
  return {
    status: 404,
    code: 'not_found',
    detail: `There is nothing at ${path}. What there is, is listed in "available" and described at /docs.`,
    members: { available: router.paths },
  }
}

/** What a client may know about a surprise: whether trying again can help, and that the same ids make it safe. */
function surpriseProblem(error: unknown): HttpProblem {
  const again = 'Whether records were written is not known; sending the same ids again is safe.'
  if (retryOf(error) === 'later') {
    return {
      status: 503,
      code: 'unavailable',
      detail: `${messageOf(error)} ${again}`,
      retryAfterMs: 1_000,
    }
  }
  return {
    status: 500,
    code: error instanceof PlatformError ? error.code.toLowerCase() : 'internal_error',
    detail: `The request failed for a reason that is ours to find; it is in the log. ${again}`,
  }
}
