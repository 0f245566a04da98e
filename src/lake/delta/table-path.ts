import type { ObjectStore } from '../../model/object-store.ts'

/**
 * Where the files of a table are. Paths in the log are URIs (RFC 2396) that are relative to the table or absolute; they are
 * decoded to be used, and one file may be written in several ways (PROTOCOL.md, "Add File and Remove File").
 */

const SCHEME = /^[a-zA-Z][a-zA-Z0-9+.-]+:/

/**
 * One spelling per file, to compare paths by: decoded, a path inside the table relative to it, a local path without its
 * `file:` in all its forms.
 */
export function canonicalPath(path: string, tableUrl: string): string {
  const decoded = path.includes('%') ? decodePath(path) : path
  if (!isAbsolute(decoded)) return decoded
  const absolute = withoutFileScheme(decoded)
  const root = withoutFileScheme(decodePath(tableUrl))
  return absolute.startsWith(root) ? absolute.slice(root.length) : absolute
}

/** Finds files for a reader that takes paths or URLs, given their canonical paths. */
export function fileLocator(tableKey: string, store: ObjectStore): (canonical: string) => string {
  const folder = store.locate(tableKey)
  return (canonical) => {
    if (isAbsolute(canonical)) return canonical
    // Once for each of a hundred thousand files: only paths with empty or dotted names are taken apart.
    if (!/(^|\/)\.{0,2}(\/|$)/.test(canonical)) return `${folder}/${canonical}`
    return store.locate(normalKey(`${tableKey}/${canonical}`))
  }
}

function normalKey(key: string): string {
  const segments: string[] = []
  for (const segment of key.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment !== '..') segments.push(segment)
    else segments.pop()
  }
  return segments.join('/')
}

const isAbsolute = (canonical: string) => canonical.startsWith('/') || SCHEME.test(canonical)

/** The store's key of a canonical path; `undefined` when the file is outside of the store. */
export function keyOfFile(
  canonical: string,
  tableKey: string,
  store: ObjectStore,
): string | undefined {
  if (!isAbsolute(canonical)) return normalKey(`${tableKey}/${canonical}`)
  const root = withoutFileScheme(decodePath(store.rootUrl))
  return canonical.startsWith(root) ? canonical.slice(root.length) : undefined
}

/** A relative path as the log writes it: each name percent-encoded, slashes kept. */
export function encodePath(path: string): string {
  return path
    .split('/')
    .map((name) => encodeURIComponent(name).replaceAll('%3D', '='))
    .join('/')
}

/** The URL of a table's folder, with a slash at its end, for comparing absolute paths with. */
export function tableUrlOf(store: ObjectStore, tableKey: string): string {
  return `${store.rootUrl}${encodePath(tableKey)}/`
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // A stray percent sign: some writer did not encode. Then the text is the name.
    return path
  }
}

/** `file:/x`, `file:///x` and `/x` are one; other schemes stay. */
function withoutFileScheme(path: string): string {
  return path.replace(/^file:\/{0,2}(?=\/)/, '')
}
