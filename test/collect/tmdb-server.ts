import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

/** What the server does with one request: answer rightly, or go wrong in one of the ways that servers do. */
export type Behaviour =
  | 'right'
  | 'too_many_requests'
  | 'error'
  | 'broken_json'
  | 'half_an_answer'
  | 'hangs_up'
  | 'never_answers'

export type TmdbType = 'movie' | 'tv' | 'person'

/** As TMDB behaves (https://developer.themoviedb.org/reference): details with what is appended, changes in pages, exports, its errors. */
export interface TmdbServer {
  readonly apiUrl: string
  readonly exportsUrl: string
  /** What it has, by type and id. Change it between requests. */
  readonly has: Record<TmdbType, Map<number, Record<string, unknown>>>
  /** Ids by type and UTC day. */
  readonly changed: Record<TmdbType, Map<string, number[]>>
  /** Paths asked for, with their query but without the key. */
  readonly asked: string[]
  /** Changes for a page. */
  pageSize: number
  /** Said with every 429. */
  retryAfter: string
  behave: (path: string, call: number) => Behaviour
  close(): Promise<void>
}

export const API_KEY = '0123456789abcdef0123456789abcdef'
export const ACCESS_TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJ0ZXN0In0.c2ln'
const FILES = { movie: 'movie_ids', tv: 'tv_series_ids', person: 'person_ids' } as const

export async function startTmdb(): Promise<TmdbServer> {
  const calls = new Map<string, number>()
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://tmdb')
    const isExport = url.pathname.startsWith('/exports/')
    const bearer = request.headers.authorization
    const isLetIn =
      isExport || url.searchParams.get('api_key') === API_KEY || bearer === `Bearer ${ACCESS_TOKEN}`
    url.searchParams.delete('api_key')
    const path = `${url.pathname}${url.search}`
    facts.asked.push(path)
    const call = (calls.get(path) ?? 0) + 1
    calls.set(path, call)
    if (!isLetIn) {
      say(response, 401, { status_code: 7, status_message: 'Invalid API key' })
      return
    }
    misbehave(facts.behave(path, call), response, facts.retryAfter, () =>
      isExport ? sayExport(facts, url, response) : sayJson(facts, url, response),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const facts: TmdbServer = {
    ...{ apiUrl: `${root}/3`, exportsUrl: `${root}/exports` },
    has: { movie: new Map(), tv: new Map(), person: new Map() },
    changed: { movie: new Map(), tv: new Map(), person: new Map() },
    ...{ asked: [], pageSize: 100, retryAfter: '0.2', behave: () => 'right' },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return facts
}

/** The variables that lead a collector there. */
export const variablesOf = ({ apiUrl, exportsUrl }: TmdbServer) => ({
  TMDB_API_KEY: API_KEY,
  TMDB_URL: apiUrl,
  TMDB_EXPORTS_URL: exportsUrl,
})

export const someMovie = (id: number, more: Record<string, unknown> = {}) => ({
  id,
  title: `Film ${id}`,
  overview: `What happened to number ${id}.`,
  release_date: '1999-03-30',
  genres: [{ id: 28, name: 'Action' }],
  popularity: id,
  credits: {
    cast: [
      {
        id: 7,
        cast_id: 1,
        credit_id: `c${id}`,
        character: 'Hero',
        known_for_department: 'Acting',
        order: 0,
      },
    ],
    crew: [{ id: 8, credit_id: `w${id}`, department: 'Directing', job: 'Director' }],
  },
  ...more,
})

export const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)

function misbehave(
  behaviour: Behaviour,
  response: ServerResponse,
  retryAfter: string,
  right: () => void,
): void {
  switch (behaviour) {
    case 'right':
      right()
      break
    case 'too_many_requests':
      response.setHeader('retry-after', retryAfter)
      say(response, 429, { status_code: 25, status_message: 'Over the limit' })
      break
    case 'error':
      say(response, 500, { status_code: 11, status_message: 'Internal error' })
      break
    case 'broken_json':
      response.end('{"id": 603, "title": "The Ma')
      break
    case 'half_an_answer':
      response.setHeader('content-length', '1000')
      response.write('{"id":')
      setTimeout(() => response.socket?.destroy(), 5)
      break
    case 'hangs_up':
      response.socket?.destroy()
      break
    case 'never_answers':
  }
}

function sayJson({ has, changed, pageSize }: TmdbServer, url: URL, response: ServerResponse): void {
  const [, , type, name] = url.pathname.split('/') as [string, string, TmdbType, string]
  if (name !== 'changes') {
    const detail = has[type]?.get(Number(name))
    if (detail === undefined) {
      say(response, 404, { success: false, status_code: 34, status_message: 'Not found' })
      return
    }
    const { credits, ...rest } = detail
    const along = url.searchParams.get('append_to_response')?.split(',') ?? []
    say(response, 200, { ...rest, ...(along.includes('credits') ? { credits } : {}) })
    return
  }
  const [from, to] = ['start_date', 'end_date'].map((each) => url.searchParams.get(each)!)
  if (Date.parse(to!) - Date.parse(from!) > 13 * 86_400_000) {
    say(response, 422, { status_code: 20, status_message: 'More than 14 days' })
    return
  }
  const days = [...changed[type]].filter(([day]) => day >= from! && day <= to!)
  const ids = [...new Set(days.flatMap(([, each]) => each))]
  const page = Number(url.searchParams.get('page'))
  const results = ids
    .slice((page - 1) * pageSize, page * pageSize)
    .map((id) => ({ id, adult: false }))
  say(response, 200, {
    results,
    page,
    total_pages: Math.ceil(ids.length / pageSize),
    total_results: ids.length,
  })
}

function sayExport({ has }: TmdbServer, url: URL, response: ServerResponse): void {
  const type = (Object.keys(FILES) as TmdbType[]).find((each) =>
    url.pathname.includes(`/${FILES[each]}_`),
  )
  const [year, month, day] = dayOf(Date.now()).split('-')
  if (type === undefined || !url.pathname.endsWith(`_${month}_${day}_${year}.json.gz`)) {
    response.writeHead(403)
    response.end('<Error><Code>AccessDenied</Code></Error>')
    return
  }
  const lines = [...has[type].values()].map(({ id, popularity }) =>
    JSON.stringify({ id, popularity, adult: false }),
  )
  response.end(gzipSync(lines.join('\n')))
}

function say(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json;charset=utf-8' })
  response.end(JSON.stringify(body))
}
