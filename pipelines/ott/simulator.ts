import type { SimulatedFile, SimulatorPlan } from 'mekong'

// A month of viewing and two of searching, as the files that the operator exports, with everything that is wrong with them in life. The same seed
// and count give the same files to the byte, so playing them again changes nothing.

/** April 2022, and the first fourteen days of June and July, as the original's samples. */
const CONTENT_DAYS = daysOf('202204', 30)
const SEARCH_DAYS = [...daysOf('202206', 14), ...daysOf('202207', 14)]

const APPS = [
  ...weighted('CHANNEL', 40),
  ...[...weighted('VOD', 20), ...weighted('KPLUS', 8), ...weighted('KPlus', 1)],
  ...[...weighted('DSHD', 5), ...weighted('FIMS', 5), ...weighted('FIMS_RES', 2)],
  ...[...weighted('BHD', 3), ...weighted('BHD_RES', 1), ...weighted('VOD_RES', 1)],
  ...[
    ...weighted('DANET', 2),
    ...weighted('RELAX', 5),
    ...weighted('CHILD', 5),
    ...weighted('SPORT', 4),
  ],
]

const KEYWORDS = [
  ...[
    'vtv1',
    'vtv 3',
    'thvl1',
    'kênh htv7',
    'k+ sport',
    'bóng đá trực tiếp',
    'bong da',
    'việt nam vs thái lan',
  ],
  ...[
    'u23 việt nam',
    'real madrid',
    'running man',
    'runingman',
    '2 ngày 1 đêm',
    'rap việt',
    'doraemon',
    'conan',
  ],
  ...[
    'đảo hải tặc',
    'naruto',
    'hạ cánh nơi anh',
    'penthouse',
    'vincenzo',
    'tam sinh tam thế',
    'triệu lộ tư',
  ],
  ...[
    'trạng quỷnh hài',
    'hoài linh',
    'karaoke',
    'nhạc trẻ remix',
    'cải lương',
    'phim ma',
    'annabelle',
  ],
  ...[
    'người nhện',
    'john wick',
    'thời sự',
    'tin tức',
    'yêu em từ cái nhìn đầu tiên',
    'thương ngày nắng về tập 12',
  ],
  ...['Doraemon', ' VTV1 ', 'lời nguyền', 'gia đình', 'hoạt hình', 'kjsdhf'],
]

/** Searches beside the views: about one to three, as in the original. */
const SEARCH_SHARE = 0.25

export const simulator: SimulatorPlan = {
  eventCountDefault: 60_000,
  files: ({ seed, eventCount }) => {
    const searchCount = Math.round(eventCount * SEARCH_SHARE)
    const content = CONTENT_DAYS.map((day, index) =>
      contentFile(day, seed * 1_000 + index, share(eventCount - searchCount, CONTENT_DAYS, index)),
    )
    const search = SEARCH_DAYS.map((day, index) =>
      searchFile(day, seed * 1_000 + 500 + index, share(searchCount, SEARCH_DAYS, index)),
    )
    return [...content, ...search]
  },
}

/** Every fifth day is flat and every seventh compressed, so that both are seen. */
function contentFile(day: string, seed: number, count: number): SimulatedFile {
  const date = Number(day.slice(6))
  return {
    path: `log_content/${day}.json${date % 7 === 0 ? '.gz' : ''}`,
    rows: contentLines({ day, seed, count, isFlat: date % 5 === 0 }),
  }
}

interface ContentDay {
  readonly day: string
  readonly seed: number
  readonly count: number
  readonly isFlat: boolean
}

function* contentLines({ day, seed, count, isFlat }: ContentDay): Generator<object | string> {
  const random = randomFrom(seed)
  let before: object | undefined
  for (let index = 0; index < count; index += 1) {
    const dice = random()
    if (dice < 0.001) {
      yield BROKEN[Math.floor(random() * BROKEN.length)]!
      continue
    }
    if (dice < 0.006 && before !== undefined) {
      yield before
      continue
    }
    const source = view(random, count)
    const app = source.AppName ?? 'unknown'
    const envelope = {
      _index: 'history',
      _type: app.toLowerCase(),
      _id: `AX_${day}_${index}`,
      _score: 0,
    }
    before = isFlat ? { ...envelope, ...source } : { ...envelope, _source: source }
    yield before
  }
}

const BROKEN = [
  '{"_index":"history","_type":"vod","_id":"AX_1","_sour',
  'null',
  '[]',
  '{"_index": history}',
]

