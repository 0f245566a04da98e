import { backfillView } from '../../api/run-views.ts'
import type { Backfill } from '../../model/backfill.ts'
import type { Backfills } from '../../orchestrator/backfills/backfills.ts'
import type { Platform } from '../../orchestrator/platform.ts'
import { type CommandContext, EXIT } from '../command.ts'
import type { Project } from '../project.ts'
import { withPlatform } from '../with-platform.ts'
import { progressText, showBackfill } from './backfill-there.ts'

/** Carry a backfill on in this process, to its end. Interrupted, it stays as it is, and goes on later. */
export function backfillHere(
  context: CommandContext,
  project: Project,
  begin: (backfills: Backfills) => Promise<Backfill>,
): Promise<number> {
  const { terminal, signal } = context
  const onPart = (backfill: Backfill) => terminal.progress(progressText(backfillView(backfill)))
  const work = async ({ runner, backfills }: Platform) => {
    const { id } = await begin(backfills)
    const stop = () => void runner.stop()
    signal.addEventListener('abort', stop, { once: true })
    const ended = await backfills.drive(id, signal)
    const code = showBackfill(context, backfillView(ended))
    return signal.aborted ? EXIT.interrupted : code
  }
  return withPlatform(context, project, work, {}, { openGateway: false, onPart })
}
