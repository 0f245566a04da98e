import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadChdb } from '../../../src/serve/clickhouse/embedded.ts'
import {
  checkedItems,
  load,
  MOVIE_COUNT,
  type MovieEnvelope,
  mekong,
  movies,
  PERSON_COUNT,
  people,
  writeLines,
} from './small-catalog.ts'

// The catalog pipeline as its users meet it: files in, and tables, graph and vectors that hold the same; then only what changed is sent.

const SHARED = path.resolve(import.meta.dirname, '../../../../shared/data/movies/tmdb')

interface Given {
  readonly name: string
  readonly movies: MovieEnvelope[]
  readonly people: readonly unknown[]
  readonly peopleCount: number
}

const lines = <T>(file: string): T[] =>
  gunzipSync(readFileSync(path.join(SHARED, file)))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)

const given: Given[] = [
  { name: 'made up', movies: movies(), people: people(), peopleCount: PERSON_COUNT },
]
if (existsSync(SHARED)) {
  const real = lines<MovieEnvelope>('movies.envelope.jsonl.gz')
  const persons = lines<unknown>('persons.envelope.jsonl.gz')
  given.push({ name: 'TMDB', movies: real, people: persons, peopleCount: persons.length })
} else
  console.log('The TMDB files are not beside the project: the made-up catalog alone is tested.')

describe.each(given)('a catalog: $name', { timeout: 240_000 }, (catalog) => {
  let home: string
  const file = (name: string) => path.join(home, name)
  const countOf = (list: 'casts_info' | 'crews_info') =>
    catalog.movies.reduce((sum, movie) => {
      const credits = movie[list].map((credit) => JSON.stringify(credit))
      return sum + new Set(credits).size
    }, 0)

  beforeAll(() => {
    home = mkdtempSync(path.join(tmpdir(), 'mekong-catalog-'))
    writeLines(file('movies.jsonl'), catalog.movies)
    writeLines(file('people.jsonl'), catalog.people)
  })
  afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))

  test('is equal in silver, ClickHouse, graph and vectors', async () => {
    const tasks = await load(home, [file('movies.jsonl'), file('people.jsonl')])
    expect(Object.values(tasks).map(({ status }) => status)).not.toContain('failed')
    const casts = countOf('casts_info')
    const crews = countOf('crews_info')
    expect(await checkedItems(home)).toMatchObject({
      ...{ movie: catalog.movies.length, person: catalog.peopleCount },
      ...{ movie_cast: casts, movie_crew: crews },
      ...{ Movie: catalog.movies.length, Person: catalog.peopleCount },
      ...{ ACTED_IN: casts, WORKS_ON: crews },
      movie_namespace: catalog.movies.length,
    })
    expect(tasks['sync/catalog/graph']?.facts.waiting).toBe(0)
  })

  test('the tables of the OLAP store answer by name', async ({ skip }) => {
    if ((await loadChdb()) === undefined) skip('chdb is not installed')
    const names = ['movie', 'movie_cast', 'movie_crew', 'tv_series', 'tv_series_cast']
    const counts = [...names, 'tv_series_crew', 'person']
      .map((name) => `SELECT '${name}' AS name, count(*) AS n FROM serve.${name}`)
      .join(' UNION ALL ')
    const { out, err } = await mekong(['sql', counts, '--home', home, '--json'])
    expect(err).toBe('')
    const found = JSON.parse(out) as { name: string; n: number }[]
    expect(Object.fromEntries(found.map(({ name, n }) => [name, n]))).toEqual({
      ...{ movie: catalog.movies.length, person: catalog.peopleCount },
      ...{ movie_cast: countOf('casts_info'), movie_crew: countOf('crews_info') },
      ...{ tv_series: 0, tv_series_cast: 0, tv_series_crew: 0 },
    })
  })

  test('loaded again sends nothing', async () => {
    const tasks = await load(home, [file('movies.jsonl'), file('people.jsonl')])
    for (const name of ['clickhouse', 'graph', 'vectors'])
      expect(tasks[`sync/catalog/${name}`]).toMatchObject({
        status: 'nothing_new',
        facts: { sent: 0 },
      })
  })

  test('5 overviews and 3 cast members change: 5 vectors and 3 edges are touched, and the edges are gone', async () => {
    const changed = structuredClone(catalog.movies.slice(0, 8))
    for (const movie of changed.slice(0, 5)) movie.movie_detail.overview += ' And then some more.'
    const removed = changed.slice(5).map((movie) => movie.casts_info.pop()!)
    writeLines(file('movies-changed.jsonl'), changed)
    const tasks = await load(home, [file('movies-changed.jsonl')])
    expect(tasks['sync/catalog/vectors']?.facts).toMatchObject({
      ...{ seen: 8, changed: 5, saved: 3, sent: 5, put: 5, removed: 0, embedded: 5 },
      put_movie_namespace: 5,
    })
    const { facts } = tasks['sync/catalog/graph']!
    expect(facts).toMatchObject({ seen: 8, changed: 8, removed: 3, removed_ACTED_IN: 3, put: 5 })
    expect(facts).toMatchObject({ put_Movie: 5 })
    expect(facts).not.toHaveProperty('put_ACTED_IN')
    expect(facts).not.toHaveProperty('put_WORKS_ON')
    expect(removed).toHaveLength(3)
    const items = await checkedItems(home)
    expect(items).toMatchObject({
      ACTED_IN: countOf('casts_info') - 3,
      movie_cast: countOf('casts_info') - 3,
      Movie: catalog.movies.length,
    })
  })

  test('a movie that TMDB dropped leaves every store, and a late record does not bring it back', async () => {
    const { movie_id, casts_info } = catalog.movies[10]!
    const timestamp = '2026-03-01T00:00:00Z'
    writeLines(file('movies-gone.jsonl'), [
      { movie_id, movie_detail: {}, data_label: 'delete', timestamp },
      { ...catalog.movies[10], timestamp: '2025-12-31T00:00:00Z', data_label: 'change' },
    ])
    const before = await checkedItems(home)
    await load(home, [file('movies-gone.jsonl')])
    const after = await checkedItems(home)
    expect(after).toMatchObject({
      movie: catalog.movies.length - 1,
      Movie: catalog.movies.length - 1,
      movie_namespace: catalog.movies.length - 1,
      ACTED_IN: before.ACTED_IN! - casts_info.length,
      Person: catalog.peopleCount,
    })
  })

  test('a broken record is a dead letter with its reason, and stops nothing', async () => {
    writeLines(file('people-odd.jsonl'), [
      { person_id: 900_000_001, person_detail: { success: false, status_code: 34 } },
      { person_id: 900_000_002, person_detail: { id: 900_000_002, name: 7, gender: { a: 1 } } },
    ])
    await load(home, [file('people-odd.jsonl')])
    const { out } = await mekong(['dlq', 'list', '--home', home, '--json'])
    expect(out).toContain('error answer of TMDB')
    const drifted = await mekong([
      ...['sql', '--home', home, '--json'],
      'select name, gender from silver.people where person_id = 900000002',
    ])
    expect(JSON.parse(drifted.out)).toEqual([{ name: '7', gender: null }])
  })
})

test('the made-up catalog is as large as it says', () => {
  expect(movies()).toHaveLength(MOVIE_COUNT)
})
