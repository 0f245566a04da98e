import { describe, expect, test } from 'vitest'
import { murmur2, partitionOf } from '../../src/log/partitioner.ts'
import { record } from '../conformance/log.ts'

describe('placing by key', () => {
  // Apache Kafka, clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java,
  // `testMurmur2`.
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('murmur2 of %s is as in Kafka', (text, hash) => {
    expect(murmur2(text)).toBe(hash)
  })

  test('text beyond ASCII, and long text, hash by their UTF-8 bytes', () => {
    // From Kafka's own Utils.murmur2.
    expect(murmur2('Truyền Hình')).toBe(-1531231154)
    expect(murmur2('x'.repeat(1000))).toBe(-1068453602)
  })

  test('the key places, without one the id does, an empty key is none', () => {
    const byKey = partitionOf(record('a', { key: 'foobar' }), 7)
    expect(byKey).toBe((-790332482 & 0x7fffffff) % 7)
    expect(partitionOf(record('other', { key: 'foobar' }), 7)).toBe(byKey)
    expect(partitionOf(record('foobar', { key: null }), 7)).toBe(byKey)
    expect(partitionOf(record('foobar', { key: '' }), 7)).toBe(byKey)
  })
})
