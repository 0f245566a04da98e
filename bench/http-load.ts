import net from 'node:net'
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/**
 * Load on an HTTP/1.1 server from raw sockets: requests are bytes made beforehand and answers are only counted, so that
 * the generator costs a fraction of what the server does. Run it in another process than the server (`http-load-child.ts`).
 *
 * Closed loop: each connection sends the next request when its answer is there; measures throughput. Open loop
 * (`ratePerSecond`): requests fall due by the clock, wait for a free connection if they must, and their latency counts
 * from when they were due, so that a server that stalls cannot hide it (coordinated omission).
 */
export interface LoadOptions {
  readonly host: string
  readonly port: number
  /** Whole requests, head and body; used round and round. */
  readonly requests: readonly Uint8Array[]
  readonly connectionCount: number
  readonly durationMs: number
  /** Answers before this are not counted. Default 0. */
  readonly warmupMs?: number
  /** Present: open loop at this rate. */
  readonly ratePerSecond?: number
}

export interface LoadReport {
  readonly responseCount: number
  /** Answers by status, such as `{ '202': 1000 }`. */
  readonly statusCounts: Readonly<Record<string, number>>
  /** Connections that broke; each is opened again. */
  readonly brokenCount: number
  readonly seconds: number
  readonly responsesPerSecond: number
  readonly latencyMs: {
    readonly p50: number
    readonly p90: number
    readonly p99: number
    readonly p999: number
    readonly max: number
  }
}

/** A whole request as bytes. */
export function formatRequest(options: {
  readonly method?: string
  readonly path: string
  readonly host: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}): Buffer {
  const { method = 'POST', path, host, headers = {}, body } = options
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const lines = Object.entries({
    Host: host,
    'Content-Length': String(bytes.length),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), bytes])
}

/** Run the load and report. */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const { warmupMs = 0, durationMs } = options
  const run: Run = {
    options,
    latency: createHistogram({ figures: 3 }),
    statusCounts: {},
    brokenCount: 0,
    counting: warmupMs === 0,
    stopped: false,
    next: 0,
    idle: [],
    due: [],
  }
  const connections = await Promise.all(
    Array.from({ length: options.connectionCount }, () => connect(run)),
  )
  const startMs = performance.now()
  const stopFeed =
    options.ratePerSecond === undefined ? undefined : feed(run, options.ratePerSecond)
  if (stopFeed === undefined) for (const connection of connections) send(run, connection, now())
  await pause(warmupMs)
  run.counting = true
  const countedFromMs = performance.now()
  await pause(durationMs - (countedFromMs - startMs - warmupMs))
  const seconds = (performance.now() - countedFromMs) / 1000
  run.stopped = true
  stopFeed?.()
  for (const connection of connections) connection.socket.destroy()
  return reportOf(run, seconds)
}

interface Run {
  readonly options: LoadOptions
  readonly latency: RecordableHistogram
  readonly statusCounts: Record<string, number>
  brokenCount: number
  counting: boolean
  stopped: boolean
  next: number
  /** Connections without a request, in open loop. */
  readonly idle: Connection[]
  /** When the requests that wait for a connection were due, oldest first. */
  due: number[]
}

interface Connection {
  socket: net.Socket
  sentAt: number
  /** Bytes of the answer that are still to come; -1 before its head. */
  missing: number
  rest: Buffer | undefined
}

const now = () => performance.now()
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))

async function connect(run: Run): Promise<Connection> {
  const connection: Connection = {
    socket: await opened(run),
    sentAt: 0,
    missing: -1,
    rest: undefined,
  }
  listen(run, connection)
  if (run.options.ratePerSecond !== undefined) run.idle.push(connection)
  return connection
}

function opened({ options }: Run): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: options.host, port: options.port, noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.removeListener('error', reject)
      resolve(socket)
    })
  })
}

function listen(run: Run, connection: Connection): void {
  const { socket } = connection
  socket.on('data', (chunk: Buffer) => receive(run, connection, chunk))
  socket.on('error', () => {})
  socket.on('close', async () => {
    if (run.stopped || connection.socket !== socket) return
    run.brokenCount += 1
    connection.socket = await opened(run)
    connection.missing = -1
    connection.rest = undefined
    listen(run, connection)
    answered(run, connection)
  })
}

function send(run: Run, connection: Connection, dueAt: number): void {
  const { requests } = run.options
  connection.sentAt = dueAt
  connection.socket.write(requests[run.next++ % requests.length]!)
}

/** Only one request is out at a time on a connection, so a chunk holds (part of) one answer. */
function receive(run: Run, connection: Connection, chunk: Buffer): void {
  let bytes = chunk
  if (connection.missing < 0) {
    if (connection.rest !== undefined) bytes = Buffer.concat([connection.rest, chunk])
    const headEnd = bytes.indexOf('\r\n\r\n')
    if (headEnd < 0) {
      connection.rest = bytes
      return
    }
    connection.rest = undefined
    const head = bytes.toString('latin1', 0, headEnd)
    if (run.counting) {
      const status = head.slice(9, 12)
      run.statusCounts[status] = (run.statusCounts[status] ?? 0) + 1
    }
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)
    if (length === null)
      throw new Error(`An answer without Content-Length cannot be counted: ${head}`)
    connection.missing = headEnd + 4 + Number(length[1])
  }
  connection.missing -= bytes.length
  if (connection.missing > 0) return
  connection.missing = -1
  if (run.counting) {
    run.latency.record(Math.max(1, Math.round((now() - connection.sentAt) * 1e6)))
  }
  answered(run, connection)
}

function answered(run: Run, connection: Connection): void {
  if (run.stopped) return
  if (run.options.ratePerSecond === undefined) {
    send(run, connection, now())
    return
  }
  const dueAt = run.due.shift()
  if (dueAt === undefined) run.idle.push(connection)
  else send(run, connection, dueAt)
}

/** Makes requests fall due at an even rate. Returns what stops it. */
function feed(run: Run, ratePerSecond: number): () => void {
  const startMs = now()
  let count = 0
  const timer = setInterval(() => {
    const target = ((now() - startMs) / 1000) * ratePerSecond
    for (; count < target; count += 1) {
      const dueAt = startMs + (count / ratePerSecond) * 1000
      const connection = run.idle.pop()
      if (connection === undefined) run.due.push(dueAt)
      else send(run, connection, dueAt)
    }
  }, 1)
  return () => clearInterval(timer)
}

function reportOf(run: Run, seconds: number): LoadReport {
  const { latency, statusCounts, brokenCount } = run
  const responseCount = Object.values(statusCounts).reduce((sum, count) => sum + count, 0)
  const at = (percentile: number) =>
    latency.count === 0 ? 0 : latency.percentile(percentile) / 1e6
  return {
    responseCount,
    statusCounts,
    brokenCount,
    seconds,
    responsesPerSecond: responseCount / seconds,
    latencyMs: {
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      max: latency.count === 0 ? 0 : latency.max / 1e6,
    },
  }
}
