import { message, queryMessage, rowsIn, statementName, syncMessage, typeOf } from './wire.ts'

/** Runs whole protocol messages in the one session that an embedded database has; returns its answer. */
export type RunMessages = (bytes: Buffer) => Promise<Buffer>

/**
 * What a client believes its session to hold: settings and prepared statements. All clients share one real session, so
 * settings are put away when another client has its turn and statements carry the client's number in their names.
 * Still shared: temporary tables, advisory locks, LISTEN, and DEALLOCATE ALL or DISCARD ALL, which reach everybody's statements.
 */
export interface EmbeddedSession {
  /** The messages as the real session must see them. */
  prepare(run: RunMessages, messages: readonly Buffer[]): Promise<Buffer>
  /** Before another session has its turn. Outside of transactions only. */
  putAway(run: RunMessages): Promise<void>
  /** At the beginning of a turn, when another session had the last one. */
  takeOut(run: RunMessages): Promise<void>
  /** The client is gone: forget its statements. */
  end(run: RunMessages): Promise<void>
}

const READ_SETTINGS =
  queryMessage(`SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'session'
UNION ALL SELECT 'role', current_setting('role') WHERE current_setting('role') <> 'none'`)
const RESET_SETTINGS = queryMessage('RESET SESSION AUTHORIZATION; RESET ALL')

export function embeddedSession(
  number: number,
  startup: ReadonlyMap<string, string>,
): EmbeddedSession {
  const prefix = `mekong_${number}_`
  const statements = new Set<string>()
  let settings = sessionSettings(startup)
  /** The last Parse of the unnamed statement, which any simple query of another client throws away. */
  let unnamed: Buffer | null = null
  let unnamedLost = false

  return {
    async prepare(run, messages) {
      const renamed: Buffer[] = []
      for (const bytes of messages) {
        const statement = statementName(bytes)
        if (statement === null) {
          renamed.push(bytes)
          continue
        }
        const type = typeOf(bytes)
        if (statement.name === '') {
          if (type === 'P') {
            unnamed = Buffer.from(bytes)
            unnamedLost = false
          } else if (unnamedLost && unnamed !== null && type !== 'C') {
            await run(Buffer.concat([unnamed, syncMessage]))
            unnamedLost = false
          }
          renamed.push(bytes)
          continue
        }
        const name = prefix + statement.name
        if (type === 'P') statements.add(name)
        if (type === 'C') statements.delete(name)
        renamed.push(statement.renamed(name))
      }
      return Buffer.concat(renamed)
    },
    async putAway(run) {
      settings = rowsIn(await run(READ_SETTINGS)).map(([name, value]) => [name!, value ?? ''])
      unnamedLost = true
    },
    async takeOut(run) {
      await run(RESET_SETTINGS)
      // One by one: a setting that a client made up must not keep the others from it.
      for (const [name, value] of settings)
        await run(queryMessage(`SELECT set_config(${literal(name)}, ${literal(value)}, false)`))
    },
    async end(run) {
      if (statements.size === 0) return
      const closing = [...statements].map((name) => message('C', `S${name}\0`))
      statements.clear()
      await run(Buffer.concat([...closing, syncMessage]))
    },
  }
}

/** Settings among the parameters of a first message, also those in `options=-c name=value`. */
function sessionSettings(startup: ReadonlyMap<string, string>): (readonly [string, string])[] {
  const settings: (readonly [string, string])[] = []
  for (const [name, value] of startup) {
    if (name === 'options') {
      for (const option of value.matchAll(/(?:-c\s*|--)([\w.-]+)=((?:\\.|[^\s\\])*)/g))
        settings.push([option[1]!.replaceAll('-', '_'), option[2]!.replace(/\\(.)/g, '$1')])
    } else if (!NOT_SETTINGS.includes(name) && !name.startsWith('_pq_.')) {
      settings.push([name, value])
    }
  }
  return settings
}
const NOT_SETTINGS = ['user', 'database', 'replication']

/** A text literal that no content can end. */
function literal(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
