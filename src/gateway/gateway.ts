/**
 * The gateway: HTTP in. One `node:http` server for the doors of all pipelines and for whatever else is to answer on the
 * same port.
 *
 * In: requests. Out: durable records through `AppendPort`, and answers. It decides nothing about storage and keeps
 * nothing: all limits are on what is in flight.
 *
 * Survives a crash: everything answered 202. A request that was cut off may be repeated with the same ids. `close` stops
 * accepting, lets what has begun finish within `drainMs`, and says how many requests it had to cut off.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, type Randomness, systemClock, systemRandomness } from '../model/clock.ts'
import { createMeter, type Meter } from '../model/meter.ts'
import { uuidV7Maker } from '../model/uuid.ts'
import { Admission } from './admission.ts'
import type { ApiKeys } from './api-keys.ts'
import type { AppendPort } from './append-port.ts'
import type { AuditTrail } from './audit-trail.ts'
import { answerBrokenRequest } from './broken-request.ts'
import { docsPage } from './docs-page.ts'
import { GatewayListenError, GatewayWithoutKeysError } from './errors.ts'
import { type Front, NO_FRONT } from './front.ts'
import { type GatewayLimits, resolveLimits } from './gateway-limits.ts'
import { createGatewayMetrics, type GatewayMetrics } from './gateway-metrics.ts'
import { type IngestContext, ingest } from './ingest.ts'
import { checkTopicName, type IngestRoute } from './ingest-route.ts'
import { createInspector } from './inspect-record.ts'
import { isLoopback } from './local-callers.ts'
import { openApiOf, topicPathOf } from './openapi.ts'
import { QueuedAppends } from './queued-appends.ts'
import { createRateLimit } from './rate-limit.ts'
import { createRequestListener, type RequestListener } from './request-listener.ts'
import type { HttpRoute } from './router.ts'
import type { Sessions } from './sessions.ts'
import { type Readiness, systemRoutes } from './system-routes.ts'
import { traceparentMaker } from './traceparent.ts'
import { createTurns } from './turns.ts'

export interface GatewayOptions {
  readonly routes: readonly IngestRoute[]
  readonly appendPort: AppendPort
  /** Further routes on the same server. */
  readonly extraRoutes?: readonly HttpRoute[]
  readonly listen: {
    /** Default `127.0.0.1`. Anything but loopback needs `keys`. */
    readonly host?: string
    /** 0 lets the system choose. */
    readonly port: number
  }
  /** A function is asked at each request, so that keys come and go while the gateway runs; `undefined` is none, which loopback allows. */
  readonly keys?: ApiKeys | (() => ApiKeys | undefined)
  /** Sessions that may ask by cookie in a key's stead. Default: none may. */
  readonly sessions?: Sessions
  /** Where actions are written down. Default: nowhere. */
  readonly audit?: AuditTrail
  /** What stands in front. Default: nothing. */
  readonly front?: Front
  /** Web origins (`http://localhost:5173`) that may use a gateway without keys from a browser. Default none. */
  readonly originsAllowed?: readonly string[]
  readonly limits?: Partial<GatewayLimits>
  /** Default: always ready. */
  readonly readiness?: Readiness
  /** Told about everything that became a 500 or a retried 503. Must not throw. */
  readonly onSurprise?: (error: unknown, what: string) => void
  readonly meter?: Meter
  readonly clock?: Clock
  readonly randomness?: Randomness
}

export interface Gateway {
  readonly host: string
  readonly port: number
  /** `http://127.0.0.1:8080`. */
  readonly url: string
  /**
   * Stop: no new connections, 503 for new requests, finish what has begun, up to `drainMs`. Calling it again returns the
   * same promise.
   */
  close(): Promise<CloseOutcome>
}

export interface CloseOutcome {
  /** Requests that were cut off at the deadline; their clients do not know what became of them. */
  readonly unfinishedCount: number
}

