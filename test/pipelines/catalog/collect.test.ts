import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  API_KEY,
  someMovie,
  startTmdb,
  type TmdbServer,
  variablesOf,
} from '../../collect/tmdb-server.ts'
import { mekong } from './small-catalog.ts'

// `mekong collect catalog` as its users meet it: a TMDB that behaves as the real one, the real front door, the tables afterwards.

const MOVIE_COUNT = 120
const PERSON_COUNT = 10
const CONFIG = path.join(import.meta.dirname, 'mekong.config.ts')
const ROOT = path.resolve(import.meta.dirname, '../../..')

describe('mekong collect', { timeout: 600_000 }, () => {
  let home: string
  let tmdb: TmdbServer

  beforeAll(async () => {
    home = mkdtempSync(path.join(tmpdir(), 'mekong-collect-'))
    tmdb = await startTmdb()
    for (let id = 1; id <= MOVIE_COUNT; id += 1) tmdb.has.movie.set(id, someMovie(id))
    for (let id = 1; id <= PERSON_COUNT; id += 1)
      tmdb.has.person.set(id, { id, name: `Person ${id}`, popularity: id })
  })
  afterAll(async () => {
    await tmdb.close()
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  })

  const ofHome = () => ['--home', home, '--config', CONFIG]
  const variables = () => variablesOf(tmdb)
  const collected = async (...args: string[]) => {
    const all = ['collect', 'catalog', ...args, ...ofHome(), '--json']
    const { out, err } = await mekong(all, variables())
    expect(err).not.toContain(API_KEY)
    return JSON.parse(out.trim().split('\n').at(-1)!) as Record<string, unknown>
  }
  const rows = async (sql: string) => {
    const { out, err } = await mekong(['sql', sql, ...ofHome(), '--json'])
    try {
      return JSON.parse(out) as unknown[]
    } catch {
      throw new Error(`${sql}: ${out}${err}`)
    }
  }
  const detailsAsked = () => tmdb.asked.filter((each) => /^\/3\/movie\/\d/.test(each)).length

  test('says what is missing when there is no key', async () => {
    const { code, err } = await mekong(['collect', 'catalog', ...ofHome()])
    expect(code).toBe(3)
    expect(err).toContain('TMDB_API_KEY or TMDB_ACCESS_TOKEN')
    expect(err).toContain('themoviedb.org/settings/api')
  })

  test('killed in the middle, it goes on: every title in silver once, nothing fetched twice but what was on its way', async () => {
    const child: ChildProcess = spawn(
      process.execPath,
      [
        path.join(ROOT, 'src/cli/main.ts'),
        'collect',
        'catalog',
        '--types',
        'movie,person',
        ...ofHome(),
      ],
      {
        cwd: ROOT,
        env: { PATH: process.env.PATH, MEKONG_PORT: '0', ...variables() },
        stdio: 'ignore',
      },
    )
    const ended = new Promise((resolve) => child.once('close', resolve))
    tmdb.behave = () => {
      if (detailsAsked() === 60) child.kill('SIGKILL')
      return 'right'
    }
    await ended
    const before = detailsAsked()
    expect(before).toBeGreaterThanOrEqual(60)
    tmdb.behave = () => 'right'
    const report = await collected('--types', 'movie,person')
    expect(report).toMatchObject({ ok: true, failed: 0, left: 0, rejected: 0 })
    // Eight at once may be under way, and a few may wait for the checkpoint.
    expect(detailsAsked()).toBeLessThanOrEqual(MOVIE_COUNT + 30)
    expect(
      await rows('select count(*) as n, count(distinct movie_id) as ids from silver.movies'),
    ).toEqual([{ n: MOVIE_COUNT, ids: MOVIE_COUNT }])
    expect(await rows('select count(*) as n from silver.people')).toEqual([{ n: PERSON_COUNT }])
    expect(
      await rows('select count(*) as n, count(distinct _id) as ids from bronze.catalog_records'),
    ).toEqual([{ n: MOVIE_COUNT + PERSON_COUNT, ids: MOVIE_COUNT + PERSON_COUNT }])
  })

  test('changes reach silver, deletions too, and files can be kept beside', async () => {
    const today = new Date().toISOString().slice(0, 10)
    tmdb.changed.movie.set(today, [1, 2, 3])
    tmdb.has.movie.set(1, someMovie(1, { title: 'Another name' }))
    tmdb.has.movie.delete(2)
    // TMDB tells time in seconds; the records of the first run are of earlier ones.
    const out = path.join(home, 'files')
    const report = await collected('--types', 'movie', '--changes', '--out', out)
    expect(report).toMatchObject({ fetched: 3, unchanged: 1, gone: 1, accepted: 2 })
    expect(
      await rows(
        'select movie_id, title, is_deleted from silver.movies where movie_id < 4 order by 1',
      ),
    ).toEqual([
      { movie_id: 1, title: 'Another name', is_deleted: false },
      { movie_id: 2, title: null, is_deleted: true },
      { movie_id: 3, title: 'Film 3', is_deleted: false },
    ])
    const [file] = readdirSync(out)
    const records = readFileSync(path.join(out, file!), 'utf8').trim().split('\n')
    expect(records.map((line) => JSON.parse(line).data_label).sort()).toEqual(['change', 'delete'])
    const { code, out: loaded } = await mekong([
      ...['load', 'catalog', path.join(out, file!), '--no-run', ...ofHome(), '--json'],
    ])
    expect([code, JSON.parse(loaded)]).toMatchObject([0, { produced: 2, duplicates: 2 }])
  })

  test('into files alone, without a home', async () => {
    const folder = path.join(home, 'alone')
    const wish = ['--types', 'movie', '--ids', '10,11', '--files-only', '--out', folder]
    expect(await collected(...wish)).toMatchObject({ ok: true, fetched: 2, accepted: 0 })
    const [file] = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
    expect(readFileSync(path.join(folder, file!), 'utf8').trim().split('\n')).toHaveLength(2)
  })

  test('a wrong wish is told apart from a wrong key', async () => {
    const asked = tmdb.asked.length
    const many = await mekong(['collect', 'catalog', '--ids', '1', ...ofHome()], variables())
    const day = await mekong(['collect', 'catalog', '--since', 'may', ...ofHome()], variables())
    expect([many.code, day.code, tmdb.asked.length]).toEqual([2, 2, asked])
    const key = { ...variables(), TMDB_API_KEY: 'wrong' }
    const refused = await mekong(
      ['collect', 'catalog', '--types', 'movie', '--ids', '1', ...ofHome(), '--json'],
      key,
    )
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.out).error.code).toBe('SOURCE_REFUSED')
  })
})
