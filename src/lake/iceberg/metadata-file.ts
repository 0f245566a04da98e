/** The name of a metadata file, and what it tells. */
export interface MetadataFile {
  readonly name: string
  /** Which comes after which. */
  readonly order: number
  /** Set for `v<N>` names, whose numbers decide; absent where a catalog points to the current file. */
  readonly version: number | undefined
}

const BY_VERSION = /^v(\d+)(?:\.gz)?\.metadata\.json(?:\.gz)?$/
const BY_CATALOG = /^(\d+)-[^/]*?(?:\.gz)?\.metadata\.json(?:\.gz)?$/

/** `undefined` for any other file. */
export function parseMetadataFile(name: string): MetadataFile | undefined {
  const byVersion = BY_VERSION.exec(name)
  if (byVersion !== null) {
    const version = Number(byVersion[1])
    return { name, order: version, version }
  }
  const byCatalog = BY_CATALOG.exec(name)
  return byCatalog === null ? undefined : { name, order: Number(byCatalog[1]), version: undefined }
}

/** `v7.metadata.json`; gzipped, as Hadoop's tables have it, `v7.gz.metadata.json`. */
export const versionFile = (version: number, isGzip: boolean): string =>
  `v${version}${isGzip ? '.gz' : ''}.metadata.json`
