import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface LossyService extends AsyncDisposable {
  readonly url: string
  /** Requests that were cut off before they arrived, and answers that were lost after the deed. */
  readonly lost: { before: number; after: number }
}

export interface LossyOptions {
  /** The service behind. */
  readonly target: string
  /** From 0 (inclusive) to 1 (exclusive), of a seeded sequence. */
  readonly chance: () => number
  /** Chances that a request is cut off before it arrives, and that its answer is lost. */
  readonly rate: number
  /** Which requests may be lost. Default: all. */
  readonly may?: (message: IncomingMessage) => boolean
}

/** A line to an HTTP service that breaks now and then: what was asked for is done or not, and nobody hears of it. */
export async function lossyService(options: LossyOptions): Promise<LossyService> {
  const { target, chance, rate, may = () => true } = options
  const lost = { before: 0, after: 0 }
  const pass = (message: IncomingMessage, response: ServerResponse, loses: boolean) => {
    const { method, headers, url } = message
    // A connection each: losses are ours to decide.
    const options = { method: method!, headers, agent: false }
    const onward = request(new URL(url!, target), options, (answer) => {
      if (loses) {
        lost.after += 1
        answer.resume()
        answer.once('end', () => message.socket.destroy())
        return
      }
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    onward.once('error', () => message.socket.destroy())
    message.pipe(onward)
  }
  const server = createServer((message, response) => {
    const roll = may(message) ? chance() : 1
    if (roll < rate) {
      lost.before += 1
      message.socket.destroy()
    } else pass(message, response, roll < 2 * rate)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lost,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
