/**
 * A position in a byte string, moving forward over Avro's primitive encodings (Avro specification, "Binary Encoding").
 * Reading past the end is a RangeError, as with DataView.
 */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    // A plain view, so that what is taken from a Buffer is none.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get at(): number {
    return this.#at
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  /** Zig-zag, then seven bits at a time, lowest first; at most ten bytes. */
  long(): bigint {
    let low = 0
    let scale = 1
    // Up to 49 bits fit a double exactly.
    for (let index = 0; index < 7; index += 1) {
      const byte = this.byte()
      low += (byte & 0x7f) * scale
      if (byte < 0x80) return low % 2 === 0 ? BigInt(low / 2) : BigInt(-(low + 1) / 2)
      scale *= 128
    }
    let value = BigInt(low)
    for (let shift = 49n; shift <= 63n; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
    }
    throw new RangeError('a number is longer than 64 bits')
  }

  /** A number that must be exact as a double: ints, lengths, counts. */
  int(): number {
    const value = Number(this.long())
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not an int`)
    return value
  }

  byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new RangeError('the bytes end too early')
    this.#at += 1
    return byte
  }

  float(): number {
    const value = this.#view.getFloat32(this.#at, true)
    this.#at += 4
    return value
  }

  double(): number {
    const value = this.#view.getFloat64(this.#at, true)
    this.#at += 8
    return value
  }

  /** The next bytes: a view, not a copy. */
  take(count: number): Uint8Array {
    if (count < 0 || count > this.remaining) throw new RangeError('the bytes end too early')
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  /** Bytes after their length. */
  bytes(): Uint8Array {
    return this.take(this.int())
  }
}
