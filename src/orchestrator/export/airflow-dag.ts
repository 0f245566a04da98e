import type { Schedule } from '../schedules/schedules-of.ts'

export interface ExportOptions {
  /** How the program is called there, such as `mekong` or `/opt/mekong/bin/mekong`. */
  readonly command: string
  /** Home folder there; `undefined` leaves it to the environment. */
  readonly homeFolder: string | undefined
  /** First day for which Airflow may run anything, `YYYY-MM-DD`. */
  readonly startDay: string
}

/** How long a run waits for another one to let go of the home. */
const WAIT_SECONDS = 3_600

/**
 * An Airflow file (2.4 and newer, and 3) with a DAG for each schedule. A DAG is one call of `mekong run`: when is Airflow's business; order,
 * retries of single tasks, and who may write what stay Mekong's. Pure.
 */
export function airflowDag(schedules: readonly Schedule[], options: ExportOptions): string {
  return `"""Schedules of Mekong as Airflow DAGs, made by "mekong export airflow".

Set MEKONG_SCHEDULER=off where "mekong up" runs, so that nothing runs twice. Where it runs on the same machine and home, these calls
go there; where none runs, each opens the home for itself and waits for the others.
"""

from datetime import timedelta

import pendulum
from airflow import DAG

try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:
    from airflow.operators.bash import BashOperator

${schedules.map((schedule) => dagText(schedule, options)).join('\n')}`
}

function dagText(schedule: Schedule, { command, homeFolder, startDay }: ExportOptions): string {
  const { id, pipeline, cron, zone, catchUp, retryDelayMs, timeoutMs, retries } = schedule
  const [year, month, day] = startDay.split('-').map(Number)
  const home = homeFolder === undefined ? '' : ` --home ${shellText(homeFolder)}`
  const call = `${command} run --schedule ${id} --logical-time "{{ data_interval_end.isoformat() }}" --wait ${WAIT_SECONDS}${home} --json`
  // Mekong has tried each task so often; once more is for the process that went away.
  const limitSeconds = Math.ceil((timeoutMs * (retries + 1)) / 1_000)
  return `with DAG(
    dag_id=${text(`mekong__${id.replaceAll(/[^A-Za-z0-9]+/g, '_')}`)},
    schedule=${text(cron)},
    start_date=pendulum.datetime(${year}, ${month}, ${day}, tz=${text(zone)}),
    catchup=${catchUp === 'all' ? 'True' : 'False'},
    max_active_runs=1,
    tags=["mekong", ${text(pipeline)}],
    default_args={
        "retries": 1,
        "retry_delay": timedelta(seconds=${Math.ceil(retryDelayMs / 1_000)}),
        "execution_timeout": timedelta(seconds=${limitSeconds}),
    },
):
    BashOperator(task_id="run", bash_command=${text(call)})
`
}

/** JSON's texts are Python's too. */
const text = (value: string) => JSON.stringify(value)

export const shellText = (value: string): string =>
  /^[A-Za-z0-9_./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`
