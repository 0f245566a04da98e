import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { classifyKeyword, foldText } from '../../../pipelines/ott/labels/classify-keyword.ts'
import { CATEGORIES } from '../../../pipelines/ott/labels/lexicon.ts'
import ott from '../../../pipelines/ott/pipeline.ts'
import { openAiModel } from '../../../src/enrich/openai/client.ts'
import { labelLedger } from '../../../src/flow/label-ledger.ts'
import type { LedgerLine } from '../../../src/model/ledger.ts'
import { startLabelServer } from '../../enrich/label-server.ts'
import { type OttHome, openOttHome } from './ott-home.ts'

// The labels of searches: by rules where there is no model, by a model that is never paid twice.

const searches = (day: string, keywords: readonly (string | null)[]) => ({
  path: `${day}/a.parquet`,
  rows: keywords.map((keyword, i) => ({ eventID: `${day}-${i}`, user_id: `u${i}`, keyword })),
})
const ledgerOf = async ({ catalog, state }: OttHome) => {
  const lines = await labelLedger({ plan: ott, lake: catalog, state })
  expect(lines.map(({ hop }) => hop)).toEqual(['silver.search_labels'])
  const [{ in: asked, out, dead, inFlight, balanced }] = lines as [LedgerLine]
  return { in: asked, out, dead, inFlight, balanced }
}
const LABELS = 'SELECT keyword, label, classifier, model FROM silver.search_labels ORDER BY keyword'

describe('the built-in rules', () => {
  test.each([
    ['VTV 3', 'TV Channel'],
    ['kênh htv7', 'TV Channel'],
    ['bongdatructiep', 'Sports'],
    ['Việt Nam vs Thái Lan', 'Sports'],
    ['u23 viet nam', 'Sports'],
    ['runningman tap 5', 'Reality Show'],
    ['Đảo hải tặc', 'Animation'],
    ['noruto', 'Animation'],
    ['karaoke lạc trôi', 'Music'],
    ['hạ cánh nơi anh', 'K Drama'],
    ['tam sinh tam thế', 'C Drama'],
    ['thoi su', 'News'],
    ['q', 'Other'],
    ['mở yotube', 'TV Channel'],
    ['kênh vtv3 hd', 'TV Channel'],
    ['hàn quốc brazil', 'Sports'],
    ['kimetsu no yaida', 'Animation'],
  ])('%s is %s', (keyword, category) => expect(classifyKeyword(keyword)).toBe(category))

  test('accents, case and signs say nothing', () => {
    expect(foldText('  Đá  BÓNG! ')).toBe('da bong')
    expect(classifyKeyword('HOẠT HÌNH'.normalize('NFD'))).toBe(classifyKeyword('hoat hinh'))
  })

  test('as good as the docs say, on a half of real searches that nobody tuned them on', () => {
    const file = path.resolve(
      import.meta.dirname,
      '../../../../shared/data/ott/keyword_category_mapping.csv.gz',
    )
    if (!existsSync(file))
      return console.log(`skipped: there is no ${path.basename(file)} beside the project`)
    const held = heldBack(gunzipSync(readFileSync(file)).toString())
    expect(held.length).toBeGreaterThan(6_500)
    const accuracy = (of: readonly (readonly [string, string])[]) =>
      of.filter(([keyword, category]) => classifyKeyword(keyword) === category).length / of.length
    const of = (category: string) => held.filter(([, label]) => label === category)
    if (process.env.MEKONG_NIGHTLY === '1' || process.env.SHOW_ACCURACY === '1')
      for (const category of CATEGORIES)
        console.log(
          `| ${category} | ${of(category).length} | ${(100 * accuracy(of(category))).toFixed(0)} % |`,
        )
    expect(accuracy(held)).toBeGreaterThan(0.5)
    expect(accuracy(of('TV Channel'))).toBeGreaterThan(0.85)
    expect(accuracy(of('Sports'))).toBeGreaterThan(0.77)
  })
})

