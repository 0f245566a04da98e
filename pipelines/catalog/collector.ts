import { createHash } from 'node:crypto'
import type {
  Collected,
  CollectItem,
  CollectList,
  Collector,
  CollectorPlan,
  CollectRequest,
  ListedItem,
  SourceClient,
} from 'mekong'
import { recordOfDetail } from './loader.ts'
import type { DataType } from './schema.ts'

/** What TMDB calls what we call, and what comes along in one request. */
const TYPES = {
  movie: {
    type: 'movie',
    file: 'movie_ids',
    path: '/catalog/movies',
    along: 'credits,videos,images',
  },
  tv: {
    type: 'tv_series',
    file: 'tv_series_ids',
    path: '/catalog/tv-series',
    along: 'credits,videos,images',
  },
  person: { type: 'person', file: 'person_ids', path: '/catalog/people', along: 'images' },
} as const satisfies Record<string, { type: DataType; file: string; path: string; along: string }>
type TmdbType = keyof typeof TYPES

const DAY_MS = 86_400_000
/** Most that TMDB tells of changes in one question. */
const CHANGES_DAYS_MAX = 14
/** Its most too; a window with more is asked for in halves. */
const CHANGES_PAGES_MAX = 1_000
const ITEMS_PER_PAGE = 5_000

/** TMDB, version 3 of its API (https://developer.themoviedb.org/reference): id exports, changes, details with credits. */
export const collector: CollectorPlan = {
  description: 'movies, series and people of TMDB, with their credits',
  types: Object.keys(TYPES),
  ways: ['changes', 'ids'],
  variables: {
    TMDB_API_KEY: 'API key (v3), or read access token (v4), of TMDB.',
    TMDB_ACCESS_TOKEN: 'Read access token (v4) of TMDB, in place of the key.',
    TMDB_URL: 'Where the API answers, if not at https://api.themoviedb.org/3.',
    TMDB_EXPORTS_URL: 'Where the id exports lie, if not at https://files.tmdb.org/p/exports.',
    TMDB_LANGUAGE: 'Language of titles and texts, en-US by default.',
  },
  needsOneOf: ['TMDB_API_KEY', 'TMDB_ACCESS_TOKEN'],
  without:
    'A key is free for personal use: https://www.themoviedb.org/settings/api. Without one, "mekong load catalog FILES" reads files and "mekong demo" plays a made-up TMDB.',
  // TMDB asks for not more than about 40 a second.
  limits: { requestsPerSecond: 35, requestsAtOnce: 8 },
  open: tmdb,
}

