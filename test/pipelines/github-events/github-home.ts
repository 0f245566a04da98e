import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'vitest'
import { mekong, newHome } from '../../cli/run-mekong.ts'

// A home with github-events alone, driven by the command line, and what pandas says should be in it.

const CONFIG = path.join(import.meta.dirname, 'mekong.config.ts')
const folders: string[] = []

export function newFolder(): string {
  folders.push(newHome())
  return folders.at(-1)!
}

export function removeFolders(): void {
  for (const folder of folders.splice(0))
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

export interface Loaded {
  readonly ok: boolean
  readonly bronze: number
  readonly tasks: readonly {
    readonly id: string
    readonly status: string
    readonly facts: Readonly<Record<string, number | string>>
  }[]
}

export const command = (home: string, args: readonly string[]): readonly string[] => [
  ...[...args, '--home', home, '--config', CONFIG, '--json'],
]

export async function runJson<T>(home: string, ...args: string[]): Promise<T> {
  const ran = await mekong(command(home, args))
  expect(ran.code, `${args.join(' ')}: ${ran.out}${ran.err}`).toBe(0)
  return ran.json<T>()
}

export const ask = (home: string, sql: string): Promise<Record<string, never>[]> =>
  runJson(home, 'sql', sql)

export const load = (home: string, files: readonly string[]): Promise<Loaded> =>
  runJson(home, 'load', 'github-events', ...files)

/** All rows of all tables in one line each, without the moments at which they were made. */
export async function digests(home: string): Promise<Record<string, unknown>> {
  const digest = (table: string, without: string, order: string) =>
    `SELECT count(*) AS n, md5(string_agg(CAST(t AS VARCHAR), '' ORDER BY ${order})) AS digest
     FROM (SELECT * EXCLUDE (${without}) FROM ${table}) t`
  const [parsed] = await ask(
    home,
    digest('silver.github_events_parsed', 'processed_at, ingestion_date', 'event_id'),
  )
  const without = 'processed_at, processing_timestamp, ingestion_date'
  const [enriched] = await ask(home, digest('silver.github_events', without, 'event_id'))
  const [gold] = await ask(
    home,
    digest('gold.github_user_activity', 'created_at', 'actor_id, activity_date'),
  )
  return { parsed, enriched, gold }
}

export interface PandasNumbers {
  readonly by_type: Readonly<Record<string, number>>
  readonly by_category: Readonly<Record<string, number>>
  readonly total_score: number
  /** A day of a user each, by actor and date. */
  readonly users: readonly Readonly<Record<string, unknown>>[]
}

/** The numbers of some files, worked out without anything of ours. */
export function numbersByPandas(python: string, files: readonly string[]): PandasNumbers {
  const script = path.join(import.meta.dirname, 'independent.py')
  return JSON.parse(
    execFileSync(python, [script, ...files], { encoding: 'utf8', maxBuffer: 1024 ** 3 }),
  )
}

/** Gold holds exactly these users' days, in every column. */
export async function expectUsers(home: string, { users }: PandasNumbers): Promise<void> {
  const sql =
    'SELECT * EXCLUDE (activity_date, created_at), CAST(activity_date AS VARCHAR) AS date FROM gold.github_user_activity ORDER BY actor_id, activity_date'
  const ours = await runJson<Record<string, unknown>[]>(home, 'sql', sql, '--rows', '100000')
  expect(ours.length).toBe(users.length)
  for (const [index, user] of users.entries()) expect(rounded(ours[index]!)).toEqual(rounded(user))
}

const rounded = (user: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(user)
      .map(
        ([name, value]) => [name, typeof value === 'number' ? +value.toFixed(6) : value] as const,
      )
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
