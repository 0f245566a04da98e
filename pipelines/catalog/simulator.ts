import type { SimulatedRequest, SimulatorPlan } from 'mekong'
import type { CatalogRecord, DataType } from './schema.ts'
import { someMovie, somePerson, someSeries } from './simulated-titles.ts'

const RECORDS_PER_REQUEST = 100
/** Above every id that TMDB has given out, so that made-up titles never meet real ones. */
const FIRST_ID = 900_000_000
const PATHS: Readonly<Record<DataType, string>> = {
  movie: '/catalog/movies',
  tv_series: '/catalog/tv-series',
  person: '/catalog/people',
}

/**
 * TMDB over a year and a bit: known titles and people, new ones, changes and deletions, of all three types, mixed and out of order. Changes come late
 * now and then and must lose, people come after the films that name them, some records are sent twice, and a few are broken.
 */
export const simulator: SimulatorPlan = {
  eventCountDefault: 3_000,
  *requests({ seed, eventCount }): Generator<SimulatedRequest> {
    const random = randomFrom(seed)
    const known: Record<DataType, number> = { movie: 0, tv_series: 0, person: 0 }
    const waiting: Record<DataType, (object | string)[]> = { movie: [], tv_series: [], person: [] }
    const sent: { type: DataType; record: object }[] = []
    for (let index = 0; index < eventCount; index += 1) {
      const dice = random()
      const type = typeOf(random())
      if (dice < 0.004) waiting[type].push(brokenRecord(random, type))
      else if (dice < 0.014 && sent.length > 0) {
        const again = sent[Math.floor(random() * sent.length)]!
        waiting[again.type].push(again.record)
      } else {
        const record = someRecord(random, type, known, `sim-${seed}-${index}`)
        waiting[type].push(record)
        if (sent.length < 500) sent.push({ type, record })
      }
      for (const [of, records] of Object.entries(waiting) as [DataType, object[]][]) {
        if (records.length < RECORDS_PER_REQUEST) continue
        yield { path: PATHS[of], events: records.splice(0) }
      }
    }
    for (const [of, records] of Object.entries(waiting) as [DataType, object[]][])
      if (records.length > 0) yield { path: PATHS[of], events: records }
  },
}

const typeOf = (dice: number): DataType =>
  dice < 0.5 ? 'person' : dice < 0.9 ? 'movie' : 'tv_series'

function someRecord(
  random: () => number,
  type: DataType,
  known: Record<DataType, number>,
  record_id: string,
): CatalogRecord {
  const isKnown = known[type] > 20 && random() < 0.25
  const number = isKnown ? Math.floor(random() * known[type]) : known[type]
  if (!isKnown) known[type] += 1
  const id = FIRST_ID + number
  const isGone = isKnown && random() < 0.03
  const data_label = isGone ? 'delete' : isKnown ? 'change' : random() < 0.8 ? 'old' : 'new'
  // A change that comes late was made before what is known already.
  const isOld = data_label === 'old' || (data_label === 'change' && random() < 0.15)
  const timestamp = momentIn(random, isOld ? OLD : NEW)
  const common = { data_type: type, data_label, timestamp, record_id } as const
  const peopleCount = Math.max(1, Math.round(known.person * 1.1))
  const person = () => FIRST_ID + Math.floor(random() ** 2 * peopleCount)
  if (isGone) return { ...common, [`${type}_id`]: id }
  if (type === 'person')
    return { ...common, person_id: id, person_detail: { id, ...somePerson(random) } }
  if (type === 'movie') {
    const { credits, ...detail } = someMovie(random, person)
    return { ...common, movie_id: id, movie_detail: { id, ...detail }, ...credits }
  }
  const { credits, ...detail } = someSeries(random, person)
  return { ...common, tv_series_id: id, tv_series_detail: { id, ...detail }, ...credits }
}

/** As the original imitated them: what was known during 2025, what came after until 20 February 2026. */
const OLD = ['2025-01-01T00:00:00Z', '2025-12-31T23:59:59Z'] as const
const NEW = ['2026-01-01T00:00:00Z', '2026-02-20T23:59:59Z'] as const

function momentIn(random: () => number, [from, to]: readonly [string, string]): string {
  const start = Date.parse(from)
  const ms = start + Math.floor(random() * (Date.parse(to) - start))
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

function brokenRecord(random: () => number, type: DataType): object | string {
  const timestamp = '2026-01-15T12:00:00Z'
  const common = { data_type: type, data_label: 'new', timestamp }
  const broken: (object | string)[] = [
    `{"data_type":"${type}","data_label":"new","timest`,
    { ...common, data_type: 'podcast' },
    { ...common, timestamp: 'yesterday', [`${type}_id`]: 5, [`${type}_detail`]: {} },
    { ...common, [`${type}_detail`]: { title: 'A title without an id' } },
    {
      ...common,
      [`${type}_id`]: FIRST_ID,
      [`${type}_detail`]: { success: false, status_code: 34 },
    },
  ]
  return broken[Math.floor(random() * broken.length)]!
}

/** Numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
