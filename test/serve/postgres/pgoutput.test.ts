import { expect, test } from 'vitest'
import { readPgoutput } from '../../../src/serve/postgres/pgoutput.ts'
import { lsnOf, lsnText } from '../../../src/serve/postgres/replication-slot.ts'

const read = (hex: string) => readPgoutput(Buffer.from(hex, 'hex'))

// As PostgreSQL 15 sent them for
//   CREATE TABLE t (id int PRIMARY KEY, a text, b text)  -- b stored beside the row, 3,000 letters
//   UPDATE t SET a = NULL; UPDATE t SET id = 2; DELETE FROM t; TRUNCATE t
test('messages of a real server', () => {
  expect(read('4200000000065ff480000303b6de760bfb000003a9')).toEqual({
    ...{ kind: 'begin', commitLsn: lsnOf('0/65FF480'), committedMicros: 1_795_193_681_341_435n },
  })
  expect(
    read(
      '52000060407075626c69630074006400030169640000000017ffffffff00610000000019ffffffff00620000000019ffffffff',
    ),
  ).toEqual({ kind: 'relation', relation: 24640, columns: ['id', 'a', 'b'] })
  expect(read('55000060404e00037400000001316e75')).toEqual({
    ...{ kind: 'update', relation: 24640, old: undefined, row: ['1', null, undefined] },
  })
  expect(read('55000060404b00037400000001316e6e4e00037400000001326e75')).toEqual({
    ...{ kind: 'update', relation: 24640 },
    // Of the old row only the key is said, and nulls stand for what is not.
    old: ['1', undefined, undefined],
    row: ['2', null, undefined],
  })
  expect(read('44000060404b00037400000001326e6e')).toEqual({
    ...{ kind: 'delete', relation: 24640, old: ['2', undefined, undefined] },
  })
  expect(read('54000000010000006040')).toEqual({ kind: 'truncate', relations: [24640] })
  expect(read('4300000000000660023800000000066003a8000303b6de765272')).toEqual({
    ...{ kind: 'commit', endLsn: lsnOf('0/66003A8') },
  })
  expect(read('4d00000000000000000000')).toEqual({ kind: 'other' })
})

test('text is UTF-8 and may be long', () => {
  const large = 'ấ'.repeat(50_000)
  const bytes = Buffer.from(large)
  const head = Buffer.from('49000060404e000174', 'hex')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  expect(readPgoutput(Buffer.concat([head, length, bytes]))).toEqual({
    ...{ kind: 'insert', relation: 24640, row: [large] },
  })
})

test('places in the log are numbers and back', () => {
  for (const text of ['0/0', '0/65FF480', '16/B374D848', 'FFFFFFFF/FFFFFFFF'])
    expect(lsnText(lsnOf(text))).toBe(text)
  expect(lsnOf('1/0')).toBe(4_294_967_296n)
})
