import { EPOCH_BANDS, EPOCH_MICROS_END, epochToMicros } from './epoch.ts'
import { expectationOf, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN } from './field-expectation.ts'
import { isCalendarDay, isInstant } from './iso-time.ts'
import { describeJson, type Problem, type ProblemCode, pointerStep } from './problem.ts'
import type {
  DecimalField,
  Field,
  IntegerField,
  ListField,
  RecordField,
  TextField,
} from './schema.ts'

/** One record reports at most so many problems: a list of a million wrong items should not become a million messages. */
export const PROBLEM_COUNT_MAX = 100

/** Where a running check puts what it finds. */
export interface Findings {
  problems: Problem[]
  /** A number beyond 2^53 met a field that must be exact; see `SchemaCheck.problems`. */
  inexact: boolean
}

/**
 * Judges one value. `parent` is the pointer of what holds it; the checker knows its own last step, so that a
 * pointer is put together only when something is wrong.
 */
export type Checker = (value: unknown, parent: string, findings: Findings) => void

type Judge = (value: unknown, findings: Findings) => Verdict | undefined

interface Verdict {
  readonly code: ProblemCode
  readonly expected: string
}

/** The checker of one field, whose last pointer step is `step`. */
export function checkerOf(field: Field, step: string): Checker {
  switch (field.kind) {
    case 'record':
      return recordChecker(field as RecordField, step)
    case 'list':
      return listChecker(field as ListField, step)
    default:
      return leafChecker(judgeOf(field), step)
  }
}

function leafChecker(judge: Judge, step: string): Checker {
  return (value, parent, findings) => {
    const verdict = judge(value, findings)
    if (verdict !== undefined) report(findings, parent + step, verdict, value)
  }
}

function report(findings: Findings, path: string, verdict: Verdict, value: unknown): void {
  if (findings.problems.length >= PROBLEM_COUNT_MAX) return
  findings.problems.push({
    path,
    code: verdict.code,
    message: `Expected ${verdict.expected}, found ${describeJson(value)}.`,
  })
}

const NOT_AN_OBJECT: Verdict = { code: 'not_an_object', expected: 'an object' }
const WRONG_OBJECT: Verdict = { code: 'wrong_type', expected: 'an object' }

function recordChecker(record: RecordField, step: string): Checker {
  const members = Object.entries(record.fields).map(([name, field]) => ({
    name,
    // `{}.constructor` is a function: names that every object inherits must be asked for as own members.
    inherited: name in Object.prototype,
    required: !field.optional,
    missing: missingVerdict(field),
    step: pointerStep(name),
    check: checkerOf(field, pointerStep(name)),
  }))
  return (value, parent, findings) => {
    const path = step === '' ? parent : parent + step
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      report(findings, path, path === '' ? NOT_AN_OBJECT : WRONG_OBJECT, value)
      return
    }
    for (const member of members) {
      const cell =
        member.inherited && !Object.hasOwn(value, member.name)
          ? undefined
          : (value as Record<string, unknown>)[member.name]
      if (cell !== undefined && cell !== null) member.check(cell, path, findings)
      else if (member.required) reportMissing(findings, path + member.step, member.missing, cell)
    }
  }
}

function missingVerdict(field: Field): Verdict {
  return { code: 'missing_field', expected: expectationOf(field) }
}

function reportMissing(findings: Findings, path: string, verdict: Verdict, cell: unknown): void {
  if (findings.problems.length >= PROBLEM_COUNT_MAX) return
  const found = cell === null ? 'null' : 'nothing'
  const message = `Required: expected ${verdict.expected}, found ${found}.`
  findings.problems.push({ path, code: verdict.code, message })
}

function listChecker(list: ListField, step: string): Checker {
  const { min, max, item } = list
  const checkItem = checkerOf(item, '')
  const missing = missingVerdict(item)
  const expected = expectationOf(list as Field)
  return (value, parent, findings) => {
    const path = step === '' ? parent : parent + step
    if (!Array.isArray(value)) {
      report(findings, path, { code: 'wrong_type', expected }, value)
      return
    }
    const length = value.length
    if (min !== undefined && length < min) {
      report(findings, path, { code: 'too_short', expected }, value)
    }
    if (max !== undefined && length > max) {
      report(findings, path, { code: 'too_long', expected }, value)
    }
    for (let index = 0; index < length; index += 1) {
      const cell: unknown = value[index]
      if (cell !== null) checkItem(cell, `${path}/${index}`, findings)
      else if (!item.optional) reportMissing(findings, `${path}/${index}`, missing, cell)
    }
  }
}