function tmdb(variables: Readonly<Record<string, string | undefined>>): Collector {
  const url = variables.TMDB_URL || 'https://api.themoviedb.org/3'
  const exportsUrl = variables.TMDB_EXPORTS_URL || 'https://files.tmdb.org/p/exports'
  const language = variables.TMDB_LANGUAGE || 'en-US'
  const key = variables.TMDB_ACCESS_TOKEN || variables.TMDB_API_KEY || ''
  // A token is a JWT and goes into a header; a key is 32 digits and goes into the query.
  const secrets = key.startsWith('eyJ')
    ? { secretHeaders: { authorization: `Bearer ${key}` } }
    : { secretParameters: { api_key: key } }
  const ask = (source: SourceClient, path: string, parameters: Record<string, string>) =>
    source.json({ url: `${url}${path}`, parameters, ...secrets })

  /** Changed ids of some days, both ends included, page by page. */
  async function* changed(
    source: SourceClient,
    type: TmdbType,
    fromMs: number,
    toMs: number,
  ): AsyncGenerator<readonly CollectItem[]> {
    for (let startMs = fromMs; startMs <= toMs; startMs += CHANGES_DAYS_MAX * DAY_MS) {
      const endMs = Math.min(toMs, startMs + (CHANGES_DAYS_MAX - 1) * DAY_MS)
      const days = { start_date: dayOf(startMs), end_date: dayOf(endMs) }
      for (let page = 1, pages = 1; page <= pages; page += 1) {
        const answer = await ask(source, `/${type}/changes`, { ...days, page: String(page) })
        if (answer.status === 'missing') break
        const body = answer.body as { results: { id: number | null }[]; total_pages: number }
        pages = body.total_pages
        if (pages > CHANGES_PAGES_MAX && endMs > startMs) {
          const middleMs = startMs + Math.floor((endMs - startMs) / DAY_MS / 2) * DAY_MS
          yield* changed(source, type, startMs, middleMs)
          yield* changed(source, type, middleMs + DAY_MS, endMs)
          break
        }
        pages = Math.min(pages, CHANGES_PAGES_MAX)
        yield body.results.flatMap(({ id }) => (id === null ? [] : { type, key: String(id) }))
      }
    }
  }

  /** The ids of the newest export: of today, or of yesterday before it is there (at about 8:00 UTC). */
  async function* exported(
    source: SourceClient,
    type: TmdbType,
    nowMs: number,
    note: string,
  ): AsyncGenerator<readonly CollectItem[]> {
    for (const ms of [nowMs, nowMs - DAY_MS, nowMs - 2 * DAY_MS]) {
      const [year, month, day] = dayOf(ms).split('-')
      const file = `${exportsUrl}/${TYPES[type].file}_${month}_${day}_${year}.json.gz`
      const answer = await source.lines({ url: file, missingStatuses: [403, 404] })
      if (answer.status === 'missing') continue
      let page: CollectItem[] = []
      for await (const line of answer.body) {
        const { id, popularity } = JSON.parse(line) as { id: number; popularity?: number }
        page.push({ type, key: String(id), rank: popularity ?? 0, note })
        if (page.length < ITEMS_PER_PAGE) continue
        yield page
        page = []
      }
      yield page
      return
    }
    throw new Error(`${exportsUrl} has no export of ${TYPES[type].file} of the last three days.`)
  }

  return {
    lists(request, source, marks): readonly CollectList[] {
      return request.types.map((name): CollectList => {
        const type = name as TmdbType
        if (request.way === 'ids') return named(type, request.ids)
        if (request.way === 'all') {
          const mark = { name: `export:${type}`, value: dayOf(request.nowMs) }
          // What the first export has was there before we looked; what later ones have besides is new.
          const note = marks.has(mark.name) ? 'new' : 'old'
          const items = () => exported(source, type, request.nowMs, note)
          return { type, mark, items, onlyUnknown: true, isOnce: false }
        }
        const { fromMs, mark } = changesSince(request, type, marks)
        const items = () => changed(source, type, fromMs, request.nowMs)
        return { type, mark, items, onlyUnknown: false, isOnce: false }
      })
    },

    async fetch(item, source): Promise<Collected> {
      const { along } = TYPES[item.type as TmdbType]
      const parameters = { language, append_to_response: along, include_image_language: 'en,null' }
      const answer = await ask(source, `/${item.type}/${item.key}`, parameters)
      if (answer.status === 'missing') return gone(item, answer.atMs)
      return found(item, answer.body as Readonly<Record<string, unknown>>, answer.atMs)
    },
  }
}

function named(type: TmdbType, ids: readonly string[]): CollectList {
  async function* items() {
    yield ids.map((key) => ({ type, key }))
  }
  const mark = { name: `ids:${type}`, value: ids.join(',') }
  return { type, mark, items, onlyUnknown: false, isOnce: true }
}

/** From the day asked for, or the day up to which we know, or yesterday. The mark moves only where it leaves no gap. */
function changesSince(
  { since, nowMs }: CollectRequest,
  type: TmdbType,
  marks: ReadonlyMap<string, string>,
): { readonly fromMs: number; readonly mark: CollectList['mark'] } {
  const [seen] = (marks.get(`changes:${type}`) ?? '').split(' ')
  const known = seen || marks.get(`export:${type}`)
  const from = since ?? known ?? dayOf(nowMs - DAY_MS)
  const isGap = known !== undefined && from > known
  // A moment, not a day: the day is not over, and the same question later has another answer.
  const value = `${isGap ? known : dayOf(nowMs)} ${nowMs}`
  return { fromMs: Date.parse(`${from}T00:00:00Z`), mark: { name: `changes:${type}`, value } }
}

function found(item: ListedItem, body: Readonly<Record<string, unknown>>, atMs: number): Collected {
  const { type, path } = TYPES[item.type as TmdbType]
  if (body.id !== Number(item.key))
    throw new Error(`TMDB answered ${item.type} ${item.key} with something else.`)
  const content = recordOfDetail(type, body)
  const label = item.isKnown ? 'change' : item.note === 'old' ? 'old' : 'new'
  return { content, events: [{ path, event: envelope(type, label, content, atMs) }] }
}

function gone(item: ListedItem, atMs: number): Collected {
  const { type, path } = TYPES[item.type as TmdbType]
  const content = { [`${type}_id`]: Number(item.key) }
  const event = envelope(type, 'delete', content, atMs)
  return { content, events: [{ path, event }], isGone: true }
}

/** A record named after what it says and when, so that it is one record however often it is sent. */
function envelope(type: DataType, data_label: string, content: object, atMs: number) {
  const timestamp = `${new Date(atMs).toISOString().slice(0, 19)}Z`
  const whole = { data_type: type, data_label, timestamp, ...content }
  const digest = createHash('sha256').update(JSON.stringify(whole)).digest('hex').slice(0, 40)
  return { ...whole, record_id: `${type}-${digest}` }
}

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)
