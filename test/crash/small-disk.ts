import { spawn } from 'node:child_process'
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import path from 'node:path'

/** A small file system that only our own processes see: gone with the process that holds it. */
export interface SmallDisk {
  /** Put before a command that is to see it; there it lies at `mountedAt`. */
  readonly prefix: readonly string[]
  readonly mountedAt: string
  /** The same folder as we see it. */
  readonly folder: string
  /** Take all the space that is left. */
  fill(): void
  /** Give it back. */
  free(): void
  close(): Promise<void>
}

/** Make one, or say why not: it takes the right to mount, in a namespace of its own. */
export async function makeSmallDisk(
  bytes: number,
  mountedAt: string,
): Promise<SmallDisk | { readonly skip: string }> {
  const script = `mount -t tmpfs -o size=${bytes} tmpfs ${mountedAt} && echo mounted && exec sleep infinity`
  const holder = spawn('unshare', ['--mount', 'sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const ended = new Promise<void>((resolve) => {
    holder.once('error', () => resolve())
    holder.once('close', () => resolve())
  })
  const mounted = new Promise<boolean>((resolve) => {
    holder.stdout.once('data', () => resolve(true))
    holder.stderr.on('data', (text) => {
      said += text
    })
  })
  if (!(await Promise.race([mounted, ended.then(() => false)])))
    return { skip: `no file system of our own can be mounted here: ${said.trim()}` }
  const folder = `/proc/${holder.pid}/root${mountedAt}`
  const ballast = path.join(folder, 'ballast')
  return {
    prefix: ['nsenter', `--mount=/proc/${holder.pid}/ns/mnt`],
    mountedAt,
    folder,
    fill: () => fillUp(ballast),
    free: () => rmSync(ballast, { force: true }),
    async close() {
      holder.kill('SIGKILL')
      await ended
    },
  }
}

function fillUp(ballast: string): void {
  const file = openSync(ballast, 'a')
  try {
    for (const size of [1 << 20, 1 << 12]) {
      const zeros = Buffer.alloc(size)
      // Until the file system itself says that there is no more.
      while (statfsSync(path.dirname(ballast)).bavail > 0 && writes(file, zeros));
    }
  } finally {
    closeSync(file)
  }
}

function writes(file: number, bytes: Buffer): boolean {
  try {
    return writeSync(file, bytes) === bytes.length
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  }
}
