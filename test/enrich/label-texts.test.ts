import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { LabelServiceRefusedError } from '../../src/enrich/errors.ts'
import { type LabelTextsOptions, labelTexts } from '../../src/enrich/label-texts.ts'
import { openAiModel } from '../../src/enrich/openai/client.ts'
import { systemRandomness } from '../../src/model/clock.ts'
import { type Behaviour, type LabelServer, labelOf, startLabelServer } from './label-server.ts'

// Against a real server on this machine that goes wrong in every way we know of: each text gets its label, is paid for once, and what cannot be labelled says why.

let server: LabelServer
afterEach(() => server.close())

const texts = (count: number) =>
  Array.from({ length: count }, (_, i) => `${'abcdefgh'[i % 8]} ${i}`)

async function run(
  count: number,
  behave: (call: number, texts: readonly string[]) => Behaviour,
  changed: Partial<LabelTextsOptions> = {},
) {
  server = await startLabelServer(behave)
  const labels = new Map<string, string>()
  const failed: { text: string; reason: string }[] = []
  let [writing, writingMax] = [0, 0]
  const outcome = await labelTexts({
    task: { prompt: 'Label.', labels: ['Drama', 'Music', 'Other'] },
    model: openAiModel({ baseUrl: server.url, apiKey: 'test', model: 'tiny' }),
    texts: texts(count),
    prices: { inputCents: 100, outputCents: 400 },
    budgetUsd: 1_000,
    signal: new AbortController().signal,
    randomness: systemRandomness,
    pause: (ms) => sleep(Math.min(ms, 30)),
    async write(batch) {
      writing += 1
      writingMax = Math.max(writingMax, writing)
      await sleep(1)
      for (const { text, label } of batch.labels) labels.set(text, label)
      failed.push(...batch.failed)
      writing -= 1
    },
    ...changed,
  })
  return { outcome, labels, failed, writingMax }
}

const allRight = (labels: ReadonlyMap<string, string>, count: number) => {
  expect(labels.size).toBe(count)
  for (const [text, label] of labels) expect(label).toBe(labelOf(text))
}

