import { execFileSync } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'

/** On what a figure was measured; figures of two machines are not compared. */
export interface Machine {
  readonly cores: number
  readonly cpu: string
  readonly memoryGib: number
  readonly node: string
  readonly platform: string
  /** Runnable threads over the last minute, before the bench: above 0.5 somebody else was working. */
  readonly loadBefore: number
  readonly commit: string
}

export function describeMachine(): Machine {
  return {
    cores: os.availableParallelism(),
    cpu: os.cpus()[0]?.model ?? 'unknown',
    memoryGib: Math.round(os.totalmem() / 1024 ** 3),
    node: process.version,
    platform: `${os.platform()} ${os.release()} ${os.arch()}`,
    loadBefore: Math.round(os.loadavg()[0]! * 100) / 100,
    commit: commitName(),
  }
}

/** The commit that was measured, with a plus when files differ from it. */
function commitName(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: path.dirname(import.meta.dirname), encoding: 'utf8' }).trim()
  try {
    const changed = git('status', '--porcelain') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? '+' : ''}`
  } catch {
    return 'unknown'
  }
}