function judgeOf(field: Field): Judge {
  const expected = expectationOf(field)
  const wrongType: Verdict = { code: 'wrong_type', expected }
  const outOfRange: Verdict = { code: 'out_of_range', expected }
  const badFormat: Verdict = { code: 'bad_format', expected }
  switch (field.kind) {
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? undefined : wrongType)
    case 'int32':
      return int32Judge(field as IntegerField<'int32', unknown, unknown>, wrongType, outOfRange)
    case 'int64':
      return int64Judge(field as IntegerField<'int64', unknown, unknown>, wrongType, outOfRange)
    case 'float64':
      return (value) => {
        if (typeof value === 'number') return Number.isFinite(value) ? undefined : outOfRange
        return typeof value === 'bigint' ? undefined : wrongType
      }
    case 'decimal':
      return decimalJudge(field as DecimalField, wrongType, outOfRange, badFormat)
    case 'text':
      return textJudge(field as TextField, expected, wrongType)
    case 'timestamp':
      return (value) => {
        if (typeof value !== 'string') return wrongType
        return isInstant(value) ? undefined : badFormat
      }
    case 'date':
      return (value) => {
        if (typeof value !== 'string') return wrongType
        return isCalendarDay(value) ? undefined : badFormat
      }
    case 'epoch':
      return epochJudge(wrongType, outOfRange)
    default:
      return () => undefined
  }
}

function int32Judge(
  field: IntegerField<'int32', unknown, unknown>,
  wrongType: Verdict,
  outOfRange: Verdict,
): Judge {
  const min = Math.max(field.min ?? INT32_MIN, INT32_MIN)
  const max = Math.min(field.max ?? INT32_MAX, INT32_MAX)
  return (value) => {
    if (typeof value === 'bigint' || value === Infinity || value === -Infinity) return outOfRange
    if (typeof value !== 'number' || !Number.isInteger(value)) return wrongType
    return value >= min && value <= max ? undefined : outOfRange
  }
}

function int64Judge(
  field: IntegerField<'int64', unknown, unknown>,
  wrongType: Verdict,
  outOfRange: Verdict,
): Judge {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = field
  return (value, findings) => {
    if (typeof value === 'number') {
      if (Number.isSafeInteger(value)) return value >= min && value <= max ? undefined : outOfRange
      if (value === Infinity || value === -Infinity) return outOfRange
      if (!Number.isInteger(value)) return wrongType
      findings.inexact = true
      const exact = BigInt(value)
      return exact >= INT64_MIN && exact <= INT64_MAX + 1n ? undefined : outOfRange
    }
    if (typeof value !== 'bigint') return wrongType
    if (value < INT64_MIN || value > INT64_MAX) return outOfRange
    return value >= min && value <= max ? undefined : outOfRange
  }
}

function epochJudge(wrongType: Verdict, outOfRange: Verdict): Judge {
  // The bands of `model/epoch.ts` as numbers, so that no bigint is made for every record.
  const bands = EPOCH_BANDS.map((band) => ({
    from: Number(band.from),
    end: Number((EPOCH_MICROS_END * band.microsDenominator) / band.microsNumerator),
  })).reverse()
  return (value) => {
    if (typeof value === 'bigint')
      return epochToMicros(value) === undefined ? outOfRange : undefined
    if (typeof value !== 'number') return wrongType
    if (!Number.isInteger(value)) return Number.isFinite(value) ? wrongType : outOfRange
    for (const band of bands) {
      if (value >= band.from) return value < band.end ? undefined : outOfRange
    }
    return outOfRange
  }
}

function textJudge(field: TextField, expected: string, wrongType: Verdict): Judge {
  const { min = 0, max = Number.POSITIVE_INFINITY } = field
  const allowed = field.oneOf === undefined ? undefined : new Set<string>(field.oneOf)
  const tooLong: Verdict = { code: 'too_long', expected }
  const tooShort: Verdict = { code: 'too_short', expected }
  const notAllowed: Verdict = { code: 'not_allowed', expected }
  return (value) => {
    if (typeof value !== 'string') return wrongType
    if (allowed !== undefined && !allowed.has(value)) return notAllowed
    // A code point takes one or two units, so counting is needed only between the two.
    if (value.length > max && (value.length > 2 * max || codePointCount(value) > max))
      return tooLong
    if (value.length < 2 * min && codePointCount(value) < min) return tooShort
    return undefined
  }
}

function codePointCount(text: string): number {
  let count = text.length
  for (let index = 0; index < text.length - 1; index += 1) {
    const high = text.charCodeAt(index)
    if (high < 0xd800 || high > 0xdbff) continue
    const low = text.charCodeAt(index + 1)
    if (low < 0xdc00 || low > 0xdfff) continue
    count -= 1
    index += 1
  }
  return count
}

const DECIMAL_TEXT = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/

function decimalJudge(
  field: DecimalField,
  wrongType: Verdict,
  outOfRange: Verdict,
  badFormat: Verdict,
): Judge {
  const integerDigitCountMax = field.precision - field.scale
  return (value) => {
    if (typeof value !== 'number' && typeof value !== 'string' && typeof value !== 'bigint')
      return wrongType
    const parts = DECIMAL_TEXT.exec(String(value))
    if (parts === null) return typeof value === 'string' ? badFormat : outOfRange
    const [, integer = '', fraction = '', exponentText] = parts
    // The digits without zeros at either end, and where the point stands among them.
    const digits = integer + fraction
    const significant = digits.replace(/0+$/, '')
    if (/^0*$/.test(significant)) return undefined
    const pointAt = integer.length + Number(exponentText ?? 0)
    const leadingZeroCount = /^0*/.exec(significant)![0].length
    const integerDigitCount = pointAt - leadingZeroCount
    const fractionDigitCount = significant.length - pointAt
    return integerDigitCount <= integerDigitCountMax && fractionDigitCount <= field.scale
      ? undefined
      : outOfRange
  }
}
