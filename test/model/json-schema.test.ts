import { expect, test } from 'vitest'
import { exampleOf, jsonSchemaOf } from '../../src/model/json-schema.ts'
import {
  boolean,
  date,
  decimal,
  epoch,
  float64,
  int32,
  int64,
  json,
  list,
  nested,
  optional,
  record,
  text,
  timestamp,
} from '../../src/model/schema.ts'
import { compileSchemaCheck } from '../../src/model/schema-check.ts'

const EVERYTHING = record({
  flag: boolean({ doc: 'A flag.' }),
  small: int32({ min: 1 }),
  large: int64(),
  ratio: float64(),
  price: decimal(10, 2),
  word: text({ min: 30, max: 40 }),
  choice: optional(text({ oneOf: ['a', 'b'] })),
  at: timestamp(),
  when: epoch(),
  day: date(),
  any: json(),
  anyOrNull: optional(json()),
  tags: list(text(), { min: 2 }),
  inner: nested({ x: int32({ max: 5 }) }),
})

test('says in JSON Schema what the check wants', () => {
  expect(jsonSchemaOf(EVERYTHING)).toMatchObject({
    type: 'object',
    additionalProperties: true,
    required: expect.not.arrayContaining(['choice', 'anyOrNull']),
    properties: {
      flag: { type: 'boolean', description: 'A flag.' },
      small: { type: 'integer', minimum: 1, maximum: 2147483647 },
      price: { type: ['string', 'number'] },
      word: { minLength: 30, maxLength: 40 },
      choice: { type: ['string', 'null'], enum: ['a', 'b', null] },
      at: { format: 'date-time' },
      any: { not: { type: 'null' } },
      anyOrNull: {},
      tags: { type: 'array', minItems: 2, items: { type: 'string' } },
      inner: { properties: { x: { maximum: 5 } }, required: ['x'] },
    },
  })
})

test('the example passes the check of its own schema', () => {
  expect(compileSchemaCheck(EVERYTHING).problems(exampleOf(EVERYTHING))).toEqual([])
})

test('the pattern of a decimal takes what the check takes', () => {
  const price = (
    jsonSchemaOf(EVERYTHING) as never as { properties: { price: { pattern: string } } }
  ).properties.price
  const pattern = new RegExp(price.pattern)
  for (const good of ['0', '-1.5', '99999999.99', '1.500']) expect(pattern.test(good)).toBe(true)
  for (const bad of ['', '1.', '1.234', '123456789', '1e3']) expect(pattern.test(bad)).toBe(false)
})
