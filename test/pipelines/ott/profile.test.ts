import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { simulator } from '../../../pipelines/ott/simulator.ts'
import { openOttHome } from './ott-home.ts'

// The profiles in small cases worked out by hand; a whole month against PySpark is in `test/interop/ott-profile.test.ts`, of the nightly run.

const COLUMNS = [
  'Contract',
  'Truyen Hinh',
  'Phim Truyen',
  'Giai Tri',
  'Thieu Nhi',
  'The Thao',
  'Active',
  'MostWatch',
  'Taste',
]
const line = (
  Contract: string | null,
  AppName: string | null,
  TotalDuration: unknown,
  _id?: string,
) => ({
  ...(_id === undefined ? {} : { _id }),
  _source: { Contract, Mac: '0011AABBCCDD', TotalDuration, AppName },
})
const files = (days: Readonly<Record<string, readonly object[]>>) =>
  Object.entries(days).map(([day, rows]) => ({ path: `${day}.json`, rows }))
const quoted = COLUMNS.map((name) => `"${name}"`).join(', ')
const PROFILE = `SELECT ${quoted} FROM gold.customer_content_stats ORDER BY 1`

/** A simulated month; its files are written once. */
const contentOf = (seed: number, eventCount: number) =>
  [...simulator.files!({ seed, eventCount, nowMs: 0 })].filter(({ path: at }) =>
    at.startsWith('log_content/'),
  )

describe('the content profile', () => {
  test('the known example: 89 s of Giai Tri and 63 s of Truyen Hinh on one day; the columns in their order', async () => {
    await using home = await openOttHome()
    await home.load(
      await home.write(
        files({ '20220401': [line('HNH1', 'RELAX', 89), line('HNH1', 'CHANNEL', 63)] }),
      ),
    )
    await home.run()
    expect(await home.rows(PROFILE)).toEqual([
      ['HNH1', 63, 0, 89, 0, 0, 1, 'Giai Tri', 'Truyen Hinh-Giai Tri'],
    ])
    const described = (await home.catalog.state('gold.customer_content_stats')).columns
    expect(described.map(({ name }) => name)).toEqual(COLUMNS)
  })

  test('ties, zeros, days and a window that moves, by hand', async () => {
    await using home = await openOttHome()
    const days = {
      '20220401': [line('A', 'VOD', 10), line('B', 'VOD', 5), line('C', 'SPORT', 0)],
      '20220402': [
        line('A', 'SPORT', 10),
        line('A', 'SPORT', 0, 'x'),
        line('A', 'SPORT', 99, 'x'),
        line('0', 'VOD', 9),
      ],
      '20220430': [
        line('B', 'KPlus', 5),
        line('B', 'kplus', 500),
        line(null, 'VOD', 1),
        line('D', 'VOD', -5),
      ],
    }
    await home.load(await home.write(files(days)))
    await home.run()
    const first = [
      ['A', 0, 10, 0, 0, 10, 2, 'Phim Truyen', 'Phim Truyen-The Thao'],
      ['B', 5, 5, 0, 0, 0, 2, 'Truyen Hinh', 'Truyen Hinh-Phim Truyen'],
      ['C', 0, 0, 0, 0, 0, 1, null, null],
    ]
    expect(await home.rows(PROFILE)).toEqual(first)
    // One day more moves the window past the first of April.
    await home.load(await home.write(files({ '20220501': [line('E', 'CHILD', 86_400)] })))
    await home.run()
    expect(await home.rows(PROFILE)).toEqual([
      ['A', 0, 0, 0, 0, 10, 1, 'The Thao', 'The Thao'],
      ['B', 5, 0, 0, 0, 0, 1, 'Truyen Hinh', 'Truyen Hinh'],
      ['E', 0, 0, 0, 86_400, 0, 1, 'Thieu Nhi', 'Thieu Nhi'],
    ])
  })

  test('another window is another table, to and fro', async () => {
    await using home = await openOttHome()
    const day = (name: string, app: string) => [name, [line('A', app, 1)]] as const
    const days = [day('20220401', 'VOD'), day('20220407', 'SPORT'), day('20220408', 'CHILD')]
    await home.load(await home.write(files(Object.fromEntries(days))))
    const gold = 'gold.customer_content_stats'
    const run = async (parameters?: string) => {
      const reports = await home.run(parameters === undefined ? {} : { parameters })
      return [reports[gold]!.facts.why, (await home.rows(PROFILE))[0]?.[6]]
    }
    expect(await run()).toEqual(['first_run', 3])
    expect(await run(`${gold}.days=7`)).toEqual(['model_changed', 2])
    expect(await run(`${gold}.days=7`)).toEqual([undefined, 2])
    expect(await run(`${gold}.days=1`)).toEqual(['model_changed', 1])
    expect(await run()).toEqual(['model_changed', 3])
    // Any other last day: a day after it changes nothing, one within it counts.
    const until = `${gold}.last_day=2022-04-07`
    expect(await run(until)).toEqual(['model_changed', 2])
    await home.load(await home.write(files(Object.fromEntries([day('20220409', 'VOD')]))))
    expect(await run(until)).toEqual([undefined, 2])
    await home.load(await home.write(files(Object.fromEntries([day('20220403', 'RELAX')]))))
    expect(await run(until)).toEqual([undefined, 3])
    expect(await run(`${until},${gold}.days=1`)).toEqual(['model_changed', 1])
    expect(await run(`${gold}.last_day=2021-01-01`)).toEqual(['model_changed', undefined])
    expect(await run()).toEqual(['model_changed', 5])
    await expect(home.run({ parameters: `${gold}.last_day=2022-02-30` })).rejects.toThrow('no day')
    await expect(home.run({ parameters: `${gold}.weeks=1` })).rejects.toThrow('no parameter')
    await expect(home.run({ parameters: `${gold}.days=0` })).rejects.toThrow('whole number')
  })

  test('it says what the days say, and days sent again give what a first load would', async () => {
    const content = contentOf(5, 6_000)
    const other = contentOf(6, 6_000)
    await using mended = await openOttHome()
    await mended.load(await mended.write([...content.slice(0, 20), ...other.slice(20, 30)]))
    await mended.run()
    await mended.load(await mended.write(content.slice(20)))
    await mended.run()
    await using fresh = await openOttHome()
    await fresh.load(await fresh.write(contentOf(5, 6_000)))
    await fresh.run()
    const profile = await fresh.rows(PROFILE)
    expect(profile.length).toBeGreaterThan(100)
    expect(await mended.rows(PROFILE)).toEqual(profile)
    // The view of days, which groups by contract and day, adds up to the same.
    const sums = COLUMNS.slice(1, 6).map((name) => `sum("${name}")::BIGINT`)
    const days = await readFile(
      new URL('../../../pipelines/ott/models/content_days.sql', import.meta.url),
      'utf8',
    )
    const byDay = await fresh.rows(
      `SELECT contract, ${sums.join(', ')}, count(*)::INT FROM (${days}) GROUP BY contract ORDER BY 1`,
    )
    expect(byDay).toEqual(profile.map((row) => row.slice(0, 7)))
  })
})

