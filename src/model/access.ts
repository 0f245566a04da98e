// Who may do what: roles of keys, what routes ask for, and what is written down about it.

/** What a request can need, from the least: to send records, to look, to change what runs, to say who may. */
export const GRANTS = ['ingest', 'read', 'operate', 'admin'] as const
export type Grant = (typeof GRANTS)[number]

/** What a key, and whoever signed in with it, is. Roles are named after the most that they may. */
export const ROLES = ['ingest', 'read', 'operate', 'admin'] as const
export type Role = (typeof ROLES)[number]

/**
 * What each role may. `ingest` and `read` know nothing of one another: a collector on a stranger's machine may write and see
 * nothing, a screen on the wall may see and write nothing.
 */
const GRANTS_OF: Readonly<Record<Role, readonly Grant[]>> = {
  ingest: ['ingest'],
  read: ['read'],
  operate: ['ingest', 'read', 'operate'],
  admin: GRANTS,
}

/** What keys are that were made before there were roles, and keys that are made without naming one: all that was possible then. */
export const DEFAULT_ROLE: Role = 'operate'

export const grantsOf = (role: Role): readonly Grant[] => GRANTS_OF[role]

/** Whether a role suffices. */
export const may = (role: Role, grant: Grant): boolean => GRANTS_OF[role].includes(grant)

/** The role that a word names. */
export const roleNamed = (word: unknown): Role | undefined => ROLES.find((role) => role === word)

/** How an action ended: `begun` stands until it has, and for good when the process died on the way. */
export type AuditOutcome = 'begun' | 'done' | 'failed' | 'refused'

/** One line of the audit log, before it has a number. */
export interface AuditEntry {
  readonly atMs: number
  /** The name of a key; `anybody` where no keys are asked for; the user of the machine for a command. */
  readonly actor: string
  /** By what: a request with a key, a session of the console, nothing (loopback without keys), or a command on the home itself. */
  readonly by: 'key' | 'session' | 'open' | 'command'
  /** Of the session, if one. */
  readonly session: string | null
  readonly role: Role | null
  /** Where the request came from; null for commands. */
  readonly address: string | null
  /** A word such as `run.begin`. */
  readonly action: string
  /** On what: a path, the arguments of a command, what the handler said more exactly. */
  readonly subject: string
  readonly outcome: AuditOutcome
  /** The answer's HTTP status or the command's exit code, and the problem's code, once known. */
  readonly status: number | null
  readonly detail: string | null
}

/** A line of the audit log as it is kept. Numbers only grow. */
export interface StoredAuditEntry extends AuditEntry {
  readonly id: number
}

/** How an action ended. */
export interface AuditEnding {
  readonly outcome: Exclude<AuditOutcome, 'begun'>
  readonly status: number | null
  readonly detail: string | null
  /** On what, when that was known only on the way. */
  readonly subject?: string
}

/** A sign-in of the console, as it is kept: of its secret only the hash. */
export interface SessionRow {
  /** Public: it names the session in lists and in the audit log. */
  readonly id: string
  /** `sha256:` and 64 hex digits. */
  readonly hash: string
  readonly keyName: string
  readonly createdMs: number
  /** The last request, to within a minute. */
  readonly seenMs: number
  /** When it is over however much it is used. */
  readonly expiresMs: number
  readonly endedMs: number | null
  readonly address: string | null
  /** What the browser said it is. */
  readonly agent: string | null
}
