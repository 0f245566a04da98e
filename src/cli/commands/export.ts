import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { airflowDag } from '../../orchestrator/export/airflow-dag.ts'
import { kubernetesJobs } from '../../orchestrator/export/kubernetes-jobs.ts'
import { schedulesOf } from '../../orchestrator/schedules/schedules-of.ts'
import { type Command, EXIT, UsageError } from '../command.ts'
import { textOption } from '../numbers.ts'
import { loadProject } from '../project.ts'

const IMAGE = 'mekong:0.1.0'
const CLAIM = 'mekong-home'

export const exportSchedules: Command = {
  name: 'export',
  summary: 'hand the schedules to Airflow or Kubernetes',
  usage: 'export airflow | kubernetes [--out FILE]',
  about: `
Prints the schedules of all pipelines, maintenance included, as a file of Airflow DAGs or as Kubernetes CronJobs. Each of them calls
"mekong run --schedule …" at its moments; which tasks that are, in which order and how often they are tried stays with the pipelines, so the file only
changes when a moment does. Set MEKONG_SCHEDULER=off for the platform then.`,
  options: {
    out: { type: 'string', value: 'FILE', doc: 'Write into a file instead of printing.' },
    command: {
      type: 'string',
      value: 'TEXT',
      doc: 'airflow: how the program is called there (default mekong).',
    },
    start: { type: 'string', value: 'DAY', doc: 'airflow: first day (default today, UTC).' },
    image: { type: 'string', value: 'NAME', doc: `kubernetes: image (default ${IMAGE}).` },
    claim: {
      type: 'string',
      value: 'NAME',
      doc: `kubernetes: volume claim with the home (default ${CLAIM}).`,
    },
    secret: {
      type: 'string',
      value: 'NAME',
      doc: 'kubernetes: secret with environment variables.',
    },
  },
  examples: [
    ['mekong export airflow --out dags/mekong.py', 'a DAG for each schedule'],
    ['mekong export kubernetes | kubectl apply -f -', 'a CronJob for each schedule'],
  ],

  async run(context) {
    const { args, options, terminal, cwd } = context
    const [target, ...rest] = args
    if ((target !== 'airflow' && target !== 'kubernetes') || rest.length > 0)
      throw new UsageError('Say where to: mekong export airflow | kubernetes')
    const startDay = textOption(options.start) ?? new Date().toISOString().slice(0, 10)
    if (!/^\d{4}-\d{2}-\d{2}$/.test(startDay)) throw new UsageError('--start takes YYYY-MM-DD.')
    const { plans, settings } = await loadProject(context)
    const schedules = schedulesOf(plans, settings)
    const text =
      target === 'airflow'
        ? airflowDag(schedules, {
            command: textOption(options.command) ?? 'mekong',
            homeFolder: textOption(options.home),
            startDay,
          })
        : kubernetesJobs(schedules, {
            image: textOption(options.image) ?? IMAGE,
            claim: textOption(options.claim) ?? CLAIM,
            environmentSecret: textOption(options.secret),
          })
    const out = textOption(options.out)
    if (out !== undefined) writeFileSync(path.resolve(cwd, out), text)
    const facts = { ok: true, schedules: schedules.map(({ id }) => id) }
    if (options.json === true) terminal.printJson(out === undefined ? { ...facts, text } : facts)
    else if (out === undefined) terminal.print(text.trimEnd())
    else terminal.print(`${schedules.length} schedules in ${out}`)
    return EXIT.ok
  },
}
