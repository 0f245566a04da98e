import { setTimeout as sleep } from 'node:timers/promises'
import type { BackfillView } from '../../api/run-views.ts'
import type { BackfillRequest } from '../../model/backfill.ts'
import type { RunningPlatform } from '../../orchestrator/home.ts'
import { type CommandContext, EXIT } from '../command.ts'
import { askedOf } from '../running-platform.ts'

const LOOK_INTERVAL_MS = 500

/** Begin a backfill in the running platform, and look on until it stands still. Ctrl+C stops only the looking on. */
export async function backfillThere(
  context: CommandContext,
  running: RunningPlatform,
  { selectors, unit, from, to, partSize }: BackfillRequest,
): Promise<number> {
  const body = { selectors, unit, from, to, part_size: partSize }
  let view = await askedOf<BackfillView>(running, context, {
    ...{ method: 'POST', path: '/v1/backfills', body },
  })
  while (view.status === 'running') {
    context.terminal.progress(progressText(view))
    await sleep(LOOK_INTERVAL_MS, undefined, { signal: context.signal })
    view = await askedOf<BackfillView>(running, context, { path: `/v1/backfills/${view.id}` })
  }
  return showBackfill(context, view)
}

export function showBackfill({ terminal, options }: CommandContext, view: BackfillView): number {
  terminal.progress('')
  const ok = view.status === 'done'
  if (options.json === true) terminal.printJson({ ok, ...view })
  else terminal.print(backfillText(view))
  return ok ? EXIT.ok : EXIT.failed
}

/** For the line that replaces itself. */
export function progressText({ parts, progress }: BackfillView): string {
  const current = parts.find(({ status }) => status === 'running')
  return `${progress.done} of ${progress.total} parts${current === undefined ? '' : `, at ${current.from}`}`
}

/** A backfill in a few lines, with what is not done. */
export function backfillText(view: BackfillView): string {
  const { id, status, selectors, unit, from, to, progress, parts } = view
  const failed = parts.filter((part) => part.status === 'failed')
  return [
    `Backfill ${id} of ${selectors.join(' ')}, ${unit} ${from} to ${to}: ${status}, ${progress.done} of ${progress.total} parts done.`,
    ...failed.map((part) => `${part.from} to ${part.to} failed: mekong runs show ${part.run}`),
  ].join('\n')
}
