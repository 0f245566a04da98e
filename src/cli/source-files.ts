import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { dayOf } from '../flow/day-unit.ts'
import type { FileLoaderPlan, FolderLoaderPlan, PipelinePlan } from '../pipeline/plan.ts'
import { UsageError } from './command.ts'

/** What a loader makes events of: one file, or files that belong together. */
export type EventTask =
  | { readonly kind: 'file'; readonly loader: FileLoaderPlan; readonly file: string }
  | { readonly kind: 'folder'; readonly loader: FolderLoaderPlan; readonly files: FilesOf }

/** What is read: for events, or a file of a day, whose rows go straight into a table. */
export type LoadTask = EventTask | { readonly kind: 'day'; readonly file: string }

/** The files of each relation of a folder's loader, in the order of their names. */
export type FilesOf = Readonly<Record<string, readonly string[]>>

/**
 * What to read for the arguments of `mekong load`, files and folders. Files that a folder's loader reads together are one task; every other file
 * named is one of its own. Files that are only in a folder, and that nothing reads, are left alone.
 * @throws UsageError when something does not exist, or nothing reads it
 */
export async function loadTasks(
  plan: Readers,
  named: readonly string[],
): Promise<readonly LoadTask[]> {
  const { loaders } = plan
  const isDay = (file: string) => dayOf(plan.files, file) !== undefined
  const found = await Promise.all(named.map((at) => filesAt(at, isDay)))
  let files = [...new Set(found.flatMap((at) => at.files))]
  const mustRead = found.flatMap((at) => (at.isFolder ? [] : at.files))
  const tasks: LoadTask[] = []
  for (const loader of loaders) {
    if (loader.format !== 'folder') continue
    const filesOf = matchedFiles(loader, files)
    if (Object.values(filesOf).some((matched) => matched.length === 0)) continue
    const taken = new Set(Object.values(filesOf).flat())
    files = files.filter((file) => !taken.has(file))
    tasks.push({ kind: 'folder', loader, files: filesOf })
  }
  for (const file of files) {
    const loader = loaders.find(
      (known): known is FileLoaderPlan =>
        known.format !== 'folder' && known.matches.test(path.basename(file)),
    )
    if (loader !== undefined) tasks.push({ kind: 'file', loader, file })
    else if (isDay(file)) tasks.push({ kind: 'day', file })
    else if (mustRead.includes(file)) throw unreadable(plan, file)
  }
  if (tasks.length === 0) throw unreadable(plan, named.join(', '))
  return tasks
}

/** What a pipeline can read. */
type Readers = Pick<PipelinePlan, 'loaders' | 'files'>

interface FilesAt {
  readonly files: readonly string[]
  readonly isFolder: boolean
}

/** The files in a folder; those of days in its folders too, because a day may be a folder. */
async function filesAt(named: string, isDay: (file: string) => boolean): Promise<FilesAt> {
  const at = await stat(named).catch(() => undefined)
  if (at === undefined) throw new UsageError(`There is no file or folder ${named}`)
  if (at.isFile()) return { files: [named], isFolder: false }
  if (!at.isDirectory()) throw new UsageError(`${named} is neither a file nor a folder`)
  const entries = await readdir(named, { withFileTypes: true, recursive: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name))
    .filter((file) => path.dirname(file) === path.normalize(named) || isDay(file))
  return { files: files.sort(), isFolder: true }
}

const matchedFiles = ({ relations }: FolderLoaderPlan, files: readonly string[]): FilesOf =>
  Object.fromEntries(
    Object.entries(relations).map(([relation, matches]) => [
      relation,
      files.filter((file) => matches.test(path.basename(file))),
    ]),
  )

function unreadable({ loaders, files }: Readers, what: string): UsageError {
  const known = [...loaders, ...files].map(({ description }) => `  ${description}`).join('\n')
  return new UsageError(`This pipeline does not know how to read ${what}. It reads:\n${known}`)
}
