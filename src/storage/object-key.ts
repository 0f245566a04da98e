import { ObjectKeyError } from './errors.ts'

/**
 * Where half-written objects live until they are whole, in the folder that a store is rooted at. Listings skip the
 * name at any depth, because a store may be rooted above another.
 */
export const TEMPORARY_FOLDER = '.mekong-tmp'

/** The longest file name that every local file system takes, in UTF-8 bytes. */
const SEGMENT_BYTES_MAX = 255
/** S3's limit on a whole key, in UTF-8 bytes. */
const KEY_BYTES_MAX = 1024

/** Refuse what is not a plain relative key, before it can leave the root. @throws ObjectKeyError */
export function checkKey(key: string): void {
  const problem = problemWith(key)
  if (problem === undefined) return
  throw new ObjectKeyError(
    `${JSON.stringify(key)} cannot be an object key: ${problem}. Nothing was read or written. ` +
      'Keys are relative paths with "/" between names.',
  )
}

/** Refuse a list prefix that could leave the root. @throws ObjectKeyError */
export function checkPrefix(prefix: string): void {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  if (folder !== '') checkKey(folder.slice(0, -1))
  const name = prefix.slice(folder.length)
  if (name.includes('\0')) throw new ObjectKeyError('A list prefix cannot hold a zero character.')
}

function problemWith(key: string): string | undefined {
  if (key === '') return 'it is empty'
  if (key.includes('\0')) return 'it holds a zero character'
  if (!key.isWellFormed()) return 'it is not valid Unicode'
  if (Buffer.byteLength(key) > KEY_BYTES_MAX) return `it is longer than ${KEY_BYTES_MAX} bytes`
  for (const segment of key.split('/')) {
    if (segment === '') return 'a name between slashes is empty'
    if (segment === '.' || segment === '..') return `it holds the name ${JSON.stringify(segment)}`
    if (segment === TEMPORARY_FOLDER) return `${TEMPORARY_FOLDER} is kept for half-written objects`
    if (Buffer.byteLength(segment) > SEGMENT_BYTES_MAX)
      return `a name in it is longer than ${SEGMENT_BYTES_MAX} bytes`
  }
  return undefined
}
