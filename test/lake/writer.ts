import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A process that writes to lake tables and is told what to do line by line; it has one script for each format. */
export class Writer {
  readonly #child
  readonly #lines

  constructor(script: string, inFolder: string, name: string) {
    this.#child = spawn(process.execPath, [script, inFolder, name], {
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
