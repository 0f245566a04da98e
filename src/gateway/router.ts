import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Grant } from '../model/access.ts'
import type { KeyIdentity } from './api-keys.ts'
import { GatewayRouteError } from './errors.ts'

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** One thing the server answers to. `HEAD` is answered wherever `GET` is. */
export interface HttpRoute {
  readonly method: HttpMethod
  /** Literal segments and parameters: `/v1/tables/:name/rows`. A last segment `*` takes the rest, as parameter `rest`. */
  readonly path: string
  /** What a caller must be allowed when the gateway has keys. `open`: for everybody who reaches the port. */
  readonly access: 'open' | Grant
  /** The word under which the audit log keeps each request, such as `run.begin`; without one it keeps none. */
  readonly action?: string
  /** Answers the exchange. What it throws becomes a 500, and is reported; the connection lives on. */
  readonly handle: (exchange: HttpExchange) => void | Promise<void>
  /** An OpenAPI operation object; routes without one are left out of `/docs`. */
  readonly operation?: Readonly<Record<string, unknown>>
}

/** One request and its answer. */
export interface HttpExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  /** What follows the question mark, undecoded; empty when there is none. */
  readonly queryText: string
  /** Values of the path's parameters, decoded. */
  readonly params: Readonly<Record<string, string>>
  /** Who asks; `undefined` when the gateway has no keys or the route is open. */
  readonly identity: KeyIdentity | undefined
  /** Say to the audit log more exactly what is acted on than the path does. */
  readonly about: (subject: string) => void
  /** Whether who asked might still ask: for answers that go on for long, now and then. */
  readonly isStillAdmitted: () => Promise<boolean>
  /** Aborts when the server begins to shut down: end long answers (event streams) then. */
  readonly closing: AbortSignal
}

/** What a path and method lead to. */
export type RouteMatch<Entry> =
  | {
      readonly status: 'found'
      readonly entry: Entry
      readonly params: Readonly<Record<string, string>>
    }
  | { readonly status: 'wrong_method'; readonly allowed: readonly string[] }
  | { readonly status: 'missing' }

export interface Router<Entry> {
  match(method: string, path: string): RouteMatch<Entry>
  /** Every path with its methods, for people who took a wrong turn. */
  readonly paths: readonly string[]
}

type Methods<Entry> = Partial<
  Record<
    string,
    { readonly status: 'found'; readonly entry: Entry; readonly params: typeof NO_PARAMS }
  >
>

interface Pattern<Entry> {
  readonly segments: readonly string[]
  readonly methods: Methods<Entry>
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({})
const MISSING = Object.freeze({ status: 'missing' as const })

/**
 * Build a router. Literal paths are found by one look-up; paths with parameters in the order given.
 * @throws GatewayRouteError when two routes claim the same method and path
 */
export function createRouter<Entry extends { readonly route: HttpRoute }>(
  entries: readonly Entry[],
): Router<Entry> {
  const literal = new Map<string, Methods<Entry>>()
  const patterns: Pattern<Entry>[] = []
  for (const entry of entries) {
    const { path, method } = entry.route
    const methods = methodsAt(path, literal, patterns)
    if (methods[method] !== undefined) {
      throw new GatewayRouteError(path, `two routes claim ${method} ${path}.`)
    }
    methods[method] = Object.freeze({ status: 'found', entry, params: NO_PARAMS })
  }
  return {
    paths: entries.map(({ route }) => `${route.method} ${route.path}`).sort(),
    match(method, path) {
      const methods = literal.get(path)
      if (methods !== undefined) return pick(methods, method, NO_PARAMS)
      for (const pattern of patterns) {
        const params = paramsOf(pattern.segments, path)
        if (params !== undefined) return pick(pattern.methods, method, params)
      }
      return MISSING
    },
  }
}

function methodsAt<Entry>(
  path: string,
  literal: Map<string, Methods<Entry>>,
  patterns: Pattern<Entry>[],
): Methods<Entry> {
  if (!/^\/[^?#\s]*$/.test(path)) {
    throw new GatewayRouteError(
      path,
      'a path starts with a slash and has no query, fragment or space.',
    )
  }
  const segments = path.split('/')
  if (!segments.some((segment) => segment.startsWith(':') || segment === '*')) {
    const known = literal.get(path) ?? {}
    literal.set(path, known)
    return known
  }
  const known = patterns.find((pattern) => pattern.segments.join('/') === path)
  if (known !== undefined) return known.methods
  const made: Pattern<Entry> = { segments, methods: {} }
  patterns.push(made)
  return made.methods
}

function pick<Entry>(
  methods: Methods<Entry>,
  method: string,
  params: typeof NO_PARAMS,
): RouteMatch<Entry> {
  const found = methods[method] ?? (method === 'HEAD' ? methods.GET : undefined)
  if (found !== undefined) return params === NO_PARAMS ? found : { ...found, params }
  const allowed = Object.keys(methods)
  return { status: 'wrong_method', allowed: methods.GET ? [...allowed, 'HEAD'] : allowed }
}

function paramsOf(segments: readonly string[], path: string): Record<string, string> | undefined {
  const parts = path.split('/')
  const params: Record<string, string> = {}
  for (let index = 0; index < segments.length; index += 1) {
    const segment = segments[index]!
    if (segment === '*') {
      const rest = decoded(parts.slice(index).join('/'))
      return rest === undefined ? undefined : { ...params, rest }
    }
    const part = parts[index]
    if (part === undefined) return undefined
    if (segment.startsWith(':')) {
      const value = decoded(part)
      if (value === undefined || value === '') return undefined
      params[segment.slice(1)] = value
    } else if (segment !== part) return undefined
  }
  return parts.length === segments.length ? params : undefined
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
