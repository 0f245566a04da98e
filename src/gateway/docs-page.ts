import { expectationOf } from '../model/field-expectation.ts'
import { exampleOf } from '../model/json-schema.ts'
import type { Field, RecordSchema } from '../model/schema.ts'
import type { IngestRoute } from './ingest-route.ts'
import { topicPathOf } from './openapi.ts'
import type { HttpRoute } from './router.ts'

/** The page for people: what can be sent where, with an example to paste. No script, nothing from elsewhere. */
export function docsPage(options: {
  readonly routes: readonly IngestRoute[]
  readonly extraRoutes: readonly HttpRoute[]
  readonly hasKeys: boolean
  readonly url: string
}): string {
  const { routes, extraRoutes, hasKeys, url } = options
  const links = routes.map(
    (route) => `<a href="#${escapeHtml(route.topic)}">${escapeHtml(route.topic)}</a>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Mekong gateway</title><link rel="stylesheet" href="/docs/style.css"></head><body>
<header><h1>Mekong gateway</h1><p>Events in. <b>202 means durable.</b> Errors are
<a href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</a> documents; the machine-readable description is
<a href="/docs/openapi.json">openapi.json</a>.</p><nav>${links.join('')}</nav></header>
<main>${routes.map((route) => routeSection(route, url, hasKeys)).join('')}
${otherSection(extraRoutes)}</main></body></html>
`
}

function routeSection(route: IngestRoute, url: string, hasKeys: boolean): string {
  const example = JSON.stringify(exampleOf(route.schema))
  const key = hasKeys ? ` \\\n  -H 'Authorization: Bearer $MEKONG_KEY'` : ''
  const curl = `curl ${url}${route.path} \\\n  -H 'Content-Type: application/json'${key} \\\n  -d '${example.replaceAll("'", "'\\''")}'`
  const identity =
    route.idField === undefined
      ? 'Send an <code>Idempotency-Key</code> to make sending again harmless.'
      : `<code>${escapeHtml(route.idField)}</code> is the id: the same id again changes nothing.`
  return `<section id="${escapeHtml(route.topic)}"><h2>${escapeHtml(route.topic)}</h2>
<p class="paths"><span>POST</span><code>${escapeHtml(route.path)}</code><code>${escapeHtml(topicPathOf(route))}</code></p>
<p>One object, an array, or one object per line; plain, gzip or zstd. ${identity}</p>
<table><thead><tr><th>Field</th><th>What it takes</th><th>Required</th></tr></thead>
<tbody>${fieldRows(route.schema, '')}</tbody></table>
<pre>${escapeHtml(curl)}</pre></section>`
}

function fieldRows(schema: RecordSchema, prefix: string): string {
  return Object.entries(schema.fields)
    .map(([name, field]) => fieldRow(prefix + name, field))
    .join('')
}

function fieldRow(name: string, field: Field): string {
  const doc = field.doc === undefined ? '' : `<br><small>${escapeHtml(field.doc)}</small>`
  const nested = 'fields' in field ? fieldRows(field as never as RecordSchema, `${name}.`) : ''
  return `<tr><td><code>${escapeHtml(name)}</code></td><td>${escapeHtml(expectationOf(field))}${doc}</td><td>${field.optional ? '–' : 'yes'}</td></tr>${nested}`
}

function otherSection(routes: readonly HttpRoute[]): string {
  const rows = routes
    .filter((route) => route.operation !== undefined)
    .map(({ method, path, access, operation }) => {
      const summary = String(operation?.summary ?? '')
      return `<tr><td><code>${method} ${escapeHtml(path)}</code></td><td>${escapeHtml(summary)}</td><td>${access}</td></tr>`
    })
  return `<section id="also"><h2>Also here</h2><table><thead><tr><th>Request</th><th>What it does</th><th>Role</th></tr></thead><tbody>${rows.join('')}
<tr><td><code>GET /health</code></td><td>The process answers.</td><td>open</td></tr>
<tr><td><code>GET /ready</code></td><td>It can take records; if not, why not.</td><td>open</td></tr>
<tr><td><code>GET /metrics</code></td><td>Prometheus text.</td><td>read</td></tr></tbody></table></section>`
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
