import { EngineIoError } from './errors.ts'
import { quoteText } from './quote-identifier.ts'

// Files that are not on this machine. The npm package of DuckDB has no httpfs, so whoever makes SQL marks remote locations as such
// (`readableFile`), and every statement is looked through before it runs: what is marked is brought here, the statement reads the local
// files, and they are given back when it has ended. Views keep theirs until they are dropped. See decision 0019.

/** Brings remote files. Filled by `flow/`. */
export interface RemoteFiles {
  /** Local paths, in the same order, good until they are given back. @throws PlatformError */
  borrow(files: readonly RemoteFile[], signal?: AbortSignal): Promise<BorrowedFiles>
}

export interface RemoteFile {
  /** A URL. */
  readonly location: string
  /** `tail`: only the footer of a Parquet file is read. */
  readonly part: 'whole' | 'tail'
}

export interface BorrowedFiles {
  readonly paths: readonly string[]
  release(): Promise<void>
}

const URL_WITH_HOST = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//

/** Whether the engine needs help to read it. */
export const isRemote = (location: string): boolean => URL_WITH_HOST.test(location)

/** DuckDB takes paths as patterns where it reads; a class of one character stands for the character. */
export const withoutPatterns = (path: string) => path.replace(/[*?[]/g, '[$&]')

/** A file as SQL text, for what reads files: a local path, or a mark that becomes one when the statement runs. */
export function readableFile(location: string, part: RemoteFile['part'] = 'whole'): string {
  return isRemote(location)
    ? quoteText(`mekong-remote:${part}:${location}`)
    : quoteText(withoutPatterns(location))
}

/** What the engine calls such a file in its answers, as SQL text. */
export const remoteFileName = (location: string, part: RemoteFile['part']): string =>
  quoteText(`mekong-remote-name:${part}:${location}`)

const MARK = /'mekong-remote(-name)?:(whole|tail):((?:[^']|'')*)'/g
const NAME = String.raw`(?:(?:"(?:[^"]|"")*"|\w+)\.)*(?:"(?:[^"]|"")*"|\w+)`
const CREATE_VIEW = new RegExp(`^CREATE (?:OR REPLACE )?VIEW (${NAME}) AS `)
const DROP_VIEW = new RegExp(`^DROP VIEW (?:IF EXISTS )?(${NAME})$`)
const DETACH = /^DETACH (\w+)$/

/** A statement that can run, and what to do afterwards. */
export interface LocalStatement {
  readonly sql: string
  /** To be called once, however it ended. */
  end(outcome: 'done' | 'failed'): Promise<void>
}

/** What the statements and views of one engine have borrowed. */
export class Borrowings {
  #remote: RemoteFiles | undefined
  readonly #views = new Map<string, BorrowedFiles>()

  /** From now on, remote files come from there. */
  readFrom(remote: RemoteFiles): void {
    this.#remote = remote
  }

  /** @throws EngineIoError when nobody brings remote files */
  async begin(sql: string, signal: AbortSignal | undefined): Promise<LocalStatement> {
    if (!sql.includes("'mekong-remote:")) return this.#plain(sql)
    const files = marksIn(sql)
    if (this.#remote === undefined)
      throw new EngineIoError(
        `${files[0]!.location} cannot be read: this process knows no store for it. Nothing was run.`,
      )
    const borrowed = await this.#remote.borrow(files, signal)
    const paths = new Map(files.map((file, index) => [keyOf(file), borrowed.paths[index]!]))
    const view = CREATE_VIEW.exec(sql)?.[1]
    return {
      sql: sql.replace(MARK, (_, isName: string | undefined, part: string, text: string) => {
        const local = paths.get(keyOf(fileOf(part, text)))!
        return quoteText(isName === undefined ? withoutPatterns(local) : local)
      }),
      end: async (outcome) => {
        if (view === undefined || outcome === 'failed') return borrowed.release()
        const older = this.#views.get(view)
        this.#views.set(view, borrowed)
        await older?.release()
      },
    }
  }

  /** Most statements: nothing remote in them, and views with files in them only rarely. */
  #plain(sql: string): LocalStatement {
    const end = async () => {
      if (this.#views.size === 0) return
      const dropped = DROP_VIEW.exec(sql)?.[1]
      const catalog = DETACH.exec(sql)?.[1]
      for (const [name, borrowed] of this.#views)
        if (name === dropped || (catalog !== undefined && name.startsWith(`${catalog}.`))) {
          this.#views.delete(name)
          await borrowed.release()
        }
    }
    return { sql, end }
  }
}

/** Each file once. */
function marksIn(sql: string): readonly RemoteFile[] {
  const files = new Map<string, RemoteFile>()
  for (const [, , part, text] of sql.matchAll(MARK)) {
    const file = fileOf(part!, text!)
    files.set(keyOf(file), file)
  }
  return [...files.values()]
}

const fileOf = (part: string, text: string): RemoteFile => ({
  location: text.replaceAll("''", "'"),
  part: part as RemoteFile['part'],
})
const keyOf = ({ location, part }: RemoteFile) => `${part}:${location}`
