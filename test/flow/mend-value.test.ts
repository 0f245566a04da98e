import { describe, expect, test } from 'vitest'
import { MendError, mendFields } from '../../src/flow/mend-value.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const mended = (text: string, fields: Readonly<Record<string, string | undefined>>) =>
  new TextDecoder().decode(mendFields(bytes(text), fields))

describe('mending fields of a value', () => {
  test('changes what is named and keeps everything else, to the last digit and in its order', () => {
    const value = '{"z":1701234567890123457,"price":1.10,"big":1e400,"a":{"n":0.1000}}'
    expect(mended(value, { price: '2.50', name: '"ü"', gone: undefined })).toBe(
      '{"z":1701234567890123457,"price":2.50,"big":1e400,"a":{"n":0.1000},"name":"ü"}',
    )
    expect(mended(value, { z: undefined, big: 'null', a: undefined, price: undefined })).toBe(
      '{"big":null}',
    )
    expect(mended('\ufeff{}', { a: '1' })).toBe('{"a":1}')
  })

  test('is refused for what is no JSON object, and for what is no JSON', () => {
    for (const value of ['{"a":', '[1]', '7', 'null', '']) {
      expect(() => mended(value, { a: '1' }), value).toThrow(MendError)
    }
    expect(() => mendFields(Uint8Array.of(0x22, 0xff, 0x22), { a: '1' })).toThrow(MendError)
    expect(() => mended('{}', { name: 'click' })).toThrow(/name='"click"'/)
  })
})
