import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  listening,
  type PlatformProcess,
  type ReadyFacts,
  spawnPlatform,
} from './platform-process.ts'

/** A home folder of its own, and the processes that run on it one after another. Both are gone at the end, whatever happened. */
export class PlatformHome implements AsyncDisposable {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-crash-'))
  #running: PlatformProcess | undefined

  /** Start a process; the one before it must have ended, or be about to. */
  spawn(variables: Readonly<Record<string, string>> = {}): PlatformProcess {
    this.#running = spawnPlatform({ home: this.folder, variables })
    return this.#running
  }

  /** Start a process and wait until it listens. @throws when it ends before that, with what it said */
  start(variables: Readonly<Record<string, string>> = {}): Promise<PlatformProcess & ReadyFacts> {
    return listening(this.spawn(variables))
  }

  /** Where the platform listens, as soon as one does. */
  async url(): Promise<string> {
    for (;;) {
      const asked = this.#running
      const facts = await asked?.ready
      if (facts !== undefined && asked === this.#running) return facts.url
      // Killed while it started; the next one is about to.
      await sleep(10)
    }
  }

  /** What the process that runs, or ran last, has complained about. */
  complaints(): string {
    return this.#running?.complaints() ?? ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running?.signal('SIGKILL')
    await this.#running?.ended
    rmSync(this.folder, { recursive: true, force: true })
  }
}
