// As much of the protocol buffers wire format as Spark Connect needs (https://protobuf.dev/programming-guides/encoding/): fields are a
// varint of `number << 3 | type`, then a varint (type 0), eight bytes (1), a length and bytes (2), or four bytes (5).

/** A message under construction: fields one after another. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = []

  /** Empty texts are left out, as proto3 has it. */
  text(field: number, value: string): this {
    return value === '' ? this : this.bytes(field, Buffer.from(value))
  }

  /** True; false is left out. */
  flag(field: number): this {
    this.#parts.push(varint(field * 8), varint(1))
    return this
  }

  message(field: number, value: MessageWriter): this {
    return this.bytes(field, value.finish())
  }

  bytes(field: number, value: Uint8Array): this {
    this.#parts.push(varint(field * 8 + 2), varint(value.length), value)
    return this
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts)
  }
}

/** Numbers below 2^53 in groups of seven bits, the lowest first. */
function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

export interface Field {
  readonly number: number
  /** Of length-delimited fields; empty for others. */
  readonly bytes: Uint8Array
}

/** The fields of a message, in order. @throws RangeError when the bytes are no message */
export function* readFields(bytes: Uint8Array): Generator<Field> {
  let at = 0
  const readVarint = () => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      if (at >= bytes.length) throw new RangeError('the message ends within a number')
      const byte = bytes[at++]!
      value += (byte % 128) * factor
      if (byte < 128) return value
    }
  }
  const take = (length: number) => {
    if (at + length > bytes.length) throw new RangeError('the message ends within a field')
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const tag = readVarint()
    const number = Math.floor(tag / 8)
    switch (tag % 8) {
      case 0:
        readVarint()
        yield { number, bytes: new Uint8Array(0) }
        break
      case 1:
        take(8)
        yield { number, bytes: new Uint8Array(0) }
        break
      case 2:
        yield { number, bytes: take(readVarint()) }
        break
      case 5:
        take(4)
        yield { number, bytes: new Uint8Array(0) }
        break
      default:
        throw new RangeError(`a field of wire type ${tag % 8}, which is none of today's`)
    }
  }
}
