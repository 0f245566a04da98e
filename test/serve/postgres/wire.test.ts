import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  answerFacts,
  copiesFromClient,
  errorMessage,
  message,
  queryMessage,
  rowsIn,
  statementName,
  syncMessage,
} from '../../../src/serve/postgres/wire.ts'
import { type WireRequest, wireReader } from '../../../src/serve/postgres/wire-reader.ts'

const first = Buffer.from('\0\0\0\x11\0\x03\0\0user\0me\0\0', 'latin1')
const limits = { requestBytesMax: 1_000_000 }

/** Requests with their messages joined, so that they compare by content. */
const plain = (requests: readonly WireRequest[]) =>
  requests.map((request) =>
    'messages' in request
      ? [request.kind, Buffer.concat(request.messages).toString('latin1')]
      : [request.kind],
  )

describe('reading requests', () => {
  test('however the bytes are cut, the requests are the same', () => {
    const parse = message('P', 'name\0SELECT 1\0\0\0')
    const stream = Buffer.concat([
      first,
      queryMessage('SELECT 1'),
      ...[parse, message('B', '\0name\0\0\0\0\0\0\0'), message('E', '\0\0\0\0\0'), syncMessage],
      ...[queryMessage('COPY t FROM STDIN'), message('d', '1\n'), syncMessage, message('d', '2\n')],
      ...[message('c'), queryMessage('SELECT 2'), message('d', 'left over'), message('X')],
    ])
    const whole = plain(wireReader(limits).push(stream))
    expect(whole.map(([kind]) => kind)).toEqual(
      'first run run copy-begin copy run goodbye'.split(' '),
    )
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: stream.length }), { maxLength: 30 }),
        (cuts) => {
          const reader = wireReader(limits)
          const edges = [0, ...cuts.toSorted((a, b) => a - b), stream.length]
          const requests = edges
            .slice(1)
            .flatMap((edge, index) => [
              ...reader.push(Buffer.from(stream.subarray(edges[index], edge))),
            ])
          expect(plain(requests)).toEqual(whole)
          expect(reader.heldBytes).toBe(0)
        },
      ),
    )
  })

  test('nonsense and too much of anything end the conversation', () => {
    const kinds = (...parts: Buffer[]) =>
      plain(wireReader(limits).push(Buffer.concat(parts))).flat()
    expect(kinds(Buffer.from('GET / HTTP/1.1\r\n'))).toEqual(['nonsense'])
    expect(kinds(first, message('?'))).toEqual(['first', 'nonsense'])
    expect(kinds(first, Buffer.from('Q\xff\xff\xff\xff', 'latin1'))).toEqual(['first', 'nonsense'])
    expect(kinds(first, Buffer.from('Q\x7f\0\0\0', 'latin1'))).toEqual(['first', 'nonsense'])
  })
})

test('finds a COPY from the client, and only that', () => {
  expect(copiesFromClient('copy t (a, b) from stdin with (format csv)')).toBe('alone')
  expect(copiesFromClient('-- load\nCOPY "from" FROM STDIN;')).toBe('alone')
  expect(copiesFromClient('BEGIN; COPY t FROM STDIN')).toBe('among-others')
  expect(copiesFromClient("COPY t FROM '/a/file'")).toBe('no')
  expect(copiesFromClient('COPY t TO STDOUT')).toBe('no')
  expect(copiesFromClient("SELECT 'x; COPY t FROM STDIN'")).toBe('no')
  expect(copiesFromClient('DO $a$ BEGIN; COPY t FROM STDIN; END $a$')).toBe('no')
})

test('renames statements and leaves portals alone', () => {
  const bind = message('B', 'portal\0old\0rest')
  expect(statementName(bind)?.name).toBe('old')
  expect(statementName(bind)?.renamed('new')).toEqual(message('B', 'portal\0new\0rest'))
  expect(statementName(message('D', 'Pportal\0'))).toBeNull()
  expect(statementName(message('C', 'Sold\0'))?.renamed('')).toEqual(message('C', 'S\0'))
})

test('reads what an answer says', () => {
  const fatal = errorMessage({ severity: 'FATAL', code: '57P01', text: 'VERROR' })
  expect(answerFacts(Buffer.concat([message('C', 'BEGIN\0'), message('Z', 'T')]))).toEqual({
    status: 'T',
    fatal: false,
  })
  expect(answerFacts(fatal)).toEqual({ status: null, fatal: true })
  const row = message('D', Buffer.from('\0\x03\0\0\0\x01a\xff\xff\xff\xff\0\0\0\0', 'latin1'))
  expect(rowsIn(row)).toEqual([['a', null, '']])
})
