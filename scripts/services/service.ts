/**
 * What a real server must tell about itself so that `npm run services` and the tests can run it on loopback, without
 * Docker. One file per server in this folder exports one frozen `Service`; `all.ts` lists them.
 */
export interface Service {
  /** kebab-case; the folder below `.services/` and the word on the command line. */
  readonly name: string
  /** Tried first; another free port is taken when it is in use. */
  readonly portDefault: number
  /** Sent to stop it cleanly; SIGKILL follows after `STOP_WAIT_MS`. Default `SIGTERM`. */
  readonly stopSignal?: NodeJS.Signals

  /** In one line why it cannot be had on this machine (a program is missing), or `null` when it can. Quick; no downloads. */
  unavailable(): Promise<string | null>

  /** Download what it needs and create its data folder. Called before every start, so doing it again changes nothing. */
  prepare(place: ServicePlace): Promise<void>

  /** The process to start. It must stay in the foreground; it is started detached with its output in `server.log`. */
  command(place: ServicePlace): ServiceCommand

  /** Whether it answers as its clients need it to. Called until true; must not throw for "not yet". */
  ready(place: ServicePlace): Promise<boolean>

  /** Called once after each start when it is ready, for users, databases and the like. */
  afterStart?(place: ServicePlace): Promise<void>

  /** The environment variables with which Mekong uses this server. */
  environment(place: ServicePlace): Readonly<Record<string, string>>
}

/** Where one instance of a service lives. Folders exist when the service sees them. */
export interface ServicePlace {
  /** `.services/<name>[-<instance>]`, absolute: data, generated settings, `server.log`. */
  readonly folder: string
  /** `.services/downloads/<name>`, absolute, shared by the instances: jars and archives. */
  readonly downloadFolder: string
  /** On 127.0.0.1. Stays the same from start to start unless another is asked for. */
  readonly port: number
  /** Says one line of progress. */
  readonly say: (line: string) => void
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
