import { checkerOf, type Findings, PROBLEM_COUNT_MAX } from './field-check.ts'
import type { Problem } from './problem.ts'
import type { Field, RecordField, RecordSchema } from './schema.ts'

/** A schema made ready to check many values. Made once per route; calls are synchronous and share nothing with callers. */
export interface SchemaCheck {
  /**
   * Every problem of a parsed JSON value, in the schema's order, up to `PROBLEM_COUNT_MAX`; empty when there is none.
   * Fields that the schema does not name are let through.
   *
   * `json` is the text that `value` was parsed from. JavaScript numbers round whole numbers beyond 2^53, so where one of
   * those meets a field that must be exact, the text is read again with such numbers as `bigint`. Without
   * it, the rounded number is judged.
   */
  problems(value: unknown, json?: string): readonly Problem[]
}

const NO_PROBLEMS: readonly Problem[] = Object.freeze([])

/** Compile a schema into its check. */
export function compileSchemaCheck(schema: RecordSchema): SchemaCheck {
  const root: RecordField = { kind: 'record', optional: false, fields: schema.fields }
  const check = checkerOf(root as Field, '')
  // Reused for every value: a check never calls back, so it cannot be entered twice.
  const findings: Findings = { problems: [], inexact: false }
  return {
    problems(value, json) {
      check(value, '', findings)
      if (findings.inexact && json !== undefined) {
        findings.problems = []
        findings.inexact = false
        check(parseExactly(json), '', findings)
      }
      findings.inexact = false
      if (findings.problems.length === 0) return NO_PROBLEMS
      const problems = findings.problems
      findings.problems = []
      return problems.length > PROBLEM_COUNT_MAX ? problems.slice(0, PROBLEM_COUNT_MAX) : problems
    },
  }
}

/**
 * JSON with whole numbers beyond 2^53 as `bigint`, exactly as written. Slower than `JSON.parse`.
 * @throws SyntaxError when the text is not JSON
 */
export function parseExactly(json: string): unknown {
  return JSON.parse(json, exactNumber as (key: string, value: unknown) => unknown)
}

function exactNumber(_key: string, value: unknown, context?: { readonly source?: string }) {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value
}
