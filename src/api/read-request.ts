import { isJsonObject, parseKeepingDigits } from '../flow/mend-value.ts'
import type { HttpExchange } from '../gateway/router.ts'
import { ApiRefusal } from './exchange.ts'

/** A mended value and its JSON escapes; larger records are rare enough to be mended elsewhere and sent again. */
const BODY_BYTES_MAX = 16 * 1024 * 1024

/** The JSON object that a request carries, its numbers opaque (`parseKeepingDigits`); empty when it has no body. @throws ApiRefusal */
export async function readJsonObject(
  exchange: HttpExchange,
  bytesMax: number = BODY_BYTES_MAX,
): Promise<Readonly<Record<string, unknown>>> {
  const text = await readText(exchange, bytesMax)
  if (text === '') return {}
  let value: unknown
  try {
    value = parseKeepingDigits(text)
  } catch {
    throw refusal(400, 'malformed_json', 'The body is not JSON. Nothing was changed.')
  }
  if (!isJsonObject(value)) {
    throw refusal(400, 'not_an_object', 'The body must be a JSON object. Nothing was changed.')
  }
  return value
}

/** The body of a request as text. @throws ApiRefusal when it is too large */
export async function readText(
  { request }: HttpExchange,
  bytesMax: number = BODY_BYTES_MAX,
): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  // Not destroyed when we stop reading: its answer is still to be sent.
  const body = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > bytesMax) {
      throw refusal(413, 'body_too_large', `The body may have ${bytesMax} bytes at most.`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** A parameter after the question mark, decoded. */
export function queryValue({ queryText }: HttpExchange, name: string): string | undefined {
  return new URLSearchParams(queryText).get(name) ?? undefined
}

/** A whole number after the question mark. @throws ApiRefusal when it is none, or out of bounds */
export function queryCount(
  exchange: HttpExchange,
  name: string,
  { otherwise, max }: { readonly otherwise: number; readonly max: number },
): number {
  const text = queryValue(exchange, name)
  if (text === undefined) return otherwise
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= max) return value
  throw refusal(400, 'bad_parameter', `${name} must be a whole number from 1 to ${max}.`)
}

export const refusal = (status: number, code: string, detail: string): ApiRefusal =>
  new ApiRefusal({ status, code, detail })
