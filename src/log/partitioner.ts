import type { NewRecord } from '../model/append.ts'

// Where a record goes: murmur2 of its key's UTF-8 bytes, made positive, modulo the partition count,
// as Apache Kafka's default partitioner does (`org.apache.kafka.common.utils.Utils.murmur2` and
// `toPositive`, `BuiltInPartitioner.partitionForKey`). Both logs place alike, so a topic can move
// from one to the other and other programs' producers agree with ours. A record without key is
// placed by its id.

const SEED = 0x9747b28c | 0
const M = 0x5bd1e995

/** The partition of a record. An empty key is no key. */
export function partitionOf(record: NewRecord, partitionCount: number): number {
  if (partitionCount === 1) return 0
  const { key } = record
  return (murmur2(key === null || key === '' ? record.id : key) & 0x7fffffff) % partitionCount
}

/** Room for the bytes of one key; longer ones are rare and get a buffer of their own. */
const scratch = Buffer.alloc(1024)

/** murmur2 of a text's UTF-8 bytes with Kafka's seed, as a signed 32-bit integer. */
export function murmur2(text: string): number {
  const { length } = text
  if (length * 3 > scratch.length) {
    const bytes = Buffer.from(text)
    return murmur2OfBytes(bytes, bytes.length)
  }
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index)
    if (code > 127) return murmur2OfBytes(scratch, scratch.write(text, 0))
    scratch[index] = code
  }
  return murmur2OfBytes(scratch, length)
}

function murmur2OfBytes(bytes: Uint8Array, length: number): number {
  let hash = SEED ^ length
  let index = 0
  for (; index + 4 <= length; index += 4) {
    let word =
      bytes[index]! |
      (bytes[index + 1]! << 8) |
      (bytes[index + 2]! << 16) |
      (bytes[index + 3]! << 24)
    word = Math.imul(word, M)
    word ^= word >>> 24
    word = Math.imul(word, M)
    hash = Math.imul(hash, M) ^ word
  }
  const left = length - index
  if (left === 3) hash ^= bytes[index + 2]! << 16
  if (left >= 2) hash ^= bytes[index + 1]! << 8
  if (left >= 1) {
    hash ^= bytes[index]!
    hash = Math.imul(hash, M)
  }
  hash ^= hash >>> 13
  hash = Math.imul(hash, M)
  hash ^= hash >>> 15
  return hash | 0
}
