import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { airflowDag } from '../../../src/orchestrator/export/airflow-dag.ts'
import { kubernetesJobs } from '../../../src/orchestrator/export/kubernetes-jobs.ts'
import { schedulesOf } from '../../../src/orchestrator/schedules/schedules-of.ts'
import { pipeline } from '../../../src/pipeline/pipeline.ts'

const schedules = schedulesOf(
  [
    pipeline('git-river', (p) => {
      p.schedule('hourly', { cron: '0 * * * *', run: ['tag:hourly'], catchUp: 'none' })
      p.schedule('monthly-report-of-everything-that-has-ever-happened', {
        ...{ cron: '30 2 1 * *', zone: 'Asia/Ho_Chi_Minh', run: ['report'], catchUp: 'all' },
        ...{ retries: 2, retryDelayMs: 90_000, timeoutMs: 600_000 },
      })
    }),
  ],
  { maintenance: 'off' },
)

/** Stands in for Airflow: takes what the file says and prints it as JSON. */
const RECORDER = `
import json, sys, types
made = []
class DAG:
    def __init__(self, **said): self.said = said
    def __enter__(self): made.append(self.said); return self
    def __exit__(self, *_): pass
class BashOperator:
    def __init__(self, **said): made[-1]["operator"] = said
def module(name, **members):
    sys.modules[name] = types.ModuleType(name); sys.modules[name].__dict__.update(members)
module("airflow", DAG=DAG); module("airflow.operators"); module("airflow.operators.bash", BashOperator=BashOperator)
module("pendulum", datetime=lambda *day, tz: [*day, tz])
exec(compile(sys.stdin.read(), "mekong.py", "exec"))
print(json.dumps(made, default=lambda delta: delta.total_seconds()))
`

describe('the Airflow file', () => {
  test('is Python, and says of each schedule when and what', ({ skip }) => {
    const source = airflowDag(schedules, {
      ...{
        command: '/opt/mekong/bin/mekong',
        homeFolder: "/srv/it's home",
        startDay: '2026-03-01',
      },
    })
    const ran = spawnSync('python3', ['-c', RECORDER], { input: source, encoding: 'utf8' })
    if (ran.error !== undefined) {
      console.log('skipped: python3 is not available here')
      skip()
    }
    expect(ran.stderr).toBe('')
    const dags = JSON.parse(ran.stdout) as Record<string, unknown>[]
    expect(dags).toHaveLength(2)
    expect(dags[0]).toMatchObject({
      ...{ dag_id: 'mekong__git_river_hourly', schedule: '0 * * * *', catchup: false },
      ...{ start_date: [2026, 3, 1, 'UTC'], max_active_runs: 1 },
    })
    const { operator } = dags[0] as { operator: { bash_command: string } }
    // The shell sees the words that are meant.
    const words = operator.bash_command.replace('{{ data_interval_end.isoformat() }}', 'NOW')
    const shell = spawnSync(
      'bash',
      ['-c', words.replace('/opt/mekong/bin/mekong', "printf '%s\\n'")],
      {
        encoding: 'utf8',
      },
    )
    expect(shell.stdout.trim().split('\n')).toEqual([
      ...['run', '--schedule', 'git-river/hourly', '--logical-time', 'NOW', '--wait', '3600'],
      ...['--home', "/srv/it's home", '--json'],
    ])
    expect(dags[1]).toMatchObject({
      ...{ catchup: true, start_date: [2026, 3, 1, 'Asia/Ho_Chi_Minh'] },
      default_args: { retries: 1, retry_delay: 90, execution_timeout: 1_800 },
    })
  })
})

describe('the CronJobs', () => {
  test('have names that Kubernetes takes, and say when and what', () => {
    const yaml = kubernetesJobs(schedules, {
      ...{ image: 'registry/mekong:1', claim: 'home', environmentSecret: 'mekong-env' },
    })
    const jobs = yaml.split('---\n').slice(1)
    expect(jobs).toHaveLength(2)
    const names = jobs.map((job) => /name: "(mekong-[^"]+)"/.exec(job)![1]!)
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]{1,52}$/)
    expect(new Set(names).size).toBe(2)
    expect(jobs[0]).toContain(
      'schedule: "0 * * * *"\n  timeZone: "UTC"\n  concurrencyPolicy: Forbid',
    )
    expect(jobs[0]).toContain('startingDeadlineSeconds: 60')
    expect(jobs[0]).toContain('args: ["run", "--schedule", "git-river/hourly", "--wait", "3600"')
    expect(jobs[1]).not.toContain('startingDeadlineSeconds')
    expect(jobs[1]).toContain('secretRef:\n                    name: "mekong-env"')
  })
})
