import { createConnection, createServer, type Socket } from 'node:net'

/** A stretch of network that a test owns: it forwards from its own port to a server, until told otherwise. */
export interface CuttableProxy {
  readonly port: number
  /** Cut every connection, as a crash of either side would. New ones are let through. */
  cut(): void
  /** While it is down, connections are cut and new ones refused. */
  down(): void
  up(): void
  /**
   * The next time a client sends `bytes`, pass them on, and cut the client off before it hears the answer. Resolves when the
   * server has answered, so that what it did is done.
   */
  cutAfter(bytes: Buffer): Promise<void>
  close(): Promise<void>
}

export async function startProxy(serverPort: number): Promise<CuttableProxy> {
  const pairs = new Set<{ client: Socket; server: Socket }>()
  let refusing = false
  let trap: { bytes: Buffer; sprung: () => void } | null = null

  const listener = createServer((client) => {
    if (refusing) return void client.destroy()
    const server = createConnection({ host: '127.0.0.1', port: serverPort })
    const pair = { client, server }
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      server.destroy()
    }
    let answered: (() => void) | null = null
    client.on('data', (bytes) => {
      server.write(bytes)
      if (trap === null || !bytes.includes(trap.bytes)) return
      answered = trap.sprung
      trap = null
      client.off('close', end)
      client.destroy()
    })
    server.on('data', (bytes) => {
      if (answered === null) return void client.write(bytes)
      answered()
      end()
    })
    for (const socket of [client, server]) {
      socket.on('error', () => {})
      socket.on('close', end)
    }
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.')

  const cut = () => {
    for (const { client, server } of pairs) {
      client.destroy()
      server.destroy()
    }
  }
  return {
    port: address.port,
    cut,
    down: () => {
      refusing = true
      cut()
    },
    up: () => {
      refusing = false
    },
    cutAfter: (bytes) =>
      new Promise((resolve) => {
        trap = { bytes, sprung: resolve }
      }),
    close: async () => {
      cut()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}
