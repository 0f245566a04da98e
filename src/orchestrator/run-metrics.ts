import type { Meter } from '../model/meter.ts'
import type { Run, RunTask } from '../model/run.ts'
import { isOver } from './runs/task-status.ts'

/** Seconds to hours: a model takes what it takes. */
const BUCKETS_S = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400]

/** Counts what tasks come to. Gives what is to be told of every change of a task. */
export function runMetrics(meter: Meter): (run: Run, task: RunTask) => void {
  const ended = meter.counter({
    name: 'mekong_tasks_total',
    help: 'Tasks that have ended in a run, by what they came to.',
    labels: ['pipeline', 'kind', 'status'],
  })
  const seconds = meter.histogram({
    name: 'mekong_task_seconds',
    help: 'From the beginning of a task in a run to its end, all attempts together.',
    labels: ['pipeline', 'kind'],
    buckets: BUCKETS_S,
  })
  const retries = meter.counter({
    name: 'mekong_task_retries_total',
    help: 'Attempts that failed and were made again.',
    labels: ['pipeline', 'kind'],
  })
  return (_run, { pipeline, kind, status, startedMs, endedMs }) => {
    if (status === 'retrying') retries.with({ pipeline, kind }).add(1)
    if (!isOver(status)) return
    ended.with({ pipeline, kind, status }).add(1)
    if (startedMs !== null && endedMs !== null)
      seconds.with({ pipeline, kind }).observe((endedMs - startedMs) / 1_000)
  }
}
