// The loopback door of the embedded PostgreSQL: `psql`, drivers and the platform's own sink come in here at the same time.
//
// In:   connections that speak PostgreSQL's protocol; any user and database name, no password, from this machine only.
// Out:  their requests, run one after another in the one session that the embedded database has.
//
// Turns. A client has the database from the first message of a request until it is idle outside of a transaction; so
// transactions are whole and exclude each other, and what one client reads in one is never another's doing. Who falls silent inside
// a transaction while others wait is cut off after `idleInTransactionMsMax`, so that a forgotten psql stops nobody for ever.
//
//            request            last answer says "in a transaction"
//   waiting ────────▶ serving ────────────────────────────────────▶ holding ──▶ serving (its next request)
//      ▲                 │ last answer says "idle"                     │ silent too long while others wait, or gone
//      └── next in line ◀┴─────────────────────────────────────────────┴── rolled back
//
// Survives a crash: nothing here; what was committed is on disk before its answer leaves.
// `@electric-sql/pglite-socket` does not do this: it queues single messages and lets two clients' Parse, Bind and Execute
// mix outside of transactions, shares statement names and settings, and cannot COPY.

import { createServer, type Server, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { assert } from '../../model/errors.ts'
import { type EmbeddedSession, embeddedSession, type RunMessages } from './embedded-session.ts'
import {
  answerFacts,
  errorMessage,
  GSS_REQUEST,
  message,
  messagesIn,
  PROTOCOL_MAJOR,
  queryMessage,
  SSL_REQUEST,
  startupParameters,
  syncMessage,
  type TransactionStatus,
  typeOf,
  withoutMessages,
} from './wire.ts'
import { type WireReader, type WireRequest, wireReader } from './wire-reader.ts'

export interface EmbeddedServerLimits {
  /** How long a client may be silent inside a transaction while others wait. */
  readonly idleInTransactionMsMax: number
  readonly clientCountMax: number
  /** Of one request: a statement with its parameters, or all rows of a COPY. They are held in memory. */
  readonly requestBytesMax: number
}

export const EMBEDDED_SERVER_LIMITS: EmbeddedServerLimits = Object.freeze({
  // The platform writes every second or so; ten seconds late is noticed, but no harm is done.
  idleInTransactionMsMax: 10_000,
  // All of them take turns; more than this is a leak.
  clientCountMax: 100,
  // A COPY exists twice while it runs, beside a database that may itself take 2 GB.
  requestBytesMax: 256 * 1024 * 1024,
})

const GOODBYE_MS = 500

interface Client {
  readonly number: number
  readonly socket: Socket
  readonly reader: WireReader
  readonly requests: WireRequest[]
  /** `null` until its first message. */
  session: EmbeddedSession | null
  status: TransactionStatus
  /** In the middle of an extended query: flushed, not yet synced. */
  midway: boolean
  lastHeardMs: number
  gone: boolean
}

export class EmbeddedServer {
  readonly #execute: RunMessages
  readonly #limits: EmbeddedServerLimits
  /** What every client hears when it is let in. */
  readonly #greeting: Buffer
  readonly #onBroken: (error: unknown) => void
  readonly #server: Server
  readonly #clients = new Set<Client>()
  /** Clients with requests, in the order of the first. The holder may be among them. */
  readonly #waiting: Client[] = []
  #holder: Client | null = null
  /** Whose settings the real session has now. */
  #loaded: Client | null = null
  /** Of clients that are gone: their statements are still to be forgotten. */
  readonly #departed: EmbeddedSession[] = []
  #numberNext = 1
  #pumping = false
  #broken = false
  #idleTimer: NodeJS.Timeout | undefined

  /**
   * `execute` runs messages in the database; `greeting` is its answer to a first message. `onBroken` is called once when the
   * database has answered something after which it cannot be trusted; nothing is served from then on.
   */
  constructor(options: {
    readonly execute: RunMessages
    readonly greeting: Buffer
    readonly limits: EmbeddedServerLimits
    readonly onBroken: (error: unknown) => void
  }) {
    this.#execute = options.execute
    this.#limits = options.limits
    this.#onBroken = options.onBroken
    const parameters = [...messagesIn(options.greeting)].filter((part) => typeOf(part) === 'S')
    this.#greeting = Buffer.concat(parameters)
    this.#server = createServer((socket) => this.#welcome(socket))
  }

  /** Listen on 127.0.0.1. Rejects with `EADDRINUSE` when the port is taken. */
  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  get port(): number {
    const address = this.#server.address()
    assert(address !== null && typeof address === 'object', 'a listening server has a port')
    return address.port
  }

  /** Send everybody away and roll back what they had open. */
  async close(): Promise<void> {
    clearTimeout(this.#idleTimer)
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const client of this.#clients)
      this.#dismiss(client, '57P01', 'the embedded server is shutting down')
    while (this.#pumping && !this.#broken) await nextTurn()
    await closed
  }

  #welcome(socket: Socket): void {
    socket.setNoDelay(true)
    const client: Client = {
      number: this.#numberNext++,
      socket,
      reader: wireReader(this.#limits),
      requests: [],
      session: null,
      status: 'I',
      midway: false,
      lastHeardMs: performance.now(),
      gone: false,
    }
    this.#clients.add(client)
    socket.on('error', () => {})
    socket.on('close', () => this.#forget(client))
    socket.on('data', (bytes) => {
      if (client.gone) return
      client.lastHeardMs = performance.now()
      this.#enqueue(client, client.reader.push(bytes))
    })
  }

  #enqueue(client: Client, requests: readonly WireRequest[]): void {
    for (const request of requests) {
      if (request.kind === 'first') this.#letIn(client, request.bytes)
      else if (request.kind === 'goodbye') client.socket.end()
      else if (request.kind === 'nonsense') this.#dismiss(client, '08P01', request.text)
      else client.requests.push(request)
      if (client.gone) return
    }
    if (client.requests.length === 0) return
    // Who sends faster than it is served waits in its own socket and not in our memory.
    if (client.requests.length > 1) client.socket.pause()
    if (client !== this.#holder && !this.#waiting.includes(client)) this.#waiting.push(client)
    void this.#pump()
  }

  #letIn(client: Client, first: Buffer): void {
    const code = first.readInt32BE(4)
    // No encryption on loopback; the client goes on without, or leaves.
    if (code === SSL_REQUEST || code === GSS_REQUEST) return void client.socket.write('N')
    // Whatever is left is a cancel request, which cannot reach a statement that runs: the thread is busy with it.
    if (code >> 16 !== PROTOCOL_MAJOR) return void client.socket.destroy()
    const { clientCountMax } = this.#limits
    if (this.#clients.size > clientCountMax) {
      this.#dismiss(client, '53300', `there are ${clientCountMax} clients already`)
      return
    }
    client.session = embeddedSession(client.number, startupParameters(first))
    const key = Buffer.alloc(8)
    key.writeInt32BE(client.number, 0)
    const minor = code & 0xffff
    // "Version 3.0 it is, and every option is known."
    const negotiated = minor === 0 ? '' : message('v', Uint8Array.of(0, 3, 0, 0, 0, 0, 0, 0))
    client.socket.write(
      Buffer.concat([
        Buffer.from(negotiated),
        message('R', Uint8Array.of(0, 0, 0, 0)),
        this.#greeting,
        message('K', key),
        message('Z', 'I'),
      ]),
    )
  }

  /** Say why, and hang up. */
  #dismiss(client: Client, code: string, text: string): void {
    if (client.gone) return
    const { socket } = client
    socket.end(errorMessage({ severity: 'FATAL', code, text }))
    // Who does not hang up in turn is cut off; not at once, or the message might be lost.
    setTimeout(() => socket.destroy(), GOODBYE_MS).unref()
    this.#forget(client)
  }

  #forget(client: Client): void {
    if (client.gone) return
    client.gone = true
    client.requests.length = 0
    if (client.session !== null) this.#departed.push(client.session)
    this.#clients.delete(client)
    const at = this.#waiting.indexOf(client)
    if (at >= 0) this.#waiting.splice(at, 1)
    // The holder's turn, and what it left in the session, are ended by the pump, between two requests.
    void this.#pump()
  }

  /** Serve whoever can be served. Only one runs at a time. */
  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    clearTimeout(this.#idleTimer)
    try {
      while (await this.#step()) await nextTurn()
    } catch (error) {
      // From here on nobody is served: `#pumping` stays.
      this.#broken = true
      for (const client of this.#clients) client.socket.destroy()
      this.#onBroken(error)
      return
    }
    this.#pumping = false
    if (this.#holder !== null && this.#waiting.length > 0) this.#watchSilence(this.#holder)
  }

  /** Do one thing; false when there is nothing to do. */
  async #step(): Promise<boolean> {
    const holder = this.#holder
    if (holder === null) {
      if (this.#loaded?.gone) this.#loaded = null
      for (const session of this.#departed.splice(0)) await session.end(this.#execute)
      const next = this.#waiting.shift()
      if (next === undefined) return false
      this.#holder = next
      await this.#load(next)
      return true
    }
    if (holder.gone) {
      await this.#rollBack(holder)
      this.#holder = null
      return true
    }
    const request = holder.requests.shift()
    if (request !== undefined) await this.#serve(holder, request)
    const idle = holder.status === 'I' && !holder.midway
    if (!idle) return request !== undefined
    this.#holder = null
    if (holder.requests.length > 0) this.#waiting.push(holder)
    return true
  }

  async #load(client: Client): Promise<void> {
    if (this.#loaded === client) return
    if (this.#loaded !== null) await this.#loaded.session!.putAway(this.#execute)
    this.#loaded = client
    await client.session!.takeOut(this.#execute)
  }

  async #serve(client: Client, request: WireRequest): Promise<void> {
    if (client.requests.length === 0) client.socket.resume()
    if (request.kind === 'copy-begin') return void client.socket.write(request.answer)
    assert(request.kind === 'run' || request.kind === 'copy', 'only these are queued')
    const output = await this.#execute(
      await client.session!.prepare(this.#execute, request.messages),
    )
    // The client was told to send its rows before the database was asked.
    const answer = request.kind === 'copy' ? withoutMessages(output, 'G') : output
    client.lastHeardMs = performance.now()
    if (!client.gone) client.socket.write(answer)
    const { status, fatal } = answerFacts(answer)
    const asksForReady = typeOf(request.messages.at(-1)!) !== 'H'
    if (fatal || (asksForReady && status === null))
      throw new Error('The embedded database ended its session.')
    client.midway = !asksForReady
    client.status = status ?? client.status
  }

  async #rollBack(client: Client): Promise<void> {
    if (client.midway) await this.#execute(syncMessage)
    if (client.status !== 'I' || client.midway) await this.#execute(queryMessage('ROLLBACK'))
  }

  #watchSilence(holder: Client): void {
    const leftMs = holder.lastHeardMs + this.#limits.idleInTransactionMsMax - performance.now()
    this.#idleTimer = setTimeout(
      () => {
        const silentMs = performance.now() - holder.lastHeardMs
        if (holder !== this.#holder || silentMs < this.#limits.idleInTransactionMsMax)
          return void this.#pump()
        const text = `silent inside a transaction for ${Math.round(silentMs)} ms while others waited; it was rolled back`
        this.#dismiss(holder, '25P03', text)
      },
      Math.max(0, leftMs),
    )
  }
}