/**
 * Start listening.
 * @throws GatewayWithoutKeysError, GatewayRouteError, GatewayLimitError, GatewayListenError
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { listen, extraRoutes = [], readiness = () => [] } = options
  const { keys: given } = options
  const keys = typeof given === 'function' ? given : () => given
  const host = listen.host ?? '127.0.0.1'
  if (keys() === undefined && !isLoopback(host)) throw new GatewayWithoutKeysError(host)
  const limits = resolveLimits(options.limits)
  const meter = options.meter ?? createMeter()
  const admission = new Admission({
    bytesMax: limits.queueBytesMax,
    recordCountMax: limits.queueRecordCountMax,
  })
  const metrics = createGatewayMetrics(meter, admission)
  const queued = new QueuedAppends({
    ...{ port: options.appendPort, admission },
    onLost: options.onSurprise ?? (() => {}),
  })
  const docs = () => ({
    routes: options.routes,
    extraRoutes,
    hasKeys: keys() !== undefined,
  })
  const address = { url: '' }
  const system = systemRoutes({
    meter,
    readiness,
    isDraining: () => listener.isDraining,
    docs: () => docsPage({ ...docs(), url: address.url }),
    openApi: () => JSON.stringify(openApiOf(docs())),
  })
  const listener: RequestListener = createRequestListener({
    routes: [
      ...doorRoutes(options, { limits, admission, metrics, queued }),
      ...system,
      ...extraRoutes,
    ],
    doorkeeper: { keys, sessions: options.sessions, front: options.front ?? NO_FRONT },
    audit: options.audit,
    originsAllowed: options.originsAllowed ?? [],
    metrics,
    onSurprise: options.onSurprise ?? (() => {}),
  })
  const server = createGatewayServer(listener, limits)
  server.on('drop', () => metrics.rejectedConnections.add(1))
  const sockets = trackSockets(server)
  const port = await listenOn(server, host, listen.port)
  metrics.open()
  address.url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  let closing: Promise<CloseOutcome> | undefined
  const close = async () => {
    const outcome = await drain(server, listener, sockets, limits.drainMs)
    await queued.close(limits.drainMs)
    metrics.close()
    return outcome
  }
  return {
    host,
    port,
    url: address.url,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function doorRoutes(
  options: GatewayOptions,
  {
    limits,
    admission,
    metrics,
    queued,
  }: {
    readonly limits: GatewayLimits
    readonly admission: Admission
    readonly metrics: GatewayMetrics
    readonly queued: QueuedAppends
  },
): HttpRoute[] {
  const clock = options.clock ?? systemClock
  const randomness = options.randomness ?? systemRandomness
  const newId = uuidV7Maker(clock, randomness)
  const context: IngestContext = {
    port: options.appendPort,
    limits,
    admission,
    queued,
    rateLimit: createRateLimit(clock),
    turns: createTurns(),
    clock,
    newTraceparent: traceparentMaker(randomness),
  }
  return options.routes.flatMap((route) => {
    checkTopicName(route)
    const inspect = createInspector(route, limits, newId)
    const door = { route, inspect, metrics: metrics.topic(route.topic) }
    const isFirst = options.routes.find(({ topic }) => topic === route.topic) === route
    // A topic may have several doors of its own names, and one of its own.
    const paths = new Set(isFirst ? [route.path, topicPathOf(route)] : [route.path])
    return [...paths].map((path) => ({
      method: 'POST' as const,
      path,
      access: 'ingest' as const,
      handle: (exchange) => ingest(context, door, exchange),
    }))
  }) satisfies HttpRoute[]
}

/** How often connections are looked at for having been too slow. */
const SLOWNESS_CHECK_MS = 1_000

function createGatewayServer(listener: RequestListener, limits: GatewayLimits): Server {
  const server = createServer({
    requestTimeout: limits.requestMs,
    headersTimeout: limits.headersMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(SLOWNESS_CHECK_MS, limits.headersMs),
  })
  server.maxConnections = limits.connectionCountMax
  server.timeout = limits.stalledMs
  server.on('request', listener.onRequest)
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // A body that will be refused for its length need not be sent at all.
    if (!(Number(request.headers['content-length']) > limits.bodyBytesMax)) response.writeContinue()
    listener.onRequest(request, response)
  })
  server.on('clientError', answerBrokenRequest)
  return server
}

function trackSockets(server: Server): Set<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new GatewayListenError(host, port, error)))
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

/** How often connections that became idle are closed while draining. */
const DRAIN_LOOK_MS = 25

async function drain(
  server: Server,
  listener: RequestListener,
  sockets: ReadonlySet<Socket>,
  drainMs: number,
): Promise<CloseOutcome> {
  listener.beginDraining()
  let unfinishedCount = 0
  let isPastDeadline = false
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // Connections that never brought a byte are not idle to Node; they would hold us until the deadline.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  const look = setInterval(() => server.closeIdleConnections(), DRAIN_LOOK_MS)
  const deadline = setTimeout(() => {
    isPastDeadline = true
    unfinishedCount = listener.activeCount
    server.closeAllConnections()
  }, drainMs)
  await closed
  // What a client left behind is still being appended; its connection is gone, but the log must not close under it.
  while (listener.activeCount > 0 && !isPastDeadline) await sleep(DRAIN_LOOK_MS)
  clearInterval(look)
  clearTimeout(deadline)
  return { unfinishedCount }
}
