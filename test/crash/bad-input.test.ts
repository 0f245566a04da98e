import { createConnection } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PlatformHome } from './platform-home.ts'
import { deadLetters, drainedLedger, expectSame } from './reckoning.ts'
import { bronzeRows, servedRows } from './stored-rows.ts'

// Goal: of everything that can be wrong with what comes in, the bad record alone is turned away, for a reason that is named; its neighbours
// arrive in bronze and in PostgreSQL. Method: one platform, its real front door, and at the end one count of all.

let home: PlatformHome
let url: string
let postgresUrl: string
let goodCount = 0
/** Bytes of every record that must have become a dead letter, with its reason. */
const turnedAway: string[] = []

beforeAll(async () => {
  home = new PlatformHome()
  const running = await home.start()
  url = running.url
  postgresUrl = running.postgresUrl
}, 120_000)

afterAll(() => home[Symbol.asyncDispose]())

const JSON_BODY = { 'content-type': 'application/json' }
const NDJSON_BODY = { 'content-type': 'application/x-ndjson' }

/** A good event, unlike every other. */
const good = (timestamp: number | bigint = 1_701_234_567_890) => {
  goodCount += 1
  return `{"user_id":1,"movie_id":${goodCount},"event_type":"click","timestamp":${timestamp}}`
}

async function post(body: string | Uint8Array, headers: Record<string, string> = JSON_BODY) {
  const response = await fetch(`${url}/events`, { method: 'POST', headers, body: body as string })
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> }
}

const event = (members: string) =>
  `{"user_id":1,"movie_id":1,"event_type":"click","timestamp":1701234567890,${members}}`

const BAD_RECORDS: Record<string, readonly [bytes: string, reason: string]> = {
  'cut off': ['{"user_id":1,"movie_id":2,"event_type":"click"', 'malformed_json'],
  'no JSON': ['user_id=1&movie_id=2', 'malformed_json'],
  'not an object': ['42', 'not_an_object'],
  'a field missing': ['{"user_id":1,"movie_id":2,"event_type":"click"}', 'missing_field'],
  'a field null': [
    '{"user_id":null,"movie_id":2,"event_type":"click","timestamp":1701234567890}',
    'missing_field',
  ],
  'text for a number': [
    '{"user_id":"1","movie_id":2,"event_type":"click","timestamp":1701234567890}',
    'wrong_type',
  ],
  'a fraction for a whole number': [
    '{"user_id":1.5,"movie_id":2,"event_type":"click","timestamp":1701234567890}',
    'wrong_type',
  ],
  'a number beyond 32 bits': [
    '{"user_id":2147483648,"movie_id":2,"event_type":"click","timestamp":1701234567890}',
    'out_of_range',
  ],
  'a text too long': [
    `{"user_id":1,"movie_id":2,"event_type":"${'x'.repeat(51)}","timestamp":1701234567890}`,
    'too_long',
  ],
  'a text too short': [
    '{"user_id":1,"movie_id":2,"event_type":"","timestamp":1701234567890}',
    'too_short',
  ],
  'a time too small for any unit': [
    '{"user_id":1,"movie_id":2,"event_type":"click","timestamp":42}',
    'out_of_range',
  ],
  'a negative time': [
    '{"user_id":1,"movie_id":2,"event_type":"click","timestamp":-1701234567}',
    'out_of_range',
  ],
  'a time in the far future': [
    '{"user_id":1,"movie_id":2,"event_type":"click","timestamp":99999999999999}',
    'out_of_range',
  ],
  'a time beyond all numbers': [
    '{"user_id":1,"movie_id":2,"event_type":"click","timestamp":1e400}',
    'out_of_range',
  ],
  'a time in words': [
    '{"user_id":1,"movie_id":2,"event_type":"click","timestamp":"yesterday"}',
    'wrong_type',
  ],
  'a key twice': [event('"user_id":2'), 'duplicate_key'],
  'nested too deeply': [event(`"deep":${'['.repeat(100)}${']'.repeat(100)}`), 'too_deep'],
  'half a surrogate pair': [event('"note":"\\ud83c"'), 'lone_surrogate'],
  'an id with U+0000': [event('"event_id":"a\\u0000b"'), 'bad_id'],
}

