import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { PAGE_HEADERS } from '../gateway/page-headers.ts'
import { sendProblem } from '../gateway/problem-document.ts'
import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import { accessOf } from './route-access.ts'

// The console: files that were built and compressed beforehand, handed out as they are. It is a program of its own and speaks to the platform only over
// the HTTP API; whoever may load it can do nothing with it but sign in.

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
}

/** @param folder where the built console is */
export function consoleRoutes(folder: string): readonly HttpRoute[] {
  if (!existsSync(path.join(folder, 'index.html'))) return []
  const page = (exchange: HttpExchange) => send(exchange, path.join(folder, 'index.html'))
  return [
    {
      method: 'GET',
      path: '/',
      ...accessOf('GET', '/'),
      handle: ({ response }) => redirect(response),
    },
    { method: 'GET', path: '/console', ...accessOf('GET', '/console'), handle: page },
    {
      method: 'GET',
      path: '/console/*',
      ...accessOf('GET', '/console/*'),
      async handle(exchange) {
        const wanted = exchange.params.rest ?? ''
        const file = path.resolve(folder, wanted)
        const isThere =
          file.startsWith(folder + path.sep) && statSync(file, { throwIfNoEntry: false })?.isFile()
        if (isThere !== true) {
          // Places in the console, such as `tables/bronze.events`, are all the one page.
          if (!wanted.startsWith('assets/')) return page(exchange)
          const detail = `There is no file ${wanted} in the console.`
          return sendProblem(exchange.response, { status: 404, code: 'not_found', detail })
        }
        return send(exchange, file)
      },
    },
  ]
}

function redirect(response: HttpExchange['response']): void {
  response.writeHead(302, { Location: '/console' })
  response.end()
}

/** As the build leaves them beside a file, the smallest first. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const

async function send({ response, request }: HttpExchange, file: string): Promise<void> {
  const type = TYPES[path.extname(file)] ?? 'application/octet-stream'
  // Built files carry a hash of their content in their names, but for the page itself.
  const isNamed = path.basename(path.dirname(file)) === 'assets'
  const accepted = String(request.headers['accept-encoding'] ?? '')
  const encoding = ENCODINGS.find(
    ([name, end]) => new RegExp(`\\b${name}\\b`).test(accepted) && existsSync(file + end),
  )
  const bytes = await readFile(file + (encoding?.[1] ?? ''))
  response.writeHead(200, {
    ...PAGE_HEADERS,
    'Content-Type': type,
    'Content-Length': bytes.length,
    'Cache-Control': isNamed ? 'public, max-age=31536000, immutable' : 'no-cache',
    Vary: 'Accept-Encoding',
    ...(encoding === undefined ? {} : { 'Content-Encoding': encoding[0] }),
  })
  response.end(bytes)
}
