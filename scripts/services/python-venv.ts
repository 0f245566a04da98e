import { execFile } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

// pip's own settings say from where; nothing here names a registry.

const run = promisify(execFile)

/** Why Python packages cannot be had here; `null` when they can. */
export async function pythonUnavailable(): Promise<string | null> {
  try {
    await run('python3', ['-c', 'import ensurepip, sys; assert sys.version_info >= (3, 10)'])
    return null
  } catch {
    return '`python3` is not there, is older than 3.10, or comes without `venv`.'
  }
}

/** The interpreter of a virtual environment. */
export const pythonOf = (venv: string) => path.join(venv, 'bin', 'python')

/**
 * A virtual environment at `venv` with exactly these pinned packages. One that was made for others,
 * or not to the end, is made anew.
 */
export async function makeVenv(venv: string, packages: readonly string[]): Promise<void> {
  const made = path.join(venv, 'mekong-packages.txt')
  const wanted = packages.join('\n')
  if (existsSync(made) && readFileSync(made, 'utf8') === wanted) return
  rmSync(venv, { recursive: true, force: true })
  await run('python3', ['-m', 'venv', venv])
  await run(pythonOf(venv), ['-m', 'pip', 'install', '--quiet', ...packages], {
    maxBuffer: 64 * 1024 * 1024,
  })
  writeFileSync(made, wanted)
}

export const hasVenv = (venv: string) => existsSync(path.join(venv, 'mekong-packages.txt'))
