import { UsageError } from './command.ts'

/** The whole number that an option gives, 0 or more; `undefined` when it was not given. @throws UsageError */
export function wholeNumber(text: string | boolean | undefined, name: string): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text !== '' && Number.isSafeInteger(value) && value >= 0) return value
  throw new UsageError(`${name} takes a whole number, not ${JSON.stringify(text)}`)
}

/** The text that an option gives; `undefined` when it was not given. */
export const textOption = (value: string | boolean | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** `1.5 MiB`. */
export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`
}

/** `3 min`, for how long something has been so. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

/** `2026-11-20 10:59:04` in UTC, or a dot for none. */
export const timeText = (iso: string | null): string | null =>
  iso === null ? null : iso.slice(0, 19).replace('T', ' ')

const DURATION_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** The milliseconds that an option gives as `30m`, `12h` or `7d`; `undefined` when it was not given. @throws UsageError */
export function durationOption(
  text: string | boolean | undefined,
  name: string,
): number | undefined {
  if (text === undefined) return undefined
  const match = /^(\d+)([smhd])$/.exec(String(text))
  if (match !== null) return Number(match[1]) * DURATION_MS[match[2]!]!
  throw new UsageError(`${name} takes a time such as 30m, 12h or 7d, not ${JSON.stringify(text)}`)
}

const SIZE_BYTES: Readonly<Record<string, number>> = {
  KB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
}

/** The bytes that an option gives as `64MB` or `2GB`; `undefined` when it was not given. @throws UsageError */
export function bytesOption(text: string | boolean | undefined, name: string): number | undefined {
  if (text === undefined) return undefined
  const match = /^(\d+)\s*(KB|MB|GB)$/i.exec(String(text))
  if (match !== null && Number(match[1]) > 0)
    return Number(match[1]) * SIZE_BYTES[match[2]!.toUpperCase()]!
  throw new UsageError(`${name} takes a size such as 64MB or 2GB, not ${JSON.stringify(text)}`)
}

/** The names that an option gives, separated by commas; `undefined` when it was not given. @throws UsageError */
export function namesOption(
  text: string | boolean | undefined,
  name: string,
): readonly string[] | undefined {
  if (text === undefined) return undefined
  const names = String(text)
    .split(',')
    .map((each) => each.trim())
  if (names.every((each) => each !== '')) return names
  throw new UsageError(`${name} takes names separated by commas, not ${JSON.stringify(text)}`)
}
