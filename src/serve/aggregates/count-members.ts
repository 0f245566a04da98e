import type { DatabaseSync } from 'node:sqlite'
import {
  type ALL_TIME,
  MINUTES_OF_GRAIN,
  PERIODS,
  type Period,
  periodBeside,
  periodStart,
  STEP_OF_PERIOD,
} from '../../model/aggregates.ts'

// Distinct values, exactly, whatever comes and goes in whatever order. All that is kept is when each value was seen. One that is seen in a
// minute changes the count of a period only if the period did not see it before that minute: then it counts there from now on, and no
// longer where the period saw it next. So the two sightings beside the minute decide for all periods at once. Taking a sighting away is the same, backwards.

/** By period: the change of each step's count. */
export type MemberMoves = Readonly<Record<Period | typeof ALL_TIME, ReadonlyMap<number, number>>>

type Moves = Record<Period | typeof ALL_TIME, Map<number, number>>

/** Take in sightings: a JSON array of `[member, minute, rows that came less rows that went]`. Changes `members` and `member_months`. */
export function countMembers(database: DatabaseSync, measure: number, rows: string): MemberMoves {
  const kept = sightings(database, measure)
  const moves: Moves = {
    hour: new Map(),
    day: new Map(),
    week: new Map(),
    month: new Map(),
    all: new Map(),
  }
  const periodsOf = calendar()
  for (const [member, minute, change] of JSON.parse(rows) as [string, number, number][]) {
    const periods = periodsOf(minute)
    const { start: month, end: monthEnd } = periods.month
    const sign = kept.change(month, member, minute, change)
    if (sign === 0) continue
    const { before, after } = kept.beside(month, member, minute)
    if (before === null && after === null) add(moves.all, 0, kept.changeMonths(member, sign))
    // A week may begin in the month before, or end in the next.
    const { week } = periods
    const earlier = before ?? (week.start < month ? kept.last(previous(month), member) : null)
    const later = after ?? (week.end > monthEnd ? kept.first(monthEnd, member) : null)
    for (const period of PERIODS) {
      const { start, end } = periods[period]
      if (earlier !== null && earlier >= start) continue
      const width = MINUTES_OF_GRAIN[STEP_OF_PERIOD[period]]
      add(moves[period], stepOf(minute, width), sign)
      if (later !== null && later < end) add(moves[period], stepOf(later, width), -sign)
    }
  }
  return moves
}

const stepOf = (minute: number, width: number) => Math.floor(minute / width) * width

const previous = (month: number) => periodBeside('month', month, -1)

function add(moves: Map<number, number>, step: number, change: number): void {
  moves.set(step, (moves.get(step) ?? 0) + change)
}

interface Bounds {
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

/** The periods that hold a minute; those of one hour are found once. */
function calendar(): (minute: number) => Readonly<Record<Period, Bounds>> {
  const known = new Map<number, Record<Period, Bounds>>()
  return (minute) => {
    const hour = stepOf(minute, 60)
    let found = known.get(hour)
    if (found === undefined) {
      const boundsOf = (period: Period) => {
        const start = periodStart(period, minute)
        return { start, end: periodBeside(period, start, 1) }
      }
      found = {
        hour: boundsOf('hour'),
        day: boundsOf('day'),
        week: boundsOf('week'),
        month: boundsOf('month'),
      }
      known.set(hour, found)
    }
    return found
  }
}

/** When values were seen, in the file. */
function sightings(database: DatabaseSync, measure: number) {
  const of = `FROM members WHERE measure = ${measure} AND month = ?1 AND member = ?2`
  const beside = database.prepare(
    `SELECT (SELECT max(minute) ${of} AND minute < ?3) AS before, (SELECT min(minute) ${of} AND minute > ?3) AS after`,
  )
  const count = database.prepare(`SELECT count ${of} AND minute = ?3`)
  const insert = database.prepare(
    `INSERT INTO members VALUES (${measure}, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  )
  const update = database.prepare(
    `UPDATE members SET count = ?4 WHERE measure = ${measure} AND month = ?1 AND member = ?2 AND minute = ?3`,
  )
  const remove = database.prepare(`DELETE ${of} AND minute = ?3`)
  const end = (which: 'min' | 'max') => {
    const statement = database.prepare(`SELECT ${which}(minute) AS minute ${of}`)
    return (month: number, member: string) => statement.get(month, member)!.minute as number | null
  }
  const changeMonths = database.prepare(
    `INSERT INTO member_months VALUES (${measure}, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count RETURNING count`,
  )
  const removeMonths = database.prepare(
    `DELETE FROM member_months WHERE measure = ${measure} AND member = ?`,
  )
  return {
    /** So many more rows saw it in a minute, or fewer. Says whether it was not seen then before, 1, or is not any more, -1. */
    change(month: number, member: string, minute: number, rows: number): 0 | 1 | -1 {
      if (rows > 0 && insert.run(month, member, minute, rows).changes === 1) return 1
      const known = count.get(month, member, minute)?.count as number | undefined
      if (known === undefined) return 0
      if (known + rows > 0) update.run(month, member, minute, known + rows)
      else remove.run(month, member, minute)
      return known + rows > 0 ? 0 : -1
    },
    /** The sightings before and after a minute in its month. */
    beside: (month: number, member: string, minute: number) =>
      beside.get(month, member, minute) as unknown as Beside,
    first: end('min'),
    last: end('max'),
    /** It was seen in a month more, or less. Says whether it is new to all time, 1, or gone from it, -1. */
    changeMonths(member: string, sign: 1 | -1): 0 | 1 | -1 {
      const { count } = changeMonths.get(member, sign) as { count: number }
      if (count <= 0) removeMonths.run(member)
      return count === 0 || (count === 1 && sign === 1) ? sign : 0
    },
  }
}

interface Beside {
  readonly before: number | null
  readonly after: number | null
}
