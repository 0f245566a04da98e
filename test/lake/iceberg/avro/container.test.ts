import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openAvroFile, writeAvroFile } from '../../../../src/lake/iceberg/avro/container.ts'
import type { AvroRow, AvroValue } from '../../../../src/model/avro/decode.ts'
import {
  type AvroSchema,
  avroSchemaJson,
  parseAvroSchema,
} from '../../../../src/model/avro/schema.ts'

const SYNC = Uint8Array.from({ length: 16 }, (_, index) => index)

async function rowsOf(bytes: Uint8Array): Promise<AvroRow[]> {
  const rows: AvroRow[] = []
  for await (const block of openAvroFile(bytes).blocks()) rows.push(...block)
  return rows
}

interface Typed {
  readonly schema: AvroSchema
  readonly value: fc.Arbitrary<AvroValue>
}

const primitives: readonly Typed[] = [
  { schema: { type: 'boolean' }, value: fc.boolean() },
  { schema: { type: 'int' }, value: fc.integer() },
  {
    schema: { type: 'long' },
    value: fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.bigInt({ min: -(2n ** 49n), max: 2n ** 49n }),
    ),
  },
  { schema: { type: 'float' }, value: fc.float() },
  { schema: { type: 'double' }, value: fc.double() },
  { schema: { type: 'bytes' }, value: fc.uint8Array() },
  { schema: { type: 'string' }, value: fc.string({ unit: 'binary' }) },
  {
    schema: { type: 'fixed', name: 'six', size: 6 },
    value: fc.uint8Array({ minLength: 6, maxLength: 6 }),
  },
  { schema: { type: 'enum', name: 'abc', symbols: ['a', 'b'] }, value: fc.constantFrom('a', 'b') },
]

/** Schemas with values that fit them, nested to `depth`. Names are unique because Avro wants them so. */
function typed(depth: number, path: string): fc.Arbitrary<Typed> {
  const leaf = fc.constantFrom(...primitives).map(({ schema, value }) => ({
    schema: 'name' in schema ? { ...schema, name: `${schema.name}_${path}` } : schema,
    value,
  }))
  if (depth === 0) return leaf
  const inner = typed(depth - 1, `${path}i`)
  return fc.oneof(
    leaf,
    inner.map(({ schema, value }) => ({
      schema: { type: 'union', branches: [{ type: 'null' }, schema] } as const,
      value: fc.option(value),
    })),
    inner.map(({ schema, value }) => ({
      schema: { type: 'array', items: schema, 'element-id': 7 } as const,
      value: fc.array(value, { maxLength: 5 }),
    })),
    inner.map(({ schema, value }) => ({
      schema: { type: 'map', values: schema } as const,
      value: fc
        .array(fc.tuple(fc.string(), value), { maxLength: 5 })
        .map((entries) => new Map(entries)),
    })),
    fc
      .tuple(typed(depth - 1, `${path}a`), typed(depth - 1, `${path}b`))
      .map(([a, b]) => record(path, { a, b })),
  )
}

function record(name: string, fields: Readonly<Record<string, Typed>>): Typed {
  return {
    schema: {
      type: 'record',
      name: `r_${name}`,
      fields: Object.entries(fields).map(([field, { schema }], index) => ({
        name: field,
        type: schema,
        'field-id': index,
      })),
    },
    value: fc.record(
      Object.fromEntries(Object.entries(fields).map(([k, { value }]) => [k, value])),
    ),
  }
}

const files = fc
  .tuple(typed(2, 'x'), typed(2, 'y'))
  .map(([x, y]) => record('top', { x, y }))
  .chain(({ schema, value }) => fc.tuple(fc.constant(schema), fc.array(value, { maxLength: 40 })))

