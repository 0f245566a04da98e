import type { BackfillPart, BackfillRequest } from '../../model/backfill.ts'
import { BackfillInvalidError } from '../errors.ts'

const DAY_MS = 86_400_000
/** Ten years of days; more parts than this are meant to be larger ones. */
const PART_COUNT_MAX = 4_000

type Stretch = Pick<BackfillRequest, 'unit' | 'from' | 'to' | 'partSize'>

/** The parts of a stretch, oldest first, the last one shorter where it does not come out even. Pure. @throws BackfillInvalidError */
export function backfillParts({ unit, from, to, partSize }: Stretch): readonly BackfillPart[] {
  const read = unit === 'days' ? dayNumber : versionNumber
  const write = unit === 'days' ? dayText : String
  const [first, last] = [read(from), read(to)]
  if (!(Number.isInteger(partSize) && partSize >= 1))
    throw new BackfillInvalidError(`A part has a whole number of ${unit}, not ${partSize}.`)
  if (first > last) throw new BackfillInvalidError(`${from} is after ${to}.`)
  const count = Math.ceil((last - first + 1) / partSize)
  if (count > PART_COUNT_MAX)
    throw new BackfillInvalidError(
      `${from} to ${to} makes ${count} parts, and ${PART_COUNT_MAX} are allowed. Make each of them larger.`,
    )
  return Array.from({ length: count }, (_, position) => {
    const start = first + position * partSize
    const end = Math.min(last, start + partSize - 1)
    return { position, from: write(start), to: write(end), status: 'waiting', runId: null }
  })
}

const dayText = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10)

function dayNumber(text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN
  // What is no day of the calendar, such as 30 February, comes back as another one.
  if (Number.isNaN(ms) || dayText(ms / DAY_MS) !== text)
    throw new BackfillInvalidError(`"${text}" is no day; write YYYY-MM-DD.`)
  return ms / DAY_MS
}

function versionNumber(text: string): number {
  const version = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(version))
    throw new BackfillInvalidError(`"${text}" is no version; write a whole number from 0.`)
  return version
}