/** One device of one contract on one day: what is wrong with some of them is wrong in the samples. */
function view(random: () => number, count: number) {
  const contractCount = Math.max(20, Math.floor(count * 0.9))
  const number = Math.floor(random() ** 1.5 * contractCount)
  return {
    Contract: contractOf(random, number),
    Mac: random() < 0.002 ? 'NULL' : macOf(number),
    TotalDuration: durationOf(random),
    AppName: appOf(random),
  }
}

function contractOf(random: () => number, number: number): string | null {
  const dice = random()
  if (dice < 0.006) return '0'
  if (dice < 0.009) return null
  if (dice < 0.011) return 'NULL'
  if (dice < 0.02) return `113.182.${number % 256}.${Math.floor(number / 256) % 256}`
  return `HN${'HXADE'[number % 5]}${String(number).padStart(6, '0')}`
}

function durationOf(random: () => number): number | null {
  const dice = random()
  if (dice < 0.004) return 86_400
  if (dice < 0.0055) return -Math.ceil(random() * 1_000)
  if (dice < 0.0065) return 86_401 + Math.floor(random() * 100_000)
  if (dice < 0.007) return null
  if (dice < 0.02) return 0
  return Math.ceil(random() ** 3 * 20_000)
}

function appOf(random: () => number): string | null {
  const dice = random()
  if (dice < 0.004) return null
  if (dice < 0.01) return ['RADIO', 'GAME', 'kplus'][Math.floor(random() * 3)]!
  return APPS[Math.floor(random() * APPS.length)]!
}

const macOf = (number: number) =>
  (0x00_11_aa_00_00_00 + number).toString(16).toUpperCase().padStart(12, '0')

function searchFile(day: string, seed: number, count: number): SimulatedFile {
  return { path: `log_search/${day}/part-00000.parquet`, rows: searchRows(day, seed, count) }
}

function* searchRows(day: string, seed: number, count: number): Generator<object> {
  const random = randomFrom(seed)
  const isJuly = day.startsWith('202207')
  let before: object | undefined
  for (let index = 0; index < count; index += 1) {
    if (random() < 0.005 && before !== undefined) {
      yield before
      continue
    }
    const user =
      Math.floor(random() ** 2 * Math.max(20, count * 3)) + (isJuly ? Math.floor(count / 4) : 0)
    before = {
      eventID: `ev-${day}-${index}`,
      datetime: momentOf(random, day),
      user_id: userOf(random, user),
      keyword: keywordOf(random, user),
      category: 'enter',
      proxy_isp: 'vnpt',
      platform: ['fplay-ottbox-2019', 'android', 'ios', 'smarttv-sony'][user % 4],
      networkType: random() < 0.5 ? 'ethernet' : 'wifi',
      action: 'search',
      userPlansMap: user % 9 === 0 ? ['MAX:Premium'] : [],
    }
    yield before
  }
}

/** Some clients count years from the Buddha. */
function momentOf(random: () => number, day: string): string {
  const year = Number(day.slice(0, 4)) + (random() < 0.01 ? 543 : 0)
  const two = (value: number) => String(value).padStart(2, '0')
  const second = Math.floor(random() * 86_400)
  const time = [second / 3_600, (second / 60) % 60, second % 60].map((part) =>
    two(Math.floor(part)),
  )
  return `${year}-${day.slice(4, 6)}-${day.slice(6)} ${time.join(':')}`
}

function userOf(random: () => number, user: number): string | null {
  const dice = random()
  if (dice < 0.01) return null
  return dice < 0.015 ? 'NULL' : String(1_000_000 + user)
}

/** People come back to what they like, so that there is a favourite. */
function keywordOf(random: () => number, user: number): string | null {
  const dice = random()
  if (dice < 0.02) return null
  if (dice < 0.03) return dice < 0.025 ? '  ' : 'NULL'
  const liked = (user * 7) % KEYWORDS.length
  return KEYWORDS[random() < 0.5 ? liked : Math.floor(random() * KEYWORDS.length)]!
}

function share(total: number, days: readonly string[], index: number): number {
  return Math.floor((total * (index + 1)) / days.length) - Math.floor((total * index) / days.length)
}

function daysOf(month: string, count: number): readonly string[] {
  return Array.from(
    { length: count },
    (_, index) => `${month}${String(index + 1).padStart(2, '0')}`,
  )
}

function weighted<T>(value: T, times: number): readonly T[] {
  return Array.from({ length: times }, () => value)
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
