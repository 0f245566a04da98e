import { spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'

/** A process that writes to lake tables of a format and is told what to do line by line (`writer-process.ts`). */
export class Writer {
  readonly #child
  readonly #lines

  constructor(format: 'delta' | 'iceberg', inFolder: string, name: string) {
    const script = path.join(import.meta.dirname, 'writer-process.ts')
    this.#child = spawn(process.execPath, [script, format, inFolder, name], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
  }

  tell(command: object | 'go'): void {
    this.#child.stdin.write(`${typeof command === 'string' ? command : JSON.stringify(command)}\n`)
  }

  async hear(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('the writer ended')
    return value
  }

  stop(): void {
    this.#child.stdin.end()
  }
}
