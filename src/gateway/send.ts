import type { ServerResponse } from 'node:http'

/** Write a whole answer of text. */
export function sendText(
  response: ServerResponse,
  status: number,
  contentType: string,
  text: string,
): void {
  const length = String(Buffer.byteLength(text))
  response.writeHead(status, ['Content-Type', contentType, 'Content-Length', length])
  response.end(text)
}

/** Write a value as JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  sendText(response, status, 'application/json', JSON.stringify(value))
}
