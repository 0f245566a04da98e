import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBatch, keepRecords, viewBatch } from '../../src/log/embedded/batch-decode.ts'
import { BatchBuilder, sealBatch } from '../../src/log/embedded/batch-encode.ts'
import { LogCorruptError } from '../../src/log/errors.ts'
import { type LogRecord, recordAt } from '../../src/model/record-batch.ts'

// The layout of batch blobs: whatever goes in comes out, and damage does not pass.

// Lone surrogates have no UTF-8 form, so texts are built from whole characters.
const text = fc.string({ unit: 'grapheme', maxLength: 60 })
const cells = fc.record({
  id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
  key: fc.option(text.filter((key) => key !== '')),
  headers: fc.option(fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true }), {
    nil: undefined,
  }),
  value: fc.uint8Array({ maxLength: 300 }),
  arrivedMs: fc.integer({ min: 0, max: 4e12 }),
})
const place = fc.record({
  offset: fc.integer({ min: 0, max: 2 ** 44 - 1 }),
  partitionNumber: fc.nat(2 ** 19 - 1),
  flags: fc.constant(1),
})

type Cells = typeof cells extends fc.Arbitrary<infer T> ? T : never

function blobOf(records: readonly Cells[], builder = new BatchBuilder()): Uint8Array {
  for (const { id, key, headers, value, arrivedMs } of records)
    builder.add(id, key, headers, value, arrivedMs)
  const buffer = new ArrayBuffer(builder.alignedBytes)
  return new Uint8Array(buffer, 0, builder.layOut(buffer, 0))
}

function recordsOf(blob: Uint8Array): readonly Omit<LogRecord, 'topic' | 'partition'>[] {
  const batch = decodeBatch(blob)
  const offsets = Float64Array.from({ length: batch.recordCount }, (_, n) => batch.offset + n)
  const view = { ...batch, topic: '', partition: 0, offsets, offsetEnd: 0 }
  return Array.from(offsets, (_, index) => {
    const { topic: _topic, partition: _partition, ...rest } = recordAt(view, index)
    return rest
  })
}

const expected = (records: readonly Cells[], offset: number) =>
  records.map(({ headers, ...rest }, index) => ({
    ...rest,
    headers: headers ?? {},
    offset: offset + index,
  }))

describe('batch blobs', () => {
  test('what goes in comes out', () => {
    const builder = new BatchBuilder()
    fc.assert(
      fc.property(fc.array(cells, { maxLength: 200 }), place, (records, where) => {
        // One builder for all: it must forget the batch before.
        const blob = blobOf(records, builder)
        sealBatch(blob, where)
        expect(recordsOf(blob)).toEqual(expected(records, where.offset))
        expect(decodeBatch(blob)).toMatchObject({
          partitionNumber: where.partitionNumber,
          hasIndexedIds: true,
        })
      }),
      { numRuns: 60 },
    )
  })

  test('records can be left out', () => {
    const kept = fc.array(fc.tuple(cells, fc.boolean()), { maxLength: 60 })
    fc.assert(
      fc.property(kept, place, (pairs, where) => {
        const blob = blobOf(pairs.map(([record]) => record))
        const keep = Uint8Array.from(pairs, ([, stays]) => (stays ? 1 : 0))
        const rest = keepRecords(viewBatch(blob), keep)
        sealBatch(rest, where)
        const staying = pairs.filter(([, stays]) => stays).map(([record]) => record)
        expect(recordsOf(rest)).toEqual(expected(staying, where.offset))
      }),
      { numRuns: 40 },
    )
  })

  test('a changed or missing byte is noticed', () => {
    const some = fc.array(cells, { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(
        some,
        place,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (records, where, at, flip) => {
          const blob = blobOf(records)
          sealBatch(blob, where)
          const changed = blob.slice()
          // Bytes 1 to 3 are flags, whose loss costs no record, and padding.
          const index = at % blob.length
          if (index < 1 || index > 3) {
            changed[index]! ^= flip
            expect(() => decodeBatch(changed)).toThrow(LogCorruptError)
          }
          expect(() => decodeBatch(blob.slice(0, at % blob.length))).toThrow(LogCorruptError)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('the bytes are as docs/PROTOCOL.md spells them', () => {
    const blob = blobOf([
      { id: 'i1', key: 'k', headers: { a: 'b' }, value: new Uint8Array([1, 2, 3]), arrivedMs: 1.5 },
    ])
    sealBatch(blob, { offset: 2 ** 32 + 5, partitionNumber: 7, flags: 1 })
    // Made by Python's `struct` and `zlib` from the description alone.
    const fixture =
      '01010000' +
      'f4bd6ea6' +
      '050000000100000007000000' +
      '01000000' +
      '02000000010000000900000003000000' +
      '000000000000f83f' +
      '02000000010000000900000003000000' +
      '69316b7b2261223a2262227d010203'
    expect(Buffer.from(blob).toString('hex')).toBe(fixture)
  })
})
