import { isUtf8 } from 'node:buffer'

const HEX_BYTES_MAX = 256
const HEX_WIDTH = 16

/** A value for a line of a table: its text when it is UTF-8, else hexadecimal. */
export function valueText(value: Uint8Array): string {
  const buffer = Buffer.from(value)
  return isUtf8(buffer) ? buffer.toString('utf8') : `\\x${buffer.toString('hex')}`
}

/** A value whole, for people: its text when it is UTF-8, else rows of hexadecimal with what is readable beside them. */
export function valueBlock(value: Uint8Array): string {
  const buffer = Buffer.from(value)
  if (buffer.length === 0) return '(empty)'
  if (isUtf8(buffer)) return buffer.toString('utf8')
  const shown = buffer.subarray(0, HEX_BYTES_MAX)
  const lines: string[] = []
  for (let at = 0; at < shown.length; at += HEX_WIDTH) {
    const row = shown.subarray(at, at + HEX_WIDTH)
    const hex = (row.toString('hex').match(/../g) ?? []).join(' ')
    const readable = row.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '.')
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(HEX_WIDTH * 3)} ${readable}`)
  }
  if (buffer.length > shown.length) lines.push(`… and ${buffer.length - shown.length} bytes more`)
  return lines.join('\n')
}
