/**
 * What a real engine must tell about itself so that `npm run services` and the tests can have it on
 * this machine, without Docker. One file per engine in this folder exports one frozen `Service`;
 * `all.ts` lists them.
 */
export type Service = Server | Toolset

/** Programs and libraries in a folder of their own, to be called; nothing is started. */
export interface Toolset {
  /** kebab-case; the folder below `.services/` and the word on the command line. */
  readonly name: string

  /**
   * In one line why it cannot be had on this machine (a program is missing), or `null` when it can.
   * Quick; no downloads.
   */
  unavailable(): Promise<string | null>

  /**
   * Download what it needs and create its folder. Called before every use, so doing it again
   * changes nothing.
   */
  prepare(place: ToolsetPlace): Promise<void>

  /** The environment variables with which it is used, by people and by tests. */
  environment(place: ToolsetPlace): Readonly<Record<string, string>>
}

/** Something that listens on loopback. */
export interface Server extends Omit<Toolset, 'prepare' | 'environment'> {
  /** Tried first; another free port is taken when it is in use. */
  readonly portDefault: number
  /** Sent to stop it cleanly; SIGKILL follows after `STOP_WAIT_MS`. Default `SIGTERM`. */
  readonly stopSignal?: NodeJS.Signals

  /** As for a toolset; called before every start. */
  prepare(place: ServicePlace): Promise<void>

  /**
   * The process to start. It must stay in the foreground; it is started detached with its output in
   * `server.log`.
   */
  command(place: ServicePlace): ServiceCommand

  /**
   * Whether it answers as its clients need it to. Called until true; must not throw for "not yet".
   */
  ready(place: ServicePlace): Promise<boolean>

  /** Called once after each start when it is ready, for users, databases and the like. */
  afterStart?(place: ServicePlace): Promise<void>

  /** The environment variables with which Mekong uses this server. */
  environment(place: ServicePlace): Readonly<Record<string, string>>
}

export const isServer = (service: Service): service is Server => 'command' in service

/** Where a service lives. Folders exist when the service sees them. */
export interface ToolsetPlace {
  /** `.services/<name>[-<instance>]`, absolute: programs, data, generated settings, `server.log`. */
  readonly folder: string
  /** `.services/downloads/<name>`, absolute, shared by the instances: jars and archives. */
  readonly downloadFolder: string
  /** Says one line of progress. */
  readonly say: (line: string) => void
}

/** Where one instance of a server lives. */
export interface ServicePlace extends ToolsetPlace {
  /** On 127.0.0.1. Stays the same from start to start unless another is asked for. */
  readonly port: number
}

export interface ServiceCommand {
  readonly file: string
  readonly args: readonly string[]
  /** Added to the environment of the caller. */
  readonly env?: Readonly<Record<string, string>>
  /** Default: the folder of the place. */
  readonly cwd?: string
  /** For servers that refuse to run as root. */
  readonly uid?: number
  readonly gid?: number
}
