import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { type ReadParameter, type ReadPlan, ReadRefusedError } from '../pipeline/read.ts'
import { apiRoute } from './exchange.ts'
import { queryValue, refusal } from './read-request.ts'
import { READ_OF_PIPELINE } from './route-access.ts'

/** Longest answer that somebody waits for. */
const ANSWER_MS_MAX = 60_000
const TEXT_LENGTH_MAX = 200

/** The read routes of the pipelines. */
export function readRoutes(platform: Platform): readonly HttpRoute[] {
  return platform.plans.flatMap(({ reads }) => reads.map((read) => routeOf(platform, read)))
}

function routeOf(platform: Platform, read: ReadPlan): HttpRoute {
  return apiRoute({
    method: 'GET',
    path: read.path,
    needs: READ_OF_PIPELINE,
    summary: read.summary,
    ...(read.description === undefined ? {} : { description: read.description }),
    query: Object.fromEntries(
      Object.entries(read.query).map(([name, parameter]) => [name, docOf(parameter)]),
    ),
    async answer(exchange) {
      const query = Object.fromEntries(
        Object.entries(read.query).map(([name, parameter]) => [
          name,
          parameterOf(exchange, name, parameter),
        ]),
      )
      const signal = AbortSignal.any([exchange.closing, AbortSignal.timeout(ANSWER_MS_MAX)])
      const { params } = exchange
      try {
        return await read.answer({ params, query, signal }, platform.readStores(signal))
      } catch (error) {
        if (!(error instanceof ReadRefusedError)) throw error
        const code = { 400: 'bad_request', 404: 'not_found', 503: 'not_ready' }[error.status]
        throw refusal(error.status, code, error.message)
      }
    },
  })
}

function parameterOf(
  exchange: HttpExchange,
  name: string,
  parameter: ReadParameter,
): string | number | undefined {
  const text = queryValue(exchange, name)
  const wrong = (what: string) => refusal(400, 'bad_parameter', `${name} ${what}.`)
  if (text === undefined || text.trim() === '') {
    if (parameter.required === true) throw wrong('is missing')
    return parameter.type === 'int' ? parameter.default : undefined
  }
  if (parameter.type === 'int') {
    const { min, max } = parameter
    const value = Number(text)
    if (Number.isInteger(value) && value >= min && value <= max) return value
    throw wrong(`must be a whole number from ${min} to ${max}`)
  }
  const { oneOf, lengthMax = TEXT_LENGTH_MAX } = parameter
  if (oneOf !== undefined && !oneOf.includes(text)) throw wrong(`must be ${oneOf.join(' or ')}`)
  if (text.length > lengthMax) throw wrong(`may have ${lengthMax} characters`)
  return text
}

function docOf(parameter: ReadParameter): string {
  const { doc, example } = parameter
  const limits =
    parameter.type === 'int'
      ? ` From ${parameter.min} to ${parameter.max}${parameter.default === undefined ? '' : `, default ${parameter.default}`}.`
      : parameter.oneOf === undefined
        ? ''
        : ` One of ${parameter.oneOf.join(', ')}.`
  const need = parameter.required === true ? ' Required.' : ''
  return `${doc}${limits}${need}${example === undefined ? '' : ` Example: ${example}`}`
}
