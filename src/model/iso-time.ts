/**
 * ISO 8601 texts, checked by character codes because every record of a busy topic passes here. Accepted
 * is what PostgreSQL, DuckDB and JavaScript all read alike; what one of them would guess at is refused.
 */

const ZERO = 48
const DASH = 45
const COLON = 58
const POINT = 46
const PLUS = 43

/** Fraction digits of a second that an instant may have; tables keep six, the rest is cut off. */
const FRACTION_DIGIT_COUNT_MAX = 9

/**
 * Whether `text` is an instant: `YYYY-MM-DD`, `T` or a space, `hh:mm:ss`, up to nine fraction digits, and a zone
 * (`Z`, `+hh`, `+hhmm` or `+hh:mm`). Years 0001 to 9999; no leap seconds, because no store keeps them.
 */
export function isInstant(text: string): boolean {
  if (text.length < 20 || !isCalendarDayAt(text)) return false
  const separator = text.charCodeAt(10)
  if (separator !== 84 && separator !== 32) return false
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return false
  if (!between(twoDigits(text, 11), 0, 23)) return false
  if (!between(twoDigits(text, 14), 0, 59) || !between(twoDigits(text, 17), 0, 59)) return false
  let at = 19
  if (text.charCodeAt(at) === POINT) {
    const start = at + 1
    at = start
    while (isDigit(text.charCodeAt(at))) at += 1
    if (at === start || at - start > FRACTION_DIGIT_COUNT_MAX) return false
  }
  return isZoneAt(text, at)
}

const MOMENT =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i

/**
 * A moment as people write one: a day, or a day and a time with or without seconds; without a zone it is UTC. Milliseconds since 1970,
 * what is finer cut off; `undefined` for anything else.
 */
export function momentMs(text: string): number | undefined {
  const match = MOMENT.exec(text.trim())
  if (match === null || !isCalendarDay(match[1]!)) return undefined
  const [, day, time = '00:00', seconds = '00', fraction = '', zone = 'Z'] = match
  const offset = /^([+-]\d\d):?(\d\d)?$/.exec(zone)
  const zoned = offset === null ? 'Z' : `${offset[1]}:${offset[2] ?? '00'}`
  const millis = fraction.padEnd(3, '0').slice(0, 3)
  const ms = Date.parse(`${day}T${time}:${seconds}.${millis}${zoned}`)
  return Number.isNaN(ms) ? undefined : ms
}

/** Whether `text` is a day of the calendar as `YYYY-MM-DD`, years 0001 to 9999. */
export function isCalendarDay(text: string): boolean {
  return text.length === 10 && isCalendarDayAt(text)
}

function isCalendarDayAt(text: string): boolean {
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return false
  const century = twoDigits(text, 0)
  const rest = twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  if (century < 0 || rest < 0 || !between(month, 1, 12)) return false
  const year = century * 100 + rest
  return year >= 1 && between(day, 1, dayCountOf(year, month))
}

function dayCountOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function isZoneAt(text: string, at: number): boolean {
  const sign = text.charCodeAt(at)
  if (sign === 90) return text.length === at + 1
  if (sign !== PLUS && sign !== DASH) return false
  if (!between(twoDigits(text, at + 1), 0, 15)) return false
  if (text.length === at + 3) return true
  const minutesAt = text.charCodeAt(at + 3) === COLON ? at + 4 : at + 3
  return text.length === minutesAt + 2 && between(twoDigits(text, minutesAt), 0, 59)
}

/** The number that two digits spell, or -1. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at)
  const ones = text.charCodeAt(at + 1)
  return isDigit(tens) && isDigit(ones) ? (tens - ZERO) * 10 + ones - ZERO : -1
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= 57
}

function between(value: number, min: number, max: number): boolean {
  return value >= min && value <= max
}