/** Searches whose hash is odd, with their category. The file's rows end in `,Category`; a keyword may be quoted. */
function heldBack(csv: string): readonly (readonly [string, string])[] {
  const rows = [...csv.matchAll(/^("(?:[^"]|"")*"|[^",\n]*),([A-Z][A-Za-z ]+)\r?$/gm)]
  return rows
    .map(
      ([, keyword, category]) =>
        [keyword!.replace(/^"|"$/g, '').replaceAll('""', '"'), category!] as const,
    )
    .filter(
      ([keyword]) =>
        Number.parseInt(createHash('sha256').update(keyword).digest('hex').slice(-2), 16) % 2 === 1,
    )
}

describe('labels in the lake', () => {
  test('each keyword once, folded; a model takes over from the rules, and failures are asked again', async () => {
    await using home = await openOttHome()
    await home.load(
      await home.write([
        searches('20220601', ['VTV1', ' vtv1', 'naruto', 'poison', null, 'NULL', ' ']),
      ]),
    )
    const report = (await home.run())['silver.search_labels']!
    expect(report.facts).toMatchObject({ classifier: 'rules', keywords: 3, labelled: 3 })
    expect(await home.rows(LABELS)).toEqual([
      ['naruto', 'Animation', 'rules', 'rules'],
      ['poison', expect.any(String), 'rules', 'rules'],
      ['vtv1', 'TV Channel', 'rules', 'rules'],
    ])
    expect((await home.run())['silver.search_labels']!.status).toBe('nothing_new')
    let poisoned = true
    const server = await startLabelServer((_, texts) =>
      poisoned && texts.includes('poison') ? 'no_json' : 'right',
    )
    const labelModel = {
      port: openAiModel({ baseUrl: server.url, apiKey: 'test', model: 'tiny' }),
      ...{ prices: { inputCents: 5, outputCents: 40 }, budgetUsd: 1 },
    }
    try {
      const first = (await home.run({ labelModel }))['silver.search_labels']!
      expect(first.facts).toMatchObject({ labelled: 2, failed: 1 })
      const letters = () => home.state.list({ pipeline: 'ott', hop: 'silver.search_labels' })
      const [letter] = await letters()
      expect([letter!.key, letter!.reason]).toEqual(['poison', 'label_answer_invalid'])
      expect(await ledgerOf(home)).toEqual({ in: 3, out: 2, dead: 1, inFlight: 0, balanced: true })
      // Somebody gives it up; it is still a keyword without a label.
      await home.state.drop(letter!.id)
      expect(await ledgerOf(home)).toEqual({ in: 3, out: 2, dead: 1, inFlight: 0, balanced: true })
      poisoned = false
      await home.run({ labelModel })
      expect((await letters()).map(({ status }) => status)).toEqual(['replayed'])
      expect(await ledgerOf(home)).toEqual({ in: 3, out: 3, dead: 0, inFlight: 0, balanced: true })
      expect((await home.rows(LABELS)).map(([keyword, , by]) => [keyword, by])).toEqual([
        ...[
          ['naruto', 'model'],
          ['poison', 'model'],
          ['vtv1', 'model'],
        ],
      ])
      expect((await home.run({ labelModel }))['silver.search_labels']!.status).toBe('nothing_new')
      expect([...server.paid.values()]).toEqual([1, 1, 1])
      // Without a key the rules label what is new, and what was paid for stays.
      await home.load(await home.write([searches('20220602', ['vtv1', 'htv7'])]))
      expect((await home.run())['silver.search_labels']!.facts).toMatchObject({ labelled: 1 })
      expect((await home.rows(LABELS)).map(([keyword, , by]) => [keyword, by])).toEqual([
        ...[
          ['htv7', 'rules'],
          ['naruto', 'model'],
        ],
        ...[
          ['poison', 'model'],
          ['vtv1', 'model'],
        ],
      ])
    } finally {
      await server.close()
    }
  })

  test('another model is asked anew, and going back to the first one costs nothing', async () => {
    await using home = await openOttHome()
    await home.load(await home.write([searches('20220601', ['vtv1', 'naruto'])]))
    const server = await startLabelServer(() => 'right')
    const by = (model: string) => ({
      port: openAiModel({ baseUrl: server.url, apiKey: 'test', model }),
      ...{ prices: { inputCents: 5, outputCents: 40 }, budgetUsd: 1 },
    })
    try {
      for (const model of ['one', 'two', 'one']) await home.run({ labelModel: by(model) })
      expect(server.calls).toBe(2)
      expect((await home.rows(LABELS)).map((row) => row[3])).toEqual(['one', 'one'])
      expect(
        await home.rows(
          `SELECT model, count(*)::INT, bool_and(address = sha256(keyword || chr(0) || model || chr(0) || prompt_version))
           FROM silver.search_labels_answers GROUP BY model ORDER BY model`,
        ),
      ).toEqual([
        ['one', 2, true],
        ['two', 2, true],
      ])
    } finally {
      await server.close()
    }
  })

  test('what a budget leaves is waiting, in the ledger too', async () => {
    await using home = await openOttHome()
    const keywords = Array.from({ length: 50 }, (_, i) => `keyword ${i}`)
    await home.load(await home.write([searches('20220601', keywords)]))
    const server = await startLabelServer(() => 'right')
    const labelModel = (budgetUsd: number) => ({
      port: openAiModel({ baseUrl: server.url, apiKey: 'test', model: 'tiny' }),
      ...{ prices: { inputCents: 100, outputCents: 100 }, budgetUsd, limits: { textsPerCall: 10 } },
    })
    try {
      expect(
        (await home.run({ labelModel: labelModel(0) }))['silver.search_labels']!.facts,
      ).toMatchObject({ outcome: 'budget_spent', calls: 0 })
      expect(await ledgerOf(home)).toMatchObject({ in: 50, out: 0, inFlight: 50, balanced: true })
      await home.run({ labelModel: labelModel(0.0015) })
      const some = await ledgerOf(home)
      expect(some.balanced).toBe(true)
      expect(some.inFlight).toBeGreaterThan(0)
      expect(some.out).toBeGreaterThan(0)
      await home.run({ labelModel: labelModel(1) })
      expect(await ledgerOf(home)).toMatchObject({ in: 50, out: 50, balanced: true })
      expect([...server.paid.values()].every((count) => count === 1)).toBe(true)
    } finally {
      await server.close()
    }
  })

  test('kill -9 and again: nothing that was answered before is asked twice', {
    timeout: 180_000,
  }, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'mekong-labels-'))
    const keywords = Array.from({ length: 600 }, (_, i) => `keyword ${i}`)
    // One keyword never gets a label.
    const server = await startLabelServer((_, texts) =>
      texts.includes('keyword 7') ? 'no_json' : 'slow',
    )
    const child = () =>
      spawn(
        process.execPath,
        [path.join(import.meta.dirname, 'label-child.ts'), folder, server.url],
        { stdio: 'inherit' },
      )
    const ended = (process_: ReturnType<typeof child>) =>
      new Promise<number | null>((resolve) => process_.once('exit', resolve))
    try {
      await (async () => {
        await using home = await openOttHome(folder)
        await home.load(await home.write([searches('20220601', keywords)]))
      })()
      const killed = child()
      while (server.paid.size < 200) await sleep(10)
      killed.kill('SIGKILL')
      await ended(killed)
      const before = await (async () => {
        await using home = await openOttHome(folder)
        const line = await ledgerOf(home)
        expect(line).toMatchObject({ in: 600, balanced: true })
        expect(line.out).toBeGreaterThan(0)
        expect(line.inFlight).toBeGreaterThan(0)
        const rows = await home.rows('SELECT DISTINCT keyword FROM silver.search_labels_answers')
        expect(rows.length).toBeGreaterThanOrEqual(line.out)
        return rows.map(([keyword]) => String(keyword))
      })()
      const paid = new Map(server.paid)
      expect(await ended(child())).toBe(0)
      await using home = await openOttHome(folder)
      expect(
        await home.rows(
          'SELECT count(*)::INT, count(DISTINCT keyword)::INT FROM silver.search_labels',
        ),
      ).toEqual([[599, 599]])
      expect(await ledgerOf(home)).toEqual({
        ...{ in: 600, out: 599, dead: 1, inFlight: 0, balanced: true },
      })
      // Nothing whose answer was there when the run was killed was asked again.
      expect(before.filter((keyword) => server.paid.get(keyword) !== paid.get(keyword))).toEqual([])
      // What was under way when it was killed, or waited for the writer: at most the calls at once and the bounded queue.
      const paidTwice = [...server.paid.values()].filter((count) => count > 1).length
      expect(paidTwice).toBeLessThanOrEqual((2 + 4 + 1) * 20)
      expect(paidTwice).toBeLessThan(600)
    } finally {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
