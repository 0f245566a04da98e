/** Bytes that grow at their end, with Avro's primitive encodings (Avro specification, "Binary Encoding"). */
export class ByteWriter {
  #bytes = new Uint8Array(1024)
  #view = new DataView(this.#bytes.buffer)
  #end = 0

  get length(): number {
    return this.#end
  }

  /** What was written so far: a view that further writing may leave behind. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#end)
  }

  /** Begin again, over what was written. */
  clear(): void {
    this.#end = 0
  }

  /** @throws RangeError when the value does not fit 64 bits */
  long(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} is not a long`)
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    while (rest > 0x7fn) {
      this.byte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.byte(Number(rest))
  }

  /** @throws RangeError when the value is not a whole 32-bit number */
  int(value: number): void {
    if ((value | 0) !== value) throw new RangeError(`${value} is not an int`)
    let rest = ((value << 1) ^ (value >> 31)) >>> 0
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.byte(rest)
  }

  byte(value: number): void {
    this.#grow(1)
    this.#bytes[this.#end++] = value
  }

  float(value: number): void {
    this.#grow(4)
    this.#view.setFloat32(this.#end, value, true)
    this.#end += 4
  }

  double(value: number): void {
    this.#grow(8)
    this.#view.setFloat64(this.#end, value, true)
    this.#end += 8
  }

  raw(bytes: Uint8Array): void {
    this.#grow(bytes.length)
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** Bytes after their length. */
  bytes(bytes: Uint8Array): void {
    this.int(bytes.length)
    this.raw(bytes)
  }

  #grow(count: number): void {
    if (this.#end + count <= this.#bytes.length) return
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.#end + count))
    bytes.set(this.#bytes.subarray(0, this.#end))
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}