describe('one bad record among good ones', () => {
  for (const [what, [bytes, reason]] of Object.entries(BAD_RECORDS)) {
    test(what, async () => {
      const { status, answer } = await post(`${good()}\n${bytes}\n${good()}`, NDJSON_BODY)
      expect({ status, ...answer }).toMatchObject({
        ...{ status: 202, accepted: 2, rejected: 1 },
        records: [
          { status: 'accepted' },
          { status: 'rejected', index: 1, reason },
          { status: 'accepted' },
        ],
      })
      turnedAway.push(`${reason} ${bytes}`)
    })
  }

  test('bytes that are no UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`${good()}\n{"note":"`),
      Buffer.of(0xff),
      Buffer.from(`"}\n${good()}`),
    ])
    const { status, answer } = await post(bytes, NDJSON_BODY)
    expect({ status, ...answer }).toMatchObject({ status: 202, accepted: 2, rejected: 1 })
    turnedAway.push(
      `invalid_utf8 ${Buffer.concat([Buffer.from('{"note":"'), Buffer.of(0xff), Buffer.from('"}')]).toString('base64')}`,
    )
  })

  test('a record of more than a megabyte is kept in part, and said so', async () => {
    const huge = event(`"note":"${'x'.repeat(1 << 20)}"`)
    const { status, answer } = await post(`${good()}\n${huge}\n${good()}`, NDJSON_BODY)
    expect({ status, ...answer }).toMatchObject({ status: 202, accepted: 2, rejected: 1 })
    turnedAway.push(`record_too_large ${huge.slice(0, 1 << 20)}`)
  })
})

describe('a body that is bad as a whole leaves nothing', () => {
  test('none, too large, of another kind, not what it says', async () => {
    expect(await post('')).toMatchObject({ status: 400, answer: { code: 'empty_body' } })
    expect(await post(Buffer.alloc(17 << 20, 32))).toMatchObject({ status: 413 })
    expect(await post('<event/>', { 'content-type': 'text/xml' })).toMatchObject({ status: 415 })
    const gzip = { ...JSON_BODY, 'content-encoding': 'gzip' }
    expect(await post(good(), gzip)).toMatchObject({ status: 400 })
    goodCount -= 1
    expect(await post(gzipSync(good()), gzip)).toMatchObject({ status: 202 })
  })

  test('a client that leaves half-way', async () => {
    const { hostname, port } = new URL(url)
    const line = `${event('"note":"left"')}\n`
    await new Promise<void>((resolve) => {
      const socket = createConnection({ host: hostname, port: Number(port) }, () => {
        socket.write(
          `POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${10 * line.length}\r\n\r\n${line.repeat(5)}`,
          () => socket.destroy(),
        )
      })
      socket.on('close', () => resolve())
    })
    expect(await post(good())).toMatchObject({ status: 202 })
  })
})

describe('times', () => {
  const INSTANT = 1_701_234_567_890_123n

  test.for([
    ['seconds', 1_701_234_567n, 1_701_234_567_000_000n],
    ['milliseconds', 1_701_234_567_890n, 1_701_234_567_890_000n],
    ['microseconds', INSTANT, INSTANT],
    ['nanoseconds', 1_701_234_567_890_123_456n, INSTANT],
    ['the first second that is one', 100_000_000n, 100_000_000_000_000n],
    ['the last microsecond before 2200', 7_258_118_399_999_999n, 7_258_118_399_999_999n],
  ] as const)('%s', async ([, timestamp, micros]) => {
    expect(await post(good(timestamp))).toMatchObject({ status: 202 })
    const movieId = goodCount
    await drainedLedger(url)
    const [bronze] = (await bronzeRows(home.folder)).filter((row) => row.movieId === movieId)
    const [served] = (await servedRows(postgresUrl)).filter((row) => row.movieId === movieId)
    expect([bronze?.timestampMicros, served?.timestampMicros]).toEqual([micros, micros])
  })
})

test('in the end every good event is there once, and every bad one is a dead letter', async () => {
  const lines = await drainedLedger(url)
  expect(lines.every(({ balanced }) => balanced)).toBe(true)
  const wanted = Array.from({ length: goodCount }, (_, index) => String(index + 1))
  const ids = (rows: readonly { readonly movieId: number }[]) =>
    rows.map(({ movieId }) => String(movieId))
  expectSame('bronze', ids(await bronzeRows(home.folder)), wanted)
  expectSame('PostgreSQL', ids(await servedRows(postgresUrl)), wanted)
  expectSame(
    'dead letters',
    (await deadLetters(url)).map(({ reason, value }) => `${reason} ${value.text ?? value.base64}`),
    turnedAway,
  )
  expect(home.complaints()).toBe('')
})
