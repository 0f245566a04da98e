import type { HttpProblem } from '../gateway/problem-document.ts'
import { sendProblemUnread } from '../gateway/problem-document.ts'
import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import { sendJson } from '../gateway/send.ts'
import { PlatformError } from '../model/errors.ts'
import { accessOf, type RouteAccess } from './route-access.ts'

/** A request that cannot be answered as asked; becomes the problem it carries. */
export class ApiRefusal extends Error {
  readonly problem: HttpProblem

  constructor(problem: HttpProblem) {
    super(problem.detail)
    this.problem = problem
  }
}

/** Errors that are answers: what was asked for is not there, or not possible as things stand. Others become a 500 or a 503. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  BACKFILL_INVALID: 400,
  BACKFILL_MISSING: 404,
  CHANGES_MISSING: 404,
  DEAD_LETTER_MISSING: 404,
  DEAD_LETTER_STATE: 409,
  LOG_TOPIC_MISSING: 404,
  ENGINE_INTERRUPTED: 408,
  ENGINE_OUT_OF_MEMORY: 413,
  MEND_IMPOSSIBLE: 422,
  QUERY_REFUSED: 400,
  REPLAY_REFUSED: 409,
  RUN_MISSING: 404,
  SCHEDULE_MISSING: 404,
  SELECTOR_UNKNOWN: 404,
  SNAPSHOT_MISSING: 404,
  SQL_INVALID: 400,
  TABLE_BROKEN: 409,
  TABLE_MISSING: 404,
  TABLE_UNSUPPORTED: 409,
}

export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  /** Default: what `route-access.ts` says of its path. */
  readonly needs?: RouteAccess
  /** OpenAPI's words for it. */
  readonly summary: string
  readonly description?: string
  readonly query?: Readonly<Record<string, string>>
  /** JSON Schema of the body, where there is one. */
  readonly body?: Readonly<Record<string, unknown>>
  /** Answers with a value, sent as JSON with 200. */
  readonly answer: (exchange: HttpExchange) => Promise<unknown>
}

/** A route of the API as the gateway takes it. */
export function apiRoute(route: ApiRoute): HttpRoute {
  const { method, path, answer, needs = accessOf(method, path) } = route
  return {
    method,
    path,
    ...needs,
    operation: operationOf(route),
    handle: (exchange) =>
      answered(exchange, async () => {
        const value = await answer(exchange)
        // What was answered to one caller is nobody else's, and nobody's after signing out.
        exchange.response.setHeader('Cache-Control', 'no-store')
        sendJson(exchange.response, 200, value)
      }),
  }
}

/** Errors that are answers become problems; surprises are the gateway's. */
export async function answered(exchange: HttpExchange, answer: () => Promise<void>): Promise<void> {
  try {
    await answer()
  } catch (error) {
    const problem = problemOf(error)
    if (problem === undefined) throw error
    sendProblemUnread(exchange.request, exchange.response, problem)
  }
}

function problemOf(error: unknown): HttpProblem | undefined {
  if (error instanceof ApiRefusal) return error.problem
  if (!(error instanceof PlatformError)) return undefined
  const status = STATUS_OF_CODE[error.code]
  if (status === undefined) return undefined
  return { status, code: error.code.toLowerCase(), detail: error.message }
}

const PROBLEM = { $ref: '#/components/schemas/Problem' }

function operationOf({ path, summary, description, query = {}, body }: ApiRoute) {
  const parameters = [
    ...[...path.matchAll(/:(\w+)/g)].map(([, name]) => parameter('path', name!)),
    ...Object.entries(query).map(([name, meaning]) => parameter('query', name, meaning)),
  ]
  return {
    summary,
    ...(description === undefined ? {} : { description }),
    tags: ['platform'],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { content: { 'application/json': { schema: body } } } }),
    responses: {
      200: { description: 'The answer.', content: { 'application/json': { schema: {} } } },
      default: {
        description: 'A problem (RFC 9457); decide on `code`.',
        content: { 'application/problem+json': { schema: PROBLEM } },
      },
    },
  }
}

const parameter = (where: 'path' | 'query', name: string, description?: string) => ({
  name,
  in: where,
  ...(where === 'path' ? { required: true } : {}),
  ...(description === undefined ? {} : { description }),
  schema: { type: 'string' },
})