describe('labels from a model', () => {
  test('500 texts a call, 8 calls at once, one writer; usage is counted', async () => {
    const { outcome, labels, writingMax } = await run(5_600, () => 'slow')
    allRight(labels, 5_600)
    expect(outcome).toMatchObject({ status: 'done', labelled: 5_600, failed: 0, calls: 12 })
    expect(server.sizes.toSorted((a, b) => a - b)).toEqual([100, ...Array(11).fill(500)])
    expect(server.atOnceMax).toBe(8)
    expect(writingMax).toBe(1)
    expect(outcome.tokensOut).toBe(56_000)
    expect(outcome.costUsd).toBeCloseTo((outcome.tokensIn * 1 + 56_000 * 4) / 1e6, 6)
  })

  test('dropped and stalled connections, 429, 500, wrong JSON, missing and extra answers: every text once', async () => {
    const troubles: Behaviour[] = [
      ...(['hangs_up_midway', 'stalls'] as const),
      ...(['too_many_requests', 'hangs_up', 'broken', 'no_json', 'missing_and_extra'] as const),
      ...(['right', 'wrong_shape', 'fenced', 'slow', 'too_many_requests'] as const),
    ]
    const limits = { callTimeoutMs: 1_500 }
    const { outcome, labels } = await run(6_000, (call) => troubles[call - 1] ?? 'right', {
      limits,
    })
    allRight(labels, 6_000)
    expect(outcome).toMatchObject({ status: 'done', labelled: 6_000, failed: 0 })
    expect([...server.paid.values()].every((count) => count === 1)).toBe(true)
  })

  test('an answer that never parses is split down to the text at fault, and only that one fails', async () => {
    const { outcome, labels, failed } = await run(64, (_, asked) =>
      asked.includes('c 10') ? 'no_json' : 'right',
    )
    expect(failed.map(({ text, reason }) => [text, reason])).toEqual([
      ['c 10', 'label_answer_invalid'],
    ])
    expect(labels.size).toBe(63)
    expect(outcome).toMatchObject({ status: 'done', labelled: 63, failed: 1 })
  })

  test('a text that is always left out fails after some times', async () => {
    const { failed } = await run(1, () => 'missing_and_extra')
    expect(failed).toEqual([expect.objectContaining({ text: 'a 0', attempts: 3 })])
  })

  test('a budget stops the run before the request that would exceed it', async () => {
    const { outcome, labels } = await run(10_000, () => 'right', { budgetUsd: 0.1 })
    expect(outcome.status).toBe('budget_spent')
    expect(outcome.costUsd).toBeLessThanOrEqual(0.1)
    expect(labels.size).toBeGreaterThan(0)
    expect(labels.size).toBeLessThan(10_000)
  })

  test('a service that stays away ends the run; what was not asked is left for the next', async () => {
    const { outcome, failed } = await run(20_000, () => 'broken', {
      limits: { attemptCountMax: 2 },
    })
    expect(outcome).toMatchObject({ status: 'service_away', labelled: 0 })
    expect(failed.length).toBeLessThan(20_000)
    expect(failed[0]!.reason).toBe('label_service_away')
  })

  test('answers are constrained to the list by a strict schema, and to JSON where the server takes no schemas', async () => {
    await run(1_000, () => 'right')
    for (const { type, json_schema } of server.formats) {
      expect([type, json_schema!.strict]).toEqual(['json_schema', true])
      expect(JSON.stringify(json_schema!.schema)).toContain('"enum":["Drama","Music","Other"]')
    }
    await server.close()
    const { labels } = await run(1_000, () => 'refuses_schemas')
    allRight(labels, 1_000)
    const types = server.formats.map(({ type }) => type)
    expect(types).toEqual(['json_schema', 'json_object', 'json_object'])
  })

  test('the first request goes alone, and what it took is reserved for the others: a model that thinks keeps to the budget', async () => {
    const { outcome } = await run(20_000, () => 'thinks', { budgetUsd: 1 })
    expect(outcome.status).toBe('budget_spent')
    expect(outcome.costUsd).toBeGreaterThan(0.4)
    expect(outcome.costUsd).toBeLessThanOrEqual(1)
  })

  test('while the writer is stuck only so many requests are made', async () => {
    let release = () => {}
    const stuck = new Promise<void>((resolve) => {
      release = resolve
    })
    let written = 0
    const running = run(20_000, () => 'right', {
      limits: { queuedBatches: 4, callsAtOnce: 3 },
      write: async ({ labels }) => {
        await stuck
        written += labels.length
      },
    })
    for (let calls = -1; calls !== (server?.calls ?? 0) || calls <= 0; await sleep(300))
      calls = server?.calls ?? 0
    // The queue was full but for one when the last three began.
    expect(server.calls).toBeGreaterThanOrEqual(4)
    expect(server.calls).toBeLessThanOrEqual(4 + 3 - 1)
    release()
    expect((await running).outcome).toMatchObject({ status: 'done', calls: 40 })
    expect(written).toBe(20_000)
  })

  test('it waits as long as the service says, and no longer than it may', async () => {
    const waits: number[] = []
    const { labels } = await run(10, (call) => (call <= 2 ? 'too_many_requests' : 'right'), {
      pause: async (ms) => void waits.push(ms),
    })
    expect(labels.size).toBe(10)
    expect(waits.length).toBe(2)
    for (const ms of waits) expect(ms).toBeGreaterThanOrEqual(50)
    for (const ms of waits) expect(ms).toBeLessThanOrEqual(300)
  })

  test('a model that answers nothing usable is not asked about every text', async () => {
    const { outcome, labels } = await run(20_000, () => 'wrong_shape')
    expect(outcome.status).toBe('answers_useless')
    expect(outcome.calls).toBeLessThan(60)
    expect(labels.size).toBe(0)
  })

  test('an account without credit ends the run at once', async () => {
    await expect(run(1_000, () => 'no_credit')).rejects.toThrow(LabelServiceRefusedError)
    expect(server.calls).toBe(1)
  })

  test('a refused key ends the run at once', async () => {
    await expect(run(1_000, () => 'forbidden')).rejects.toThrow(LabelServiceRefusedError)
    expect(server.calls).toBe(1)
  })
})
