// Numbers and moments for people.

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const PLAIN = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })

export const compact = (value: number): string =>
  Math.abs(value) < 10_000 ? PLAIN.format(value) : COMPACT.format(value)
export const plain = (value: number): string => PLAIN.format(value)

export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1000
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

const AGO = {
  en: { now: 'now', s: 's ago', min: 'min ago', h: 'h ago', d: 'd ago' },
  vi: { now: 'vừa xong', s: 'giây trước', min: 'phút trước', h: 'giờ trước', d: 'ngày trước' },
} as const

/** `3 min ago`, from an instant, in the language of the page. */
export function ago(instant: string | null | undefined): string {
  if (instant === null || instant === undefined) return '–'
  const words = AGO[document.documentElement.lang === 'vi' ? 'vi' : 'en']
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
  if (seconds < 120) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
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
