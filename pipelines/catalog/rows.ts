import type { Json, SyncRow } from 'mekong'

/** A list without nulls; one value is a list of one, none an empty one. */
export function listOf(value: Json | undefined): readonly Json[] {
  if (value === null || value === undefined) return []
  return Array.isArray(value) ? value.filter((each) => each !== null) : [value]
}

export const textOf = (value: Json | undefined): string | null =>
  typeof value === 'string' && value !== '' ? value : null

export const castsOf = (row: SyncRow) => listOf(row.casts) as readonly SyncRow[]
export const crewsOf = (row: SyncRow) => listOf(row.crews) as readonly SyncRow[]

/** Names of a list of {id, name}. */
export const namesOf = (value: Json | undefined): readonly string[] =>
  (listOf(value) as readonly SyncRow[]).flatMap(({ name }) => textOf(name) ?? [])

/** The year of a day, or null. */
export const yearOf = (day: Json | undefined): number | null =>
  typeof day === 'string' && /^\d{4}-/.test(day) ? Number(day.slice(0, 4)) : null
