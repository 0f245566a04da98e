import type { ServerResponse } from 'node:http'
import { METRICS_CONTENT_TYPE, type Meter } from '../model/meter.ts'
import { DOCS_STYLE } from './docs-style.ts'
import { PAGE_HEADERS } from './page-headers.ts'
import type { HttpRoute } from './router.ts'
import { sendJson, sendText } from './send.ts'

/** Says what is not ready yet, in words for people; empty when all is. */
export type Readiness = () => readonly string[] | Promise<readonly string[]>

/** The routes that every gateway has beside its doors. */
export function systemRoutes(options: {
  readonly meter: Meter
  readonly readiness: Readiness
  readonly isDraining: () => boolean
  readonly docs: () => string
  readonly openApi: () => string
}): readonly HttpRoute[] {
  const { meter, readiness, isDraining, docs, openApi } = options
  return [
    {
      method: 'GET',
      path: '/health',
      access: 'open',
      handle: ({ response }) => sendJson(response, 200, { status: 'ok' }),
    },
    {
      method: 'GET',
      path: '/ready',
      access: 'open',
      async handle({ response }) {
        const reasons = [...(isDraining() ? ['shutting down'] : []), ...(await readiness())]
        if (reasons.length === 0) sendJson(response, 200, { status: 'ready' })
        else sendJson(response, 503, { status: 'not_ready', reasons })
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      access: 'read',
      handle: ({ response }) => sendText(response, 200, METRICS_CONTENT_TYPE, meter.render()),
    },
    {
      method: 'GET',
      path: '/docs',
      access: 'open',
      handle: ({ response }) => sendPage(response, 'text/html', docs()),
    },
    {
      method: 'GET',
      path: '/docs/style.css',
      access: 'open',
      handle: ({ response }) => sendPage(response, 'text/css', DOCS_STYLE),
    },
    {
      method: 'GET',
      path: '/docs/openapi.json',
      access: 'open',
      handle: ({ response }) => sendText(response, 200, 'application/json', openApi()),
    },
  ]
}

function sendPage(response: ServerResponse, type: string, text: string): void {
  const length = Buffer.byteLength(text)
  const own = { 'Content-Type': `${type}; charset=utf-8`, 'Content-Length': length }
  response.writeHead(200, { ...PAGE_HEADERS, ...own })
  response.end(text)
}
