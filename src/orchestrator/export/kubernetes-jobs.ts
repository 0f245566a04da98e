import { createHash } from 'node:crypto'
import { LATE_MS_MAX } from '../schedules/due-run.ts'
import type { Schedule } from '../schedules/schedules-of.ts'

export interface KubernetesOptions {
  readonly image: string
  /** Persistent volume claim that holds the home. */
  readonly claim: string
  /** Secret or config map with the environment, read whole; `undefined` for none. */
  readonly environmentSecret: string | undefined
}

const HOME = '/var/lib/mekong'
const WAIT_SECONDS = 3_600
/** Of a CronJob; its jobs add eleven characters to it, and names end at 63. */
const NAME_LENGTH_MAX = 52

/** A CronJob for each schedule, as YAML. A job is one call of `mekong run` on the home's volume. Pure. */
export function kubernetesJobs(schedules: readonly Schedule[], options: KubernetesOptions): string {
  return `# Schedules of Mekong as CronJobs, made by "mekong export kubernetes". Each job opens the home on its volume for itself, one after the other:
# no "mekong up" may run on that home meanwhile.
${schedules.map((schedule) => jobText(schedule, options)).join('')}`
}

function jobText(schedule: Schedule, options: KubernetesOptions): string {
  const { id, cron, zone, catchUp, timeoutMs, retries } = schedule
  const { image, claim, environmentSecret } = options
  const args = ['run', '--schedule', id, '--wait', String(WAIT_SECONDS), '--home', HOME, '--json']
  // Kubernetes makes up for the latest moment at most.
  const deadline = catchUp === 'none' ? [`  startingDeadlineSeconds: ${LATE_MS_MAX / 1_000}`] : []
  const environment =
    environmentSecret === undefined
      ? []
      : [
          '              envFrom:',
          '                - secretRef:',
          `                    name: ${text(environmentSecret)}`,
        ]
  return [
    '---',
    'apiVersion: batch/v1',
    'kind: CronJob',
    'metadata:',
    `  name: ${text(jobName(id))}`,
    '  labels:',
    '    app.kubernetes.io/name: mekong',
    'spec:',
    `  schedule: ${text(cron)}`,
    `  timeZone: ${text(zone)}`,
    '  concurrencyPolicy: Forbid',
    ...deadline,
    '  jobTemplate:',
    '    spec:',
    '      backoffLimit: 1',
    `      activeDeadlineSeconds: ${Math.ceil((timeoutMs * (retries + 1)) / 1_000)}`,
    '      template:',
    '        spec:',
    '          restartPolicy: Never',
    '          containers:',
    '            - name: mekong',
    `              image: ${text(image)}`,
    `              args: [${args.map(text).join(', ')}]`,
    ...environment,
    '              volumeMounts:',
    '                - name: home',
    `                  mountPath: ${HOME}`,
    '          volumes:',
    '            - name: home',
    '              persistentVolumeClaim:',
    `                claimName: ${text(claim)}`,
    '',
  ].join('\n')
}

function jobName(id: string): string {
  const name = `mekong-${id.replaceAll(/[^a-z0-9]+/g, '-')}`
  if (name.length <= NAME_LENGTH_MAX) return name
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 8)
  return `${name.slice(0, NAME_LENGTH_MAX - 9)}-${digest}`
}

/** JSON's texts are YAML's too. */
const text = (value: string) => JSON.stringify(value)
