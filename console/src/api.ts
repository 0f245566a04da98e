// The platform over HTTP: the documented API and nothing else. Problems (RFC 9457) become errors with the platform's own words.

import type { ChartShape, LiveBlock } from '../../src/model/chart.ts'

export type { ChartShape, LiveBlock }

/** What the platform refused, and why. */
export class Problem extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, detail: string) {
    super(detail)
    this.status = status
    this.code = code
  }
}

/** Of the session, for what changes something; only in memory, and anew with each page. Its cookie no script can read. */
let csrfToken: string | null = null

export const rememberCsrfToken = (token: string | null): void => {
  csrfToken = token
}

/** Told when an answer says that nobody is signed in any more. */
let tellSignedOut: () => void = () => {}

export const onSignedOut = (tell: () => void): void => {
  tellSignedOut = tell
}

/** @throws Problem */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = {
    ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(csrfToken === null || init.method === undefined ? {} : { 'x-csrf-token': csrfToken }),
  }
  let response: Response
  try {
    response = await fetch(path, { ...init, headers })
  } catch (error) {
    if (init.signal?.aborted === true) throw error
    throw new Problem(0, 'unreachable', 'The platform does not answer. Is it running?')
  }
  if (response.ok) return response
  const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string }
  if (response.status === 401 && path !== '/v1/session') tellSignedOut()
  throw new Problem(
    response.status,
    problem.code ?? 'unknown',
    problem.detail ?? response.statusText,
  )
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await request(path, signal === undefined ? {} : { signal })).json() as Promise<T>
}

export async function post<T>(path: string, body: unknown = {}, signal?: AbortSignal): Promise<T> {
  const init = { method: 'POST', body: JSON.stringify(body) }
  return (await request(path, signal === undefined ? init : { ...init, signal })).json()
}

/** Events of a stream, until it ends. Read with `fetch`, because `EventSource` does not say with which status it was refused. */
export async function* events(
  path: string,
  signal: AbortSignal,
): AsyncGenerator<{ readonly event: string; readonly data: unknown }> {
  const response = await request(path, { signal })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    rest += value
    const parts = rest.split('\n\n')
    rest = parts.pop()!
    for (const part of parts) {
      const event = /^event: (.*)$/m.exec(part)?.[1]
      const data = /^data: (.*)$/m.exec(part)?.[1]
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) }
    }
  }
}

export interface River {
  readonly nodes: readonly RiverNode[]
  readonly edges: readonly RiverEdge[]
  readonly now: Now
}

export interface RiverEdge {
  readonly from: string
  readonly to: string
}

export interface RiverNode {
  readonly id: string
  readonly pipeline: string
  readonly kind: 'door' | 'files' | 'topic' | 'table' | 'model' | 'store' | 'step'
  readonly name: string
  readonly hop?: string
  readonly task?: string
}

/** The numbers of the river at a moment; totals since the beginning. */
export interface Now {
  readonly at: string
  readonly topics: readonly {
    readonly name: string
    readonly total: number
    readonly duplicates: number
    readonly rejected: number
  }[]
  readonly hops: readonly Hop[]
  readonly tasks: readonly LastTask[]
  readonly runs: readonly Run[]
}

export interface Hop {
  readonly pipeline: string
  readonly hop: string
  readonly state: 'opening' | 'waiting' | 'working' | 'retrying' | 'failed' | 'stopped'
  readonly reason: string | null
  readonly lag_records: number
  readonly rows: number
  readonly dead: number
  readonly filtered: number
}

export interface LastTask {
  readonly id: string
  readonly status: string
  readonly facts: Readonly<Record<string, unknown>> | null
  readonly error: string | null
  readonly ended_at: string | null
  readonly run: string
}

export interface Run {
  readonly id: string
  readonly status: string
  readonly trigger: string
  readonly schedule: string | null
  readonly pipeline: string | null
  readonly selectors: readonly string[]
  /** The days that a part of a backfill is for. */
  readonly range: { readonly from: string; readonly to: string } | null
  readonly created_at: string
  readonly ended_at: string | null
  readonly seconds: number | null
}

export interface RunTask {
  readonly id: string
  readonly pipeline: string
  readonly kind: string
  readonly status: string
  readonly attempts: number
  readonly started_at: string | null
  readonly ended_at: string | null
  readonly seconds: number | null
  readonly facts: Readonly<Record<string, unknown>> | null
  readonly error: string | null
  readonly progress: { readonly done: number; readonly total: number | null } | null
}

export interface RunDetail extends Run {
  readonly tasks: readonly RunTask[]
}

export interface TableLine {
  readonly name: string
  readonly format?: 'delta' | 'iceberg'
  readonly version?: number | string | null
  readonly rows?: number | null
  readonly files?: number
  readonly bytes?: number
  readonly committed_at?: string | null
  readonly problem?: string
}

export interface TableDetail extends TableLine {
  readonly description: string | null
  readonly columns: readonly {
    readonly name: string
    readonly type: string
    readonly nullable: boolean
    readonly doc: string | null
  }[]
  readonly partition_by: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  readonly history: readonly Commit[]
}

export interface Commit {
  readonly version: number | string
  readonly committed_at: string
  readonly operation: string | null
  readonly rows_added: number | null
  readonly bytes_added: number | null
  readonly files_added: number
  readonly files_removed: number
}

export interface Answer {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly unknown[])[]
  readonly truncated: boolean
  readonly elapsed_ms: number
}

export interface ChartAnswer {
  readonly title: string
  readonly about: string | null
  readonly show: ChartShape
  readonly width: number
  readonly sql: string
  readonly columns: Answer['columns']
  readonly rows: Answer['rows'] | null
  readonly problem: string | null
  readonly asked_at: string | null
  readonly elapsed_ms: number | null
}

/** Texts of a dashboard in other languages, by language, then by the text. */
export type DashboardWords = Readonly<Record<string, Readonly<Record<string, string>>>>

export interface Dashboard {
  readonly pipeline: string
  readonly title: string
  readonly about: string | null
  readonly live: readonly LiveBlock[]
  readonly charts: readonly ChartAnswer[]
  readonly words: DashboardWords
}

/** Kept aggregates as they are pushed. */
export interface AggregatesPage {
  readonly period: Period
  readonly at: string
  readonly start: string
  readonly measures: Readonly<
    Record<
      string,
      {
        readonly value: number
        readonly previous: number
        readonly previous_whole: number
        readonly change: number | null
      }
    >
  >
  readonly totals: Readonly<Record<string, number>>
  readonly series: Readonly<
    Record<
      string,
      {
        readonly grain: Grain
        readonly steps: readonly string[]
        readonly lines: readonly { readonly label: string; readonly values: readonly number[] }[]
      }
    >
  >
}

export type Period = 'hour' | 'day' | 'week' | 'month'
export type Grain = 'minute' | 'hour' | 'day'

export interface LedgerLine {
  readonly pipeline: string
  readonly hop: string
  readonly in: number
  readonly out: number
  readonly filtered: number
  readonly duplicates: number
  readonly dead: number
  readonly in_flight: number
  readonly missing: number
  readonly balanced: boolean
  readonly disagreement?: string
}
