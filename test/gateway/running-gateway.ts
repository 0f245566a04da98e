import net from 'node:net'
import { afterEach } from 'vitest'
import { type Gateway, type GatewayOptions, startGateway } from '../../src/gateway/gateway.ts'
import {
  epoch,
  int32,
  int64,
  list,
  nested,
  optional,
  record,
  text,
} from '../../src/model/schema.ts'
import { MemoryPort } from './memory-port.ts'

export const EVENTS = {
  path: '/events',
  topic: 'user-events',
  pipeline: 'user-events',
  keyField: 'user_id',
  schema: record({
    user_id: int32(),
    movie_id: int32(),
    event_type: text({ min: 1, max: 50 }),
    timestamp: epoch(),
  }),
}

export const ORDERS = {
  path: '/orders',
  topic: 'orders',
  pipeline: 'orders',
  idField: 'order_id',
  keyField: 'buyer.id',
  schema: record({
    order_id: optional(int64()),
    buyer: optional(nested({ id: optional(int64()) })),
    order_list: list(nested({ product_id: int32(), quantity: int32({ min: 1 }) }), { min: 1 }),
  }),
}

export const ANY = { path: '/any', topic: 'any', pipeline: 'any', schema: record({}) }

export const EVENT = {
  user_id: 123,
  movie_id: 456,
  event_type: 'click',
  timestamp: 1701234567890,
}

export interface Running {
  readonly gateway: Gateway
  readonly port: MemoryPort
  /** What became a surprise. */
  readonly surprises: unknown[]
  post(
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    headers?: Record<string, string>,
  ): Promise<Answer>
  get(path: string, headers?: Record<string, string>): Promise<Answer>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered
  readonly body: any
  readonly text: string
}

const open: Gateway[] = []
afterEach(async () => {
  for (const gateway of open.splice(0)) await gateway.close()
})

/** A gateway on a free port of loopback over a log in memory, closed after the test. */
export async function runGateway(options: Partial<GatewayOptions> = {}): Promise<Running> {
  const port = new MemoryPort()
  const surprises: unknown[] = []
  const gateway = await startGateway({
    routes: [EVENTS, ORDERS, ANY],
    appendPort: port,
    listen: { port: 0 },
    onSurprise: (error) => surprises.push(error),
    ...options,
    limits: { drainMs: 500, ...options.limits },
  })
  open.push(gateway)
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(gateway.url + path, init)
    const answer = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    return {
      status: response.status,
      headers: response.headers,
      text: answer,
      body: isJson ? JSON.parse(answer) : undefined,
    }
  }
  return {
    gateway,
    port,
    surprises,
    get: (path, headers = {}) => ask(path, { headers }),
    post: (path, body, headers = {}) =>
      ask(path, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      }),
  }
}

/** A raw connection: what `fetch` is too well-behaved for. */
export async function connectTo(gateway: Gateway) {
  const socket = net.connect(gateway.port, gateway.host)
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk
  })
  socket.on('error', () => {})
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve())
    socket.once('error', reject)
  })
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return {
    socket,
    ended,
    received: () => received,
    /** Resolves when what was received contains `part` so often. */
    async until(part: string, count = 1): Promise<string> {
      while (received.split(part).length - 1 < count) {
        if (socket.destroyed) throw new Error(`Closed after: ${received}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      return received
    },
  }
}

/** The bytes of a POST. */
export function rawPost(path: string, body: string, length = Buffer.byteLength(body)): string {
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`
}

/** Wait until something holds, up to five seconds. */
export async function eventually(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`Never came true: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
