import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

// A catalog made up for tests: movies with three cast members and two of the crew each, and the people they name.

const ROOT = path.resolve(import.meta.dirname, '../../..')
const MAIN = path.join(ROOT, 'src', 'cli', 'main.ts')

export interface MovieEnvelope {
  movie_id: number
  movie_detail: { title: string; overview: string; [field: string]: unknown }
  casts_info: { person_id: number; character: string }[]
  crews_info: { person_id: number; department: string; job: string }[]
}

export const MOVIE_COUNT = 40
export const PERSON_COUNT = 60

export function movies(): MovieEnvelope[] {
  return Array.from({ length: MOVIE_COUNT }, (_, index) => {
    const person = (step: number) => 1 + ((index * 7 + step * 11) % PERSON_COUNT)
    return {
      movie_id: 1_000 + index,
      movie_detail: {
        id: 1_000 + index,
        title: `Film ${index}`,
        overview: `A story about number ${index} and what became of it.`,
        release_date: `19${50 + index}-05-01`,
        genres: [{ id: 18, name: 'Drama' }],
        popularity: index + 0.5,
        vote_count: index,
      },
      casts_info: [0, 1, 2].map((step) => ({ person_id: person(step), character: `Role ${step}` })),
      crews_info: [
        { person_id: person(3), department: 'Directing', job: 'Director' },
        { person_id: person(3), department: 'Writing', job: 'Screenplay' },
      ],
    }
  })
}

export const people = () =>
  Array.from({ length: PERSON_COUNT }, (_, index) => ({
    person_id: 1 + index,
    person_detail: { id: 1 + index, name: `Person ${1 + index}` },
  }))

export const writeLines = (file: string, rows: readonly unknown[]) =>
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'))

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The command line, as a process of its own. */
export async function mekong(
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...args], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, MEKONG_PORT: '0', ...variables },
      maxBuffer: 64 * 1024 * 1024,
    })
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout, err: stderr }
  }
}

interface TaskView {
  readonly id: string
  readonly status: string
  readonly facts: Readonly<Record<string, number>>
}

/** `mekong load catalog`, and what each task says it did. */
export async function load(
  home: string,
  files: readonly string[],
): Promise<Readonly<Record<string, TaskView>>> {
  const { code, out, err } = await mekong(['load', 'catalog', ...files, '--home', home, '--json'])
  if (code !== 0) throw new Error(`mekong load ended with ${code}: ${err}${out}`)
  const { tasks } = JSON.parse(out) as { tasks: TaskView[] }
  return Object.fromEntries(tasks.map((task) => [task.id, task]))
}

/** Items of each collection that a target holds, after a check that found nothing wrong. */
export async function checkedItems(home: string): Promise<Readonly<Record<string, number>>> {
  const { code, out, err } = await mekong(['sync', 'check', '--home', home, '--json'])
  if (code !== 0) throw new Error(`mekong sync check ended with ${code}: ${out}${err}`)
  const { checks } = JSON.parse(out) as {
    checks: { status: string; collections: { collection: string; found: number }[] }[]
  }
  const wrong = checks.filter(({ status }) => status !== 'equal')
  if (wrong.length > 0) throw new Error(`not equal: ${JSON.stringify(wrong)}`)
  const counts: Record<string, number> = {}
  for (const { collections } of checks)
    for (const { collection, found } of collections)
      counts[collection] = (counts[collection] ?? 0) + found
  return counts
}
