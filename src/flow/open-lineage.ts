import { appendFile, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { messageOf } from '../model/errors.ts'

/** Where OpenLineage events go. They never hold up or fail a run: what cannot be delivered is told and dropped. */
export interface LineageEmitter {
  readonly namespace: string
  emit(event: Readonly<Record<string, unknown>>): Promise<void>
}

export interface OpenLineageOptions {
  readonly openLineageFile: string | undefined
  readonly openLineageUrl: string | undefined
  readonly openLineageApiKey: string | undefined
  readonly openLineageNamespace: string
}

/** A server that does not answer by then keeps no run waiting. */
const TIMEOUT_MS = 5_000
const API_PATH = '/api/v1/lineage'

/** An emitter for what the settings name; `undefined` when they name nothing. */
export function openLineage(
  options: OpenLineageOptions,
  onNotice: (line: string) => void,
): LineageEmitter | undefined {
  const { openLineageFile: file, openLineageUrl: url, openLineageApiKey: key } = options
  if (file === undefined && url === undefined) return undefined
  return {
    namespace: options.openLineageNamespace,
    async emit(event) {
      const text = JSON.stringify(event)
      const said = (where: string) => (error: unknown) =>
        onNotice(
          `An OpenLineage event did not reach ${where}: ${messageOf(error)}. The run goes on.`,
        )
      await Promise.all([
        file === undefined ? undefined : toFile(file, text).catch(said(file)),
        url === undefined ? undefined : toServer(url, key, text).catch(said(url)),
      ])
    },
  }
}

async function toFile(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.resolve(file)), { recursive: true })
  await appendFile(file, `${text}\n`)
}

async function toServer(url: string, key: string | undefined, body: string): Promise<void> {
  const target = new URL(url)
  if (target.pathname === '/') target.pathname = API_PATH
  const answer = await fetch(target, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  await answer.arrayBuffer()
  if (!answer.ok) throw new Error(`it answered ${answer.status}`)
}