describe('Avro files', () => {
  test('give back what was put in', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.constantFrom('null', 'deflate'), async ([schema, rows], codec) => {
        const bytes = await writeAvroFile({
          schema,
          rows: rows as AvroRow[],
          metadata: { note: 'é' },
          sync: SYNC,
          codec: codec as 'null' | 'deflate',
        })
        const file = openAvroFile(bytes)
        expect(file.metadata.get('note')).toBe('é')
        expect(file.schema).toEqual(schema)
        const found = await rowsOf(bytes)
        // Maps and typed arrays and -0 are all compared; only the prototype of fc.record's objects differs.
        expect(found).toEqual(rows.map((row) => Object.assign({}, row)))
      }),
      { numRuns: 150 },
    )
  })

  test('are refused when damaged anywhere, never read wrongly in silence', async () => {
    const schema = record('top', { a: primitives[6]! }).schema
    const rows = Array.from({ length: 50 }, (_, index) => ({ a: `row ${index}` }))
    const bytes = await writeAvroFile({ schema, rows, metadata: {}, sync: SYNC, codec: 'deflate' })
    for (let end = 0; end < bytes.length; end += 7) {
      const cut = bytes.subarray(0, end)
      const isWhole = await rowsOf(cut).then(
        (found) => found.length === rows.length,
        (error) => !(error instanceof RangeError || error instanceof SyntaxError),
      )
      // A cut right after the head is a whole file without blocks, which no format can tell from a short one.
      if (isWhole) expect((await rowsOf(cut)).length).toBe(0)
    }
  })

  test('leave out fields that nobody asked for', async () => {
    const all = record('top', { a: primitives[2]!, b: primitives[6]!, c: primitives[0]! }).schema
    const bytes = await writeAvroFile({
      schema: all,
      rows: [{ a: 1n, b: 'text', c: true }],
      metadata: {},
      sync: SYNC,
    })
    const naming = (field: { readonly [name: string]: unknown }) =>
      field['field-id'] === 2 ? 'third' : undefined
    for await (const rows of openAvroFile(bytes).blocks(naming))
      expect(rows).toEqual([{ third: true }])
  })

  // Written by fastavro 1.13.1: {'a': long, 'b': ['null', string]}, rows (7, 'seven'), (-9007199254740993, null), (2**62, 'xx…').
  const BY_FASTAVRO: Readonly<Record<string, string>> = {
    null: 'T2JqAQQUYXZyby5jb2RlYwhudWxsFmF2cm8uc2NoZW1h6gF7InR5cGUiOiAicmVjb3JkIiwgIm5hbWUiOiAiciIsICJmaWVsZHMiOiBbeyJuYW1lIjogImEiLCAidHlwZSI6ICJsb25nIn0sIHsibmFtZSI6ICJiIiwgInR5cGUiOiBbIm51bGwiLCAic3RyaW5nIl19XX0AMDEyMzQ1Njc4OWFiY2RlZgbMAw4CCnNldmVugYCAgICAgCAAgICAgICAgICAAQKQA3h4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4MDEyMzQ1Njc4OWFiY2RlZg==',
    deflate:
      'T2JqAQQUYXZyby5jb2RlYw5kZWZsYXRlFmF2cm8uc2NoZW1h6gF7InR5cGUiOiAicmVjb3JkIiwgIm5hbWUiOiAiciIsICJmaWVsZHMiOiBbeyJuYW1lIjogImEiLCAidHlwZSI6ICJsb25nIn0sIHsibmFtZSI6ICJiIiwgInR5cGUiOiBbIm51bGwiLCAic3RyaW5nIl19XX0AMDEyMzQ1Njc4OWFiY2RlZgY442PiKk4tS81rbAADBYYGGGBkmsBcMUwAAATkaDAxMjM0NTY3ODlhYmNkZWY=',
    snappy:
      'T2JqAQQUYXZyby5jb2RlYwxzbmFwcHkWYXZyby5zY2hlbWHqAXsidHlwZSI6ICJyZWNvcmQiLCAibmFtZSI6ICJyIiwgImZpZWxkcyI6IFt7Im5hbWUiOiAiYSIsICJ0eXBlIjogImxvbmcifSwgeyJuYW1lIjogImIiLCAidHlwZSI6IFsibnVsbCIsICJzdHJpbmciXX1dfQAwMTIzNDU2Nzg5YWJjZGVmBlbmASQOAgpzZXZlboGABQEEIAAFBwEBEAECkAN4/gEA/gEA/gEADQGKHzbPMDEyMzQ1Njc4OWFiY2RlZg==',
    zstandard:
      'T2JqAQQUYXZyby5jb2RlYxJ6c3RhbmRhcmQWYXZyby5zY2hlbWHqAXsidHlwZSI6ICJyZWNvcmQiLCAibmFtZSI6ICJyIiwgImZpZWxkcyI6IFt7Im5hbWUiOiAiYSIsICJ0eXBlIjogImxvbmcifSwgeyJuYW1lIjogImIiLCAidHlwZSI6IFsibnVsbCIsICJzdHJpbmciXX1dfQAwMTIzNDU2Nzg5YWJjZGVmBkgotS/9IObdAACQDgIKc2V2ZW6BgCAAgAECkAN4AxAARKppXEgwMTIzNDU2Nzg5YWJjZGVm',
  }
  for (const [codec, hex] of Object.entries(BY_FASTAVRO))
    test(`written by fastavro with ${codec} are read`, async () => {
      const rows = await rowsOf(Uint8Array.from(Buffer.from(hex, 'base64')))
      expect(rows).toEqual([
        { a: 7n, b: 'seven' },
        { a: -9007199254740993n, b: null },
        { a: 2n ** 62n, b: 'x'.repeat(200) },
      ])
    })
})

describe('Avro schemas', () => {
  test('resolve names, in namespaces too, and write a second use by name', () => {
    const json = JSON.stringify({
      type: 'record',
      name: 'top',
      namespace: 'n',
      fields: [
        { name: 'a', type: { type: 'fixed', name: 'f', size: 2 } },
        { name: 'b', type: ['null', 'n.f'] },
        { name: 'c', type: { type: 'int', logicalType: 'date' }, 'field-id': 3 },
      ],
    })
    const schema = parseAvroSchema(json)
    expect(schema).toMatchObject({
      fields: [{}, { type: { branches: [{}, { type: 'fixed', size: 2 }] } }, { 'field-id': 3 }],
    })
    expect(parseAvroSchema(avroSchemaJson(schema))).toEqual(schema)
  })
})
