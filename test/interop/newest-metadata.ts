import path from 'node:path'
import type { Workshop } from './workshop.ts'

/** Where the file system's catalog says that a table's newest metadata is. */
export async function newestMetadata({ deps, folder }: Workshop, key: string): Promise<string> {
  const hint = await deps.store.get(`${key}/metadata/version-hint.text`)
  const version = new TextDecoder().decode(hint)
  for await (const { key: file } of deps.store.list({ prefix: `${key}/metadata/v${version}.` }))
    return path.join(folder, file)
  throw new Error(`${key} has no metadata of version ${version}.`)
}
