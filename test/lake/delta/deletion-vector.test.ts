import { crc32, inflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import {
  deletionVectorPath,
  parseDeletionVector,
  readDeletionVector,
} from '../../../src/lake/delta/deletion-vector.ts'
import { decodeZ85, encodeZ85 } from '../../../src/lake/delta/z85.ts'
import { readRoaring64 } from '../../../src/lake/roaring.ts'
import { memoryStore } from '../../../src/storage/memory.ts'

const base64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))

describe('Roaring bitmaps written by CRoaring', () => {
  test('arrays and a run, without positions', () => {
    const found = readRoaring64(base64('AQAAAAAAAAAAAAAAOzACAAQAAAEAAQAAAAMAL3UBAAUAcBEBAEANL3U='))
    expect(found).toHaveLength(30_003)
    expect([...found.slice(0, 4)]).toEqual([1, 5, 70_000, 200_000])
    expect(found.at(-1)).toBe(229_999)
  })

  test('arrays and a run, with positions', () => {
    const found = readRoaring64(
      base64(
        'AQAAAAAAAAAAAAAAOzAFAAEAAAoAAQAAAAIAAAADAAAABAAAAAUAAAA1AAAAPwAAAEEAAABDAAAARQAAAEcAAAACAAAAAAAKAAkAAAAAAAAAAAAAAA==',
      ),
    )
    const run = Array.from({ length: 10 }, (_, index) => 10 + index)
    expect([...found]).toEqual([0, ...run, 65_536, 131_072, 196_608, 262_144, 327_680])
  })

  test('a dense container, and numbers past 32 bits', () => {
    const packed =
      'eNrt2jEOQEAQQNGxq6DTEZUjqFVu5AxubiMrTkD1fjJ5u3OGyfG2rRGpvlMc41Scy+Q492Xo2gQAAAAAAAAAHxCSJEmSfqqp1wFN/Q9l+vtW4Nnmuo24AH+l7WI='
    const found = readRoaring64(new Uint8Array(inflateSync(base64(packed))))
    const dense = Array.from({ length: 6000 }, (_, index) => ((index * 7) % 65_536) + 131_072)
    const wanted = [3, ...dense.sort((a, b) => a - b), 2 ** 32 + 9, 2 ** 33 + 65_536 * 3]
    expect([...found]).toEqual(wanted)
  })

  test('damage is noticed', () => {
    const bytes = base64('AQAAAAAAAAAAAAAAOzACAAQAAAEAAQAAAAMAL3UBAAUAcBEBAEANL3U=')
    expect(() => readRoaring64(bytes.subarray(0, 20))).toThrow(RangeError)
    bytes[12] = 0
    expect(() => readRoaring64(bytes)).toThrow(RangeError)
  })
})

describe('deletion vectors', () => {
  const store = memoryStore({ clock: { nowMs: () => 0 } })
  // The rows of the specification's "JSON Example 3 - Inline". Its own text is of an older format that no reader takes;
  // this is how the reference kernels write it.
  const inline = {
    storageType: 'i',
    pathOrInlineDv: '^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L',
    sizeInBytes: 44,
    cardinality: 6,
  } as const
  const rows = [3, 4, 7, 11, 18, 29]
  const bytes = decodeZ85(inline.pathOrInlineDv)!

  test('base85 goes both ways', () => {
    expect(encodeZ85(bytes)).toBe(inline.pathOrInlineDv)
    expect(decodeZ85('wi5b')).toBeUndefined()
    expect(decodeZ85('wi5b,')).toBeUndefined()
    expect(decodeZ85('#####')).toBeUndefined()
  })

  test('inline', async () => {
    expect([...parseDeletionVector(bytes)]).toEqual(rows)
    expect([...(await readDeletionVector(store, 't', inline)).positions]).toEqual(rows)
  })

  test('in a file, by relative and by absolute path, checked', async () => {
    const framed = Buffer.alloc(1 + 4 + bytes.length + 4)
    framed[0] = 1
    framed.writeUInt32BE(bytes.length, 1)
    framed.set(bytes, 5)
    framed.writeUInt32BE(crc32(bytes), 5 + bytes.length)
    // "JSON Example 1 - On Disk with Relative Path".
    const relative = {
      storageType: 'u',
      pathOrInlineDv: 'ab^-aqEH.-t@S}K{vb[*k^',
      offset: 1,
      sizeInBytes: 44,
      cardinality: 6,
    } as const
    const name = 'ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin'
    expect(deletionVectorPath(relative, 'memory:///my%20t/')).toBe(name)
    await store.put(`my t/${name}`, framed)
    expect([...(await readDeletionVector(store, 'my t', relative)).positions]).toEqual(rows)
    const absolute = {
      ...relative,
      storageType: 'p',
      pathOrInlineDv: `memory:///my%20t/${name}`,
    } as const
    expect([...(await readDeletionVector(store, 'my t', absolute)).positions]).toEqual(rows)
    for (const wrong of [{ cardinality: 7 }, { offset: 2 }, { sizeInBytes: 45 }])
      await expect(
        readDeletionVector(store, 'my t', { ...relative, ...wrong }),
      ).rejects.toMatchObject({ code: 'TABLE_BROKEN' })
    framed[20]! ^= 1
    await store.put(`my t/${name}`, framed)
    await expect(readDeletionVector(store, 'my t', relative)).rejects.toMatchObject({
      code: 'TABLE_BROKEN',
      message: expect.stringContaining('checksum'),
    })
  })
})
