import type { ObjectStore } from '../../model/object-store.ts'

/**
 * Where the files of a table are. Metadata names them by whole URIs below the table's `location`, as its writer saw it:
 * on another host, under another scheme, or relative to a folder long gone. Wherever the table is opened, what begins
 * with the metadata's own location lies below the key we opened it by; what does not is taken as it stands.
 */
export interface TableLocation {
  readonly store: ObjectStore
  /** Of the table's folder, without a slash at its end. */
  readonly tableKey: string
  /** What metadata calls that folder, besides what it really is. */
  readonly aliases: readonly string[]
}

export function tableLocation(
  store: ObjectStore,
  tableKey: string,
  metadataLocation: string,
): TableLocation {
  const aliases = [metadataLocation, locationOf(store, tableKey)].map(canonical)
  return { store, tableKey, aliases: [...new Set(aliases)] }
}

/** Where a new table's metadata says that it is. */
export const locationOf = (store: ObjectStore, tableKey: string): string =>
  `${rawRoot(store)}${tableKey}`

/** Iceberg's locations are plain text; a store's URL is percent-encoded where it is a file's. */
const rawRoot = ({ rootUrl }: ObjectStore) =>
  rootUrl.startsWith('file:') ? decodeURIComponent(rootUrl) : rootUrl

/** The store's key of a location in the metadata; `undefined` when it is outside of the store. */
export function keyOfLocation(place: TableLocation, location: string): string | undefined {
  const path = canonical(location)
  for (const alias of place.aliases)
    if (path.startsWith(`${alias}/`))
      return [place.tableKey, path.slice(alias.length + 1)].filter((part) => part !== '').join('/')
  const root = canonical(rawRoot(place.store))
  if (path.startsWith(`${root}/`)) return path.slice(root.length + 1)
  return undefined
}

/** Where a reader that takes paths or URLs finds the file. */
export function locate(place: TableLocation, location: string): string {
  const key = keyOfLocation(place, location)
  return key === undefined ? withoutFileScheme(location) : place.store.locate(key)
}

const SCHEME = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//

/** One spelling per file: no `file:`, one name for S3's three schemes, no `./`, no doubled slashes. */
function canonical(location: string): string {
  const path = withoutFileScheme(location).replace(/^s3[an]:\/\//, 's3://')
  const scheme = SCHEME.exec(path)?.[0] ?? ''
  const names = path.slice(scheme.length).split('/')
  const isAbsolute = scheme === '' && path.startsWith('/')
  const kept = names.filter((name) => name !== '' && name !== '.')
  return scheme + (isAbsolute ? '/' : '') + kept.join('/')
}

/** `file:/x`, `file:///x` and `/x` are one. Iceberg's URIs are not percent-encoded. */
function withoutFileScheme(location: string): string {
  return location.replace(/^file:\/{0,2}(?=\/)/, '')
}
