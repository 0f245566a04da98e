import { existsSync, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { PAGE_HEADERS } from '../gateway/page-headers.ts'
import { sendProblem } from '../gateway/problem-document.ts'
import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import { accessOf } from './route-access.ts'

// The console: files that were built beforehand, handed out as they are. It is a program of its own and speaks to the platform only over
// the HTTP API; whoever may load it can do nothing with it but sign in.

const gzip = promisify(zlib.gzip)

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

/** Built files are few and never change while they are handed out, but for being built anew. */
const zippedFiles = new Map<string, { readonly changedMs: number; readonly bytes: Buffer }>()

async function zippedFile(file: string): Promise<Buffer> {
  const { mtimeMs: changedMs } = await stat(file)
  const known = zippedFiles.get(file)
  if (known?.changedMs === changedMs) return known.bytes
  const bytes = await gzip(await readFile(file))
  zippedFiles.set(file, { changedMs, bytes })
  return bytes
}

async function send({ response, request }: HttpExchange, file: string): Promise<void> {
  const type = TYPES[path.extname(file)] ?? 'application/octet-stream'
  // Built files carry a hash of their content in their names, but for the page itself.
  const isNamed = path.basename(path.dirname(file)) === 'assets'
  const useZip = /\bgzip\b/.test(String(request.headers['accept-encoding']))
  const bytes = useZip ? await zippedFile(file) : await readFile(file)
  response.writeHead(200, {
    ...PAGE_HEADERS,
    'Content-Type': type,
    'Content-Length': bytes.length,
    'Cache-Control': isNamed ? 'public, max-age=31536000, immutable' : 'no-cache',
    Vary: 'Accept-Encoding',
    ...(useZip ? { 'Content-Encoding': 'gzip' } : {}),
  })
  response.end(bytes)
}
