import { setTimeout as sleep } from 'node:timers/promises'
import { HomeLockedError } from '../orchestrator/errors.ts'
import type { CommandContext } from './command.ts'
import { wholeNumber } from './numbers.ts'

const FREE_LOOK_MS = 1_000

/** Try again while another process has the home, for as long as `--wait` says. */
export async function untilFree<T>(
  { options, signal, terminal }: CommandContext,
  work: () => Promise<T>,
): Promise<T> {
  const untilMs = Date.now() + (wholeNumber(options.wait, '--wait') ?? 0) * 1_000
  while (true) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof HomeLockedError) || Date.now() >= untilMs) throw error
    }
    terminal.progress('waiting for another command to let go of the home')
    await sleep(FREE_LOOK_MS, undefined, { signal })
  }
}
