import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { ClientLedger } from './resending-client.ts'
import { bronzeRows, type ServedRow, servedRows } from './stored-rows.ts'

/** A line of `GET /v1/ledger`. */
export interface LedgerView {
  readonly pipeline: string
  readonly hop: string
  readonly in: number
  readonly out: number
  readonly filtered: number
  readonly dead: number
  readonly in_flight: number
  readonly missing: number
  readonly balanced: boolean
  readonly disagreement?: string
}

/** How long a platform may take to carry everything that it has accepted. */
const DRAIN_WAIT_MS = 60_000

/** Wait until nothing is in flight. Returns the ledger, which then must balance. */
export async function drainedLedger(
  url: string,
  waitMs = DRAIN_WAIT_MS,
): Promise<readonly LedgerView[]> {
  const startMs = performance.now()
  for (;;) {
    const response = await fetch(`${url}/v1/ledger`)
    const { lines } = (await response.json()) as { lines: LedgerView[] }
    if (lines.every(({ in_flight }) => in_flight === 0)) return lines
    if (performance.now() - startMs > waitMs)
      throw new Error(`Still in flight after ${waitMs} ms: ${JSON.stringify(lines)}`)
    await sleep(100)
  }
}

export interface ReckoningOptions {
  readonly home: string
  readonly url: string
  readonly postgresUrl: string
  readonly ledger: ClientLedger
}

export interface Reckoned {
  readonly events: number
  readonly dead: number
}

/**
 * Compare what clients were told with what is there, once everything is carried: each acknowledged event once in bronze and once in
 * PostgreSQL, at the place that was named, and nothing else; each bad record one dead letter.
 */
export async function reckon(options: ReckoningOptions): Promise<Reckoned> {
  const { home, url, postgresUrl, ledger } = options
  expect(ledger.lies).toEqual([])
  const lines = await drainedLedger(url)
  for (const line of lines)
    expect(line, `the ledger line of ${line.hop}`).toMatchObject({ balanced: true, missing: 0 })

  const acknowledged = [...ledger.acknowledged.values()]
  const bronze = await bronzeRows(home)
  expectSame(
    'bronze',
    bronze.map((row) => `${row.id} ${nameOf(row)} at ${row.partition}/${row.offset}`),
    acknowledged.map((e) => `${e.id} ${nameOf(e)} at ${e.partition}/${e.offset}`),
  )
  expectSame(
    'PostgreSQL',
    (await servedRows(postgresUrl)).map(nameOf),
    acknowledged.filter(({ refusedByPostgres }) => !refusedByPostgres).map(nameOf),
  )

  const letters = await deadLetters(url)
  const atGateway = letters.filter(({ hop }) => hop === 'gateway')
  expectSame(
    'dead letters of the gateway',
    atGateway.map(({ value }) => value.text ?? ''),
    [...ledger.rejected],
  )
  expectSame(
    'dead letters of the serving hop',
    letters
      .filter(({ hop }) => hop !== 'gateway')
      .map(({ hop, record_id }) => `${hop} ${record_id}`),
    acknowledged
      .filter(({ refusedByPostgres }) => refusedByPostgres)
      .map(({ id }) => `postgres.user_events ${id}`),
  )
  return { events: acknowledged.length, dead: letters.length }
}

const nameOf = ({ userId, movieId, eventType, timestampMicros }: ServedRow) =>
  `${userId}/${movieId}/${eventType}/${timestampMicros}`

/** Two multisets are the same; when not, what differs, not all of it. */
export function expectSame(what: string, found: readonly string[], wanted: readonly string[]) {
  const counts = new Map<string, number>()
  for (const name of wanted) counts.set(name, (counts.get(name) ?? 0) - 1)
  for (const name of found) counts.set(name, (counts.get(name) ?? 0) + 1)
  const off = (sign: 1 | -1) =>
    [...counts].filter(([, count]) => count * sign > 0).map(([name]) => name)
  const [missing, surplus] = [off(-1), off(1)]
  expect(
    { missing: missing.slice(0, 5), surplus: surplus.slice(0, 5) },
    `${what}: ${missing.length} missing, ${surplus.length} too many or twice, of ${wanted.length}`,
  ).toEqual({ missing: [], surplus: [] })
}

/** A line of `GET /v1/dead-letters`. */
export interface LetterView {
  readonly id: string
  readonly pipeline: string
  readonly hop: string
  readonly record_id: string
  readonly reason: string
  readonly value: { readonly text?: string; readonly base64?: string }
}

const PAGE_SIZE = 1_000

export async function deadLetters(url: string): Promise<readonly LetterView[]> {
  const found: LetterView[] = []
  for (;;) {
    const after = found.length === 0 ? '' : `&after=${found.at(-1)!.id}`
    const response = await fetch(`${url}/v1/dead-letters?limit=${PAGE_SIZE}${after}`)
    const page = ((await response.json()) as { dead_letters: LetterView[] }).dead_letters
    found.push(...page)
    if (page.length < PAGE_SIZE) return found
  }
}
