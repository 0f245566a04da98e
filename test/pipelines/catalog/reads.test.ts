import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPlatformProcess } from '../../crash/platform-process.ts'
import { PLOT_QUERIES } from './plot-queries.ts'
import { load, movies, people, writeLines } from './small-catalog.ts'

// What people can ask: search, titles, people, the graph and questions; and how often a plot told in other words finds its film.

const EVERY_PIPELINE = path.resolve(import.meta.dirname, '../../../mekong.config.ts')
const FLAT = path.resolve(import.meta.dirname, '../../../../shared/data/movies/tmdb')
const isReal = existsSync(FLAT)
if (!isReal) console.log('The TMDB files are not beside the project: recall is not measured.')

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: looked into freely
  readonly body: any
}

describe('reading the catalog', { timeout: 300_000 }, () => {
  let home: string
  let platform: Awaited<ReturnType<typeof startPlatformProcess>>
  const get = async (at: string): Promise<Answer> => {
    const response = await fetch(`${platform.url}/v1/catalog/${at}`)
    return { status: response.status, body: await response.json() }
  }

  beforeAll(async () => {
    home = mkdtempSync(path.join(tmpdir(), 'mekong-catalog-reads-'))
    const files = ['movies.jsonl', 'people.jsonl'].map((name) => path.join(home, name))
    writeLines(files[0]!, movies())
    writeLines(files[1]!, people())
    const real = ['mearie_movies.jsonl.gz', 'mearie_people.jsonl.gz']
    await load(home, isReal ? [...files, ...real.map((name) => path.join(FLAT, name))] : files)
    platform = await startPlatformProcess({ home, config: EVERY_PIPELINE })
  }, 300_000)
  afterAll(async () => {
    platform?.signal('SIGTERM')
    await platform?.ended
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  })

  test('a title with its cast, by name, and what is not there', async () => {
    const { body } = await get('titles/1003')
    expect(body).toMatchObject({ type: 'movie', id: 1003, title: 'Film 3' })
    expect(body.cast).toHaveLength(3)
    expect(body.cast[0].name).toMatch(/^[A-Z]/)
    expect((await get('titles/999999999')).status).toBe(404)
    expect((await get('titles/none')).status).toBe(400)
  })

  test('search by words with filters, and what is asked wrongly', async () => {
    const { body } = await get('search?q=story+about+number+17&year_min=1960&year_max=1970')
    expect(body.results.map(({ id }: { id: number }) => id)).toContain(1017)
    for (const { year } of body.results) expect(year >= 1960 && year <= 1970).toBe(true)
    expect((await get('search')).body).toMatchObject({ status: 400, code: 'bad_parameter' })
    expect((await get('search?q=x&limit=1000')).status).toBe(400)
  })

  test('a result says why it was found', async () => {
    const { body } = await get('search?q=film+17+stories+walrus&limit=50')
    const found = body.results.find(({ id }: { id: number }) => id === 1017)
    expect(found.explain.words).toContainEqual({
      ...{ word: 'film', found: 'Film', how: 'same', in: ['title'] },
    })
    expect(found.explain.words).toContainEqual({
      ...{ word: 'stories', found: 'story', how: 'form', in: ['overview'] },
    })
    expect(found.explain.missing).toEqual(['walrus'])
    const { by_words, by_meaning } = found.explain
    expect(by_words).toMatchObject({ rank: found.text_rank, score: expect.any(Number) })
    expect((by_words?.share ?? 0) + (by_meaning?.share ?? 0)).toBeCloseTo(found.score, 5)
    const meaning = (await get('search?q=film+17&mode=vector&limit=1')).body.results[0].explain
    expect(meaning.by_words).toBe(null)
    expect(meaning.by_meaning).toMatchObject({ rank: 1 })
    expect(meaning.by_meaning.score).toBeGreaterThan(0)
  })

  test('people by a part of their name', async () => {
    const { people: some } = (await get('people?q=pERson+1&limit=50')).body
    const names = some.map(({ name }: { name: string }) => name)
    // The real files have people of their own by some of these ids.
    expect(names.length).toBeGreaterThan(3)
    for (const name of names) expect(name).toMatch(/^Person 1\d?$/)
    expect(some[0].credits).toBeGreaterThan(0)
    expect((await get(`people?q=${names[0]}`)).body.people[0].name).toBe(names[0])
    expect((await get('people?q=.%2A')).body.people).toEqual([])
    expect((await get('people')).status).toBe(400)
  })

  test('everybody around a person, with the titles they share', async () => {
    const [first] = movies()
    const lead = first!.casts_info[0]!.person_id
    const { titles, people: others, counts } = (await get(`graph?view=around&person=${lead}`)).body
    const at = titles.findIndex(({ id }: { id: number }) => id === 1000)
    expect(titles[at].roles).toContain('Role 0')
    const colleague = first!.crews_info[0]!.person_id
    const found = others.find(({ id }: { id: number }) => id === colleague)
    expect(found.titles).toContain(at)
    expect(others.map(({ id }: { id: number }) => id)).not.toContain(lead)
    expect(counts.people).toBeGreaterThanOrEqual(others.length)
  })

  test('the graph: credits, co-stars, who links two people, films of a director', async () => {
    const [first, second] = movies()
    const lead = first!.casts_info[0]!.person_id
    const credits = (await get(`graph?view=filmography&person=${lead}&limit=200`)).body.credits
    expect(credits).toContainEqual(expect.objectContaining({ id: 1000, credit: 'cast' }))
    const stars = (await get(`graph?view=co_stars&person=${lead}&limit=200`)).body.co_stars
    expect(stars.map(({ id }: { id: number }) => id)).toContain(first!.casts_info[1]!.person_id)
    const to = second!.casts_info[2]!.person_id
    const { body } = await get(`graph?view=path&from=${lead}&to=${to}`)
    expect(body.path[0].person.id).toBe(lead)
    expect(body.path.at(-1).person.id).toBe(to)
    expect(body.path.filter((step: object) => 'title' in step)).toHaveLength(body.steps)
    const { directors, titles } = (await get('graph?view=director&title=1000')).body
    expect(directors.map(({ id }: { id: number }) => id)).toEqual([first!.crews_info[0]!.person_id])
    expect(titles.map(({ id }: { id: number }) => id)).toContain(1000)
    expect((await get('graph?view=path&from=nobody&to=1')).status).toBe(404)
  })

  test('a question is answered by ranked passages where no model is configured', async () => {
    const { body } = await get('ask?q=the+story+about+number+5&passages=3')
    expect(body).toMatchObject({ answer: null, problem: null, citations: [] })
    expect(body.passages).toHaveLength(3)
    expect(body.passages[0]).toMatchObject({ n: 1, text: expect.stringContaining('|') })
  })

  test('the pages of the API name the routes', async () => {
    const page = await (await fetch(`${platform.url}/docs/openapi.json`)).text()
    expect(page).toContain('/v1/catalog/search')
  })

  test.skipIf(!isReal)('a plot in other words finds its film among the first five', async () => {
    const recall: Record<string, number> = {}
    for (const mode of ['text', 'vector', 'hybrid']) {
      let found = 0
      for (const [query, id] of PLOT_QUERIES) {
        const q = encodeURIComponent(query)
        const { body } = await get(`search?type=movie&limit=5&mode=${mode}&q=${q}`)
        if (body.results.some((title: { id: number }) => title.id === id)) found += 1
      }
      recall[mode] = found / PLOT_QUERIES.length
    }
    console.log(`recall at 5 over ${PLOT_QUERIES.length} plots: ${JSON.stringify(recall)}`)
    expect(recall.hybrid).toBeGreaterThanOrEqual(0.9)
  })
})
