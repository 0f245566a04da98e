import type { ServerResponse } from 'node:http'

/** Nobody guesses at types: what is said to be JSON is never a page. */
const NOSNIFF = ['X-Content-Type-Options', 'nosniff']

/** Write a whole answer of text. */
export function sendText(
  response: ServerResponse,
  status: number,
  contentType: string,
  text: string,
): void {
  const bytes = Buffer.byteLength(text)
  response.writeHead(status, [
    ...['Content-Type', contentType, 'Content-Length', String(bytes)],
    ...NOSNIFF,
  ])
  // Plain ASCII, as answers mostly are, needs no second look at each character on its way to the socket.
  response.end(text, bytes === text.length ? 'latin1' : 'utf8')
}

/** Write a value as JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendText(response, status, 'application/json', JSON.stringify(value))
}

/** Write an answer that is made in parts; one that turns out to be a single part is sent whole. */
export async function sendParts(
  response: ServerResponse,
  status: number,
  contentType: string,
  parts: AsyncGenerator<string>,
): Promise<void> {
  const first = await parts.next()
  const second = await parts.next()
  if (second.done) {
    sendText(response, status, contentType, first.value ?? '')
    return
  }
  response.writeHead(status, ['Content-Type', contentType, ...NOSNIFF])
  response.write(first.value)
  response.write(second.value)
  for await (const part of parts) response.write(part)
  response.end()
}