describe('the search profile', () => {
  test('two months of searches: favourites, ties, blanks, and who came and went', async () => {
    await using home = await openOttHome()
    let id = 0
    const search = (user_id: string | null, keyword: string | null) => {
      id += 1
      return {
        eventID: `e${id}`,
        datetime: '2565-06-01 10:00:00',
        user_id,
        keyword,
        userPlansMap: [],
      }
    }
    const june = [
      ...[search('stays', 'VTV1'), search('stays', 'vtv1 '), search('stays', ' ')],
      ...[
        search('turns', 'doraemon'),
        search('turns', 'conan'),
        search('turns', null),
        search('turns', null),
      ],
      ...[search('leaves', 'bóng đá'), search('NULL', 'vtv1'), search(null, 'vtv1')],
    ]
    const july = [search('stays', 'htv7'), search('turns', 'bóng đá'), search('comes', 'karaoke')]
    const parquet = (day: string, rows: readonly object[]) => ({ path: `${day}/a.parquet`, rows })
    await home.load(await home.write([parquet('20220601', june), parquet('20220714', july)]))
    await home.run()
    expect(await home.rows('SELECT * FROM gold.customer_search_stats ORDER BY user_id')).toEqual([
      ['comes', null, 'karaoke', null, 'Music', 'New'],
      ['leaves', 'bóng đá', null, 'Sports', null, 'Churned'],
      ['stays', 'VTV1', 'htv7', 'TV Channel', 'TV Channel', 'Unchanged'],
      ['turns', 'conan', 'bóng đá', 'Animation', 'Sports', 'Changed'],
    ])
    // Any two months; those without searches have no favourites.
    const parameters = 'first_month=2022-05, second_month=2022-06'
      .split(', ')
      .map((said) => `gold.customer_search_stats.${said}`)
      .join(',')
    await home.run({ parameters })
    expect(
      await home.rows('SELECT user_id, taste FROM gold.customer_search_stats ORDER BY 1'),
    ).toEqual([
      ['leaves', 'New'],
      ['stays', 'New'],
      ['turns', 'New'],
    ])
    expect(
      await home.rows(
        'SELECT DISTINCT searched_at::VARCHAR FROM bronze.search_log WHERE searched_at IS NOT NULL',
      ),
    ).toEqual([['2022-06-01 10:00:00+00']])
  })
})
