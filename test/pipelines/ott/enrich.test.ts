import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { mekong } from '../../cli/run-mekong.ts'
import { startLabelServer } from '../../enrich/label-server.ts'
import { openOttHome } from './ott-home.ts'

// `mekong enrich ott` as somebody types it: first what it would cost, then the labels, then where every keyword is.

const KEYWORD_COUNT = 1_200

test('--dry-run shows calls, tokens and cost and asks nothing; the run asks; the ledger balances', {
  timeout: 180_000,
}, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mekong-enrich-'))
  const server = await startLabelServer(() => 'right')
  const environment = {
    ...{ MEKONG_HOME: path.join(folder, 'home'), OPENAI_BASE_URL: server.url },
    ...{ OPENAI_API_KEY: 'sk-of-a-test', MEKONG_LABEL_MODEL: 'tiny' },
    ...{ MEKONG_LABEL_INPUT_CENTS: '100', MEKONG_LABEL_OUTPUT_CENTS: '200' },
  }
  const config = ['--config', path.resolve(import.meta.dirname, '../../../mekong.config.ts')]
  const run = async (...args: string[]) => {
    const ran = await mekong([...args, ...config, '--json'], environment)
    expect(ran.code, ran.err).toBe(0)
    expect(ran.out + ran.err).not.toContain('sk-of-a-test')
    return ran.json<Record<string, unknown>>()
  }
  try {
    const rows = Array.from({ length: KEYWORD_COUNT }, (_, i) => ({
      ...{ eventID: `e${i}`, user_id: `u${i}`, keyword: `keyword ${i}` },
    }))
    const [file] = await (async () => {
      await using writer = await openOttHome(path.join(folder, 'writer'))
      return await writer.write([{ path: '20220601/a.parquet', rows }])
    })()
    await run('load', 'ott', path.dirname(file!), '--no-run')
    const { estimates } = (await run('enrich', 'ott', '--dry-run')) as {
      estimates: Record<string, number>[]
    }
    const [estimate] = estimates
    expect(estimate).toMatchObject({ classifier: 'tiny', keywords: KEYWORD_COUNT, calls: 3 })
    const { tokens_in, tokens_out, cost_usd } = estimate!
    expect(tokens_in).toBeGreaterThan(KEYWORD_COUNT)
    expect(tokens_out).toBeGreaterThan(KEYWORD_COUNT)
    expect(cost_usd).toBeCloseTo((tokens_in! * 1 + tokens_out! * 2) / 1e6, 9)
    expect(server.calls).toBe(0)
    const { tasks } = (await run('enrich', 'ott')) as { tasks: Record<string, unknown>[] }
    expect(JSON.stringify(tasks)).toContain(`"labelled":${KEYWORD_COUNT}`)
    expect(server.calls).toBe(3)
    expect(await run('enrich', 'ott', '--dry-run')).toMatchObject({
      estimates: [{ keywords: 0, calls: 0, cost_usd: 0 }],
    })
    const { lines } = (await run('ledger', 'ott')) as { lines: Record<string, unknown>[] }
    expect(lines.find(({ hop }) => hop === 'silver.search_labels')).toMatchObject({
      ...{ in: KEYWORD_COUNT, out: KEYWORD_COUNT, in_flight: 0, balanced: true },
    })
    expect(server.calls).toBe(3)
  } finally {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
