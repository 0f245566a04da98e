import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * ClickHouse's HTTP interface (https://clickhouse.com/docs/interfaces/http) over an engine in this process: a statement is the body, settings are
 * the query, an error is its number in a header and its text in the body. The engine is ClickHouse's own, as chDB; users, the server's limits and what it does
 * to connections are imitated or missing.
 */
export interface ClickHouseStandIn {
  readonly url: string
  /** Statements that came in, whole. */
  readonly statements: string[]
  /** The next `count` requests are answered with this exception instead, or cut off. */
  fail(how: { readonly code: number; readonly text: string } | 'hang up', count: number): void
  close(): Promise<void>
}

export interface ChdbLike {
  queryAsync(sql: string, options: { format: string }): Promise<{ text(): string }>
}

/** Of the protocol, not of the engine. */
const PROTOCOL = new Set([
  ...['query', 'query_id', 'session_id', 'database', 'default_format', 'role', 'user', 'password'],
  ...['wait_end_of_query', 'send_progress_in_http_headers', 'http_headers_progress_interval_ms'],
  ...['enable_http_compression', 'cancel_http_readonly_queries_on_client_close'],
])

export async function startClickHouse(
  session: ChdbLike,
  user: { readonly name: string; readonly password: string },
): Promise<ClickHouseStandIn> {
  let failing: Parameters<ClickHouseStandIn['fail']> = ['hang up', 0]
  // One statement at a time: a setting holds for its own request.
  let turn: Promise<void> = Promise.resolve()
  const statements: string[] = []
  const server = createServer(async (request, response) => {
    const sql = await bodyOf(request)
    statements.push(sql)
    const [how, left] = failing
    if (left > 0) {
      failing = [how, left - 1]
      if (how === 'hang up') request.socket.destroy()
      else refuse(response, how.code, how.text)
      return
    }
    if (!isUser(request, user)) {
      refuse(
        response,
        516,
        `${user.name}: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)`,
      )
      return
    }
    const before = turn
    let done = () => {}
    turn = new Promise((resolve) => {
      done = resolve
    })
    await before
    try {
      const { searchParams } = new URL(request.url!, 'http://clickhouse')
      for (const [name, value] of searchParams)
        if (!PROTOCOL.has(name))
          await session.queryAsync(`SET ${name} = '${value}'`, { format: 'Null' })
      const text = (await session.queryAsync(sql, { format: 'TabSeparated' })).text()
      response.writeHead(200, { 'content-type': 'application/x-ndjson; charset=UTF-8' })
      response.end(text)
    } catch (error) {
      const { clickhouseCode, message } = error as { clickhouseCode?: number; message: string }
      refuse(response, Number(clickhouseCode ?? /Code: (\d+)/.exec(message)?.[1] ?? 0), message)
    } finally {
      done()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    statements,
    fail: (...how) => {
      failing = how
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function isUser({ headers }: IncomingMessage, user: { name: string; password: string }): boolean {
  const { authorization } = headers
  if (authorization?.startsWith('Basic ')) {
    const given = Buffer.from(authorization.slice(6), 'base64').toString()
    return given === `${user.name}:${user.password}`
  }
  return headers['x-clickhouse-user'] === user.name && headers['x-clickhouse-key'] === user.password
}

function refuse(response: ServerResponse, code: number, text: string): void {
  const status = code === 516 ? 403 : code === 60 || code === 81 ? 404 : 500
  response.writeHead(status, {
    'x-clickhouse-exception-code': String(code),
    'content-type': 'text/plain; charset=UTF-8',
  })
  response.end(text.startsWith('Code:') ? text : `Code: ${code}. DB::Exception: ${text}`)
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
