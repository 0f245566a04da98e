import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

// The least that a node:http server can do for the same exchange: read the body to its end, answer 202 with as many bytes as
// the gateway does. It checks nothing and keeps nothing.

const ANSWER =
  '{"id":"019333a1-2b3c-7def-8123-456789abcdef","status":"accepted","topic":"user-events","partition":0,"offset":12345}'
const CHILD_FLAG = '--bare-server'

export interface BareServer {
  readonly port: number
  stop(): Promise<void>
}

/** Start one in a process of its own. */
export async function startBareServer(): Promise<BareServer> {
  const child = fork(import.meta.filename, [CHILD_FLAG])
  const [port] = (await once(child, 'message')) as [number]
  return {
    port,
    async stop() {
      child.kill()
      await once(child, 'exit')
    },
  }
}

if (process.argv[2] === CHILD_FLAG) {
  const server = createServer((request, response) => {
    request.on('data', () => {})
    request.on('end', () => {
      response.writeHead(202, [
        'Content-Type',
        'application/json',
        'Content-Length',
        String(ANSWER.length),
      ])
      response.end(ANSWER)
    })
  })
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
}
