// Numbers and moments for people, in the language of the page.

const languageNow = () => (globalThis.document?.documentElement.lang === 'vi' ? 'vi' : 'en')

const formatsOf = (language: string) => ({
  compact: new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 }),
  plain: new Intl.NumberFormat(language, { maximumFractionDigits: 2 }),
  fixed: [0, 1, 2].map(
    (digits) =>
      new Intl.NumberFormat(language, {
        ...{ minimumFractionDigits: digits, maximumFractionDigits: digits },
      }),
  ),
})
const FORMATS = { en: formatsOf('en'), vi: formatsOf('vi') }

export const plain = (value: number): string => FORMATS[languageNow()].plain.format(value)
export const compact = (value: number): string =>
  Math.abs(value) < 10_000 ? plain(value) : FORMATS[languageNow()].compact.format(value)
/** With exactly so many digits behind the separator. */
export const fixed = (value: number, digits: 0 | 1 | 2): string =>
  FORMATS[languageNow()].fixed[digits]!.format(value)
/** `▲ 12.5 %`, from a share. */
export const changeText = (change: number): string =>
  `${change >= 0 ? '▲' : '▼'} ${fixed(Math.abs(change * 100), 1)} %`

export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1000
  return `${fixed(value, value < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`
}

const AGO = {
  en: { now: 'now', s: 's ago', min: 'min ago', h: 'h ago', d: 'd ago' },
  vi: { now: 'vừa xong', s: 'giây trước', min: 'phút trước', h: 'giờ trước', d: 'ngày trước' },
} as const

/** `3 min ago`, from an instant, in the language of the page. */
export function ago(instant: string | null | undefined): string {
  if (instant === null || instant === undefined) return '–'
  const words = AGO[languageNow()]
  const seconds = (Date.now() - Date.parse(instant)) / 1000
  if (seconds < 5) return words.now
  const steps = [
    [60, 1, 's'],
    [3_600, 60, 'min'],
    [172_800, 3_600, 'h'],
    [Number.POSITIVE_INFINITY, 86_400, 'd'],
  ] as const
  const [, size, unit] = steps.find(([below]) => seconds < below)!
  return `${Math.floor(seconds / size)} ${words[unit]}`
}

export function secondsText(seconds: number | null): string {
  if (seconds === null) return '–'
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 120) return `${fixed(seconds, seconds < 10 ? 1 : 0)} s`
  if (seconds >= 7_200) return `${plain(Math.round(seconds / 360) / 10)} h`
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
}

/** A cell of an answer. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (typeof value === 'number') return plain(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** The moment that a cell means, when it looks like one. */
export function momentOf(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}/.test(value)) return undefined
  const text = value.replace(' ', 'T').replace(/\+00$/, 'Z')
  const ms = Date.parse(/[Z+]/.test(text.slice(10)) || text.length === 10 ? text : `${text}Z`)
  return Number.isNaN(ms) ? undefined : ms
}
