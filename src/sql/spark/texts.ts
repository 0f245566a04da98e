import { SparkDialectError } from './errors.ts'
import { constantNumber, constantText, type Node } from './words.ts'

// What can be said of a text in DuckDB by forms that other values have too.

/** What follows '0x' in a text that is cast to a number: DuckDB reads it as hexadecimal, of which Spark makes an error. */
export function hexadecimalOf({ child, cast_type }: Node): Node | undefined {
  const { function_name, children } = child as Node
  const parts = (children ?? []) as Node[]
  const isHexadecimal =
    function_name === '||' && parts.length === 2 && constantText(parts[0]) === '0x'
  return isHexadecimal && (cast_type as Node).id === 'BIGINT' ? parts[1] : undefined
}

/** A part of a text. Of lists it means another thing, and only the function inside tells which it is. */
export function sliceOfText({ children }: Node, text: string): string {
  const [value, from, to] = children as Node[]
  const [first, last] = [constantNumber(from), constantNumber(to)]
  const isText = TEXTS.has(String(value!.function_name))
  if (!isText || first === undefined || last === undefined || first < 1 || last < first)
    throw new SparkDialectError(
      "This model cannot be said in Spark's SQL: it has a slice that is not of a text between two constants. Use substring.",
    )
  return `substring(${text}, ${first}, ${last - first + 1})`
}

const TEXTS = new Set(['md5', 'lower', 'upper', 'trim', 'replace', 'concat', 'concat_ws', '||'])
