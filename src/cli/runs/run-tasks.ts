import { type RunTaskView, runTaskView } from '../../api/run-views.ts'
import type { RunTrigger } from '../../model/run.ts'
import type { Platform } from '../../orchestrator/platform.ts'
import { requestOf } from '../../orchestrator/runs/run-wish.ts'
import type { CommandContext } from '../command.ts'
import { tasksText } from './run-text.ts'

/** What became of the tasks of a pipeline. */
export interface RanTasks {
  readonly ok: boolean
  readonly tasks: readonly RunTaskView[]
  /** For people; none where there were no tasks. */
  readonly lines: readonly string[]
}

export const NOTHING_RAN: RanTasks = { ok: true, tasks: [], lines: [] }

/** Run the tasks of one pipeline (models, publishes, syncs, steps; not maintenance), and wait. A pipeline without tasks has no run. */
export async function runTasks(
  { terminal, signal }: Pick<CommandContext, 'terminal' | 'signal'>,
  { runner, clock }: Platform,
  { pipeline, trigger }: { readonly pipeline: string; readonly trigger: RunTrigger },
): Promise<RanTasks> {
  const hasTasks = runner.graph.tasks.some(
    (task) => task.pipeline === pipeline && task.kind !== 'maintenance',
  )
  if (!hasTasks) return NOTHING_RAN
  signal.throwIfAborted()
  terminal.progress(`${pipeline}: running its tasks`)
  const run = await runner.start(requestOf({ pipeline, trigger }, clock.nowMs()))
  const stop = () => void runner.stop()
  signal.addEventListener('abort', stop, { once: true })
  const ended = await runner.ended(run.id)
  signal.removeEventListener('abort', stop)
  signal.throwIfAborted()
  terminal.progress('')
  const tasks = ended.tasks.map(runTaskView)
  return { ok: ended.run.status === 'succeeded', tasks, lines: ['', tasksText(tasks)] }
}
