import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { sendProblem } from '../gateway/problem-document.ts'
import type { HttpExchange, HttpRoute } from '../gateway/router.ts'

// The console: files that were built beforehand, handed out as they are. It is a program of its own and speaks to the platform only over
// the HTTP API; whoever may load it can do nothing with it but sign in.

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
}

/** Nothing from elsewhere, no inline script; styles are set on elements by the charts. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** @param folder where the built console is */
export function consoleRoutes(folder: string): readonly HttpRoute[] {
  if (!existsSync(path.join(folder, 'index.html'))) return []
  const page = (exchange: HttpExchange) => send(exchange, path.join(folder, 'index.html'))
  return [
    { method: 'GET', path: '/', access: 'open', handle: ({ response }) => redirect(response) },
    { method: 'GET', path: '/console', access: 'open', handle: page },
    {
      method: 'GET',
      path: '/console/*',
      access: 'open',
      async handle(exchange) {
        const wanted = exchange.params.rest ?? ''
        const file = path.resolve(folder, wanted)
        // Paths of the console's own pages have no ending; all of them are the one page.
        if (path.extname(wanted) === '') return page(exchange)
        if (!file.startsWith(folder + path.sep) || !existsSync(file)) {
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

async function send({ response, request }: HttpExchange, file: string): Promise<void> {
  const type = TYPES[path.extname(file)] ?? 'application/octet-stream'
  // Built files carry a hash of their content in their names, but for the page itself.
  const isNamed = path.basename(path.dirname(file)) === 'assets'
  const zipped = `${file}.gz`
  const useZip = /\bgzip\b/.test(String(request.headers['accept-encoding'])) && existsSync(zipped)
  const bytes = await readFile(useZip ? zipped : file)
  response.writeHead(200, {
    'Content-Type': type,
    'Content-Length': bytes.length,
    'Cache-Control': isNamed ? 'public, max-age=31536000, immutable' : 'no-cache',
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    Vary: 'Accept-Encoding',
    ...(useZip ? { 'Content-Encoding': 'gzip' } : {}),
  })
  response.end(bytes)
}
