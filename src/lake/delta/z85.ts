/** Z85, the base85 of the deletion vectors: https://rfc.zeromq.org/spec/32/. Big-endian, five characters for four bytes. */
const ALPHABET =
  '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'

const DIGITS = new Int8Array(128).fill(-1)
for (let digit = 0; digit < ALPHABET.length; digit += 1) DIGITS[ALPHABET.charCodeAt(digit)] = digit

/** `undefined` when the text is not Z85. */
export function decodeZ85(text: string): Uint8Array | undefined {
  if (text.length % 5 !== 0) return undefined
  const bytes = new Uint8Array((text.length / 5) * 4)
  const view = new DataView(bytes.buffer)
  for (let start = 0; start < text.length; start += 5) {
    let value = 0
    for (let index = start; index < start + 5; index += 1) {
      const digit = DIGITS[text.charCodeAt(index)] ?? -1
      if (digit < 0) return undefined
      value = value * 85 + digit
    }
    if (value > 0xffff_ffff) return undefined
    view.setUint32((start / 5) * 4, value)
  }
  return bytes
}

/** The length must be a multiple of four; callers pad with zeros. */
export function encodeZ85(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let text = ''
  for (let start = 0; start < bytes.length; start += 4) {
    let value = view.getUint32(start)
    let group = ''
    for (let index = 0; index < 5; index += 1) {
      group = ALPHABET[value % 85]! + group
      value = Math.floor(value / 85)
    }
    text += group
  }
  return text
}
