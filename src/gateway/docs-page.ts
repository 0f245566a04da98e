import { expectationOf } from '../model/field-expectation.ts'
import { exampleOf } from '../model/json-schema.ts'
import type { Field, RecordSchema } from '../model/schema.ts'
import type { IngestRoute } from './ingest-route.ts'
import { topicPathOf } from './openapi.ts'
import type { HttpRoute } from './router.ts'

/** The page for people: what can be sent where, with an example to paste. One file, no script, nothing from elsewhere. */
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
<title>Mekong gateway</title><style>${STYLE}</style></head><body>
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
    .map(({ method, path, operation }) => {
      const summary = String(operation?.summary ?? '')
      return `<tr><td><code>${method} ${escapeHtml(path)}</code></td><td>${escapeHtml(summary)}</td></tr>`
    })
  return `<section id="also"><h2>Also here</h2><table><tbody>${rows.join('')}
<tr><td><code>GET /health</code></td><td>The process answers.</td></tr>
<tr><td><code>GET /ready</code></td><td>It can take records; if not, why not.</td></tr>
<tr><td><code>GET /metrics</code></td><td>Prometheus text.</td></tr></tbody></table></section>`
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5c6878;--line:#dfe4ea;--page:#f7f8fa;--card:#fff;--accent:#0b7285}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ef;--soft:#93a0b0;--line:#2a323c;--page:#12161b;--card:#191f26;--accent:#4dc4d8}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
header,main{max-width:54rem;margin:0 auto;padding:0 1.25rem}header{padding-top:3rem}
h1{font-size:1.6rem;margin:0;letter-spacing:-.01em}h2{font-size:1.15rem;margin:0 0 .5rem}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
nav{display:flex;flex-wrap:wrap;gap:.5rem 1rem;margin:1rem 0 2rem}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1.25rem 1.4rem;margin:0 0 1.25rem}
.paths{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:0 0 .5rem}
.paths span{font-weight:600;font-size:.8rem;color:var(--accent)}
code,pre{font:.875em/1.5 ui-monospace,monospace}.paths code{background:var(--page);padding:.1rem .45rem;border-radius:5px}
pre{background:var(--page);border-radius:8px;padding:.9rem 1rem;overflow:auto;margin:1rem 0 0}
table{border-collapse:collapse;width:100%}th{text-align:left;font-size:.8rem;font-weight:500;color:var(--soft)}
th,td{padding:.4rem .8rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top}tr:last-child td{border-bottom:0}
small{color:var(--soft)}`
