import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { tableText } from '../src/cli/terminal.ts'
import { type Bench, type BenchOutcome, goalText, isMet } from './bench.ts'
import { dashboard } from './dashboard.ts'
import { freshness } from './freshness.ts'
import { gateway } from './gateway.ts'
import { join } from './join.ts'
import { describeMachine } from './machine.ts'
import { merge } from './merge.ts'
import { models } from './models.ts'
import { optimize } from './optimize.ts'
import { ott, ottIncrement } from './ott.ts'
import { scan } from './scan.ts'
import { silverMerge } from './silver-merge.ts'
import { snapshot } from './snapshot.ts'
import { start } from './start.ts'
import { stream } from './stream.ts'
import { sync } from './sync.ts'

// npm run bench -- NAME [--seconds N] [--rows N] [--times N] [--no-spark] [--json] [--save]
//
// Progress goes to stderr, the table to stdout, and with --json exactly one line of JSON comes last. Every run is kept in
// `bench/results/`; `--save` makes it the baseline that later runs are compared with.

const BENCHES: readonly Bench[] = [
  ...[gateway, stream, freshness, ott, ottIncrement],
  ...[scan, merge, optimize, snapshot],
  ...[models, start],
  ...[join, dashboard, sync, silverMerge],
]
const BASELINE = path.join(import.meta.dirname, 'baseline.json')
const RESULTS = path.join(import.meta.dirname, 'results')

type Baseline = Record<string, { readonly figures: BenchOutcome['figures'] }>

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    rows: { type: 'string' },
    times: { type: 'string' },
    'no-spark': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
})
const bench = BENCHES.find(({ name }) => name === positionals[0])
const seconds = Number(options.seconds ?? bench?.secondsDefault)
if (bench === undefined) {
  console.log(
    'npm run bench -- NAME [--seconds N] [--rows N] [--times N] [--no-spark] [--json] [--save]\n',
  )
  for (const { name, question } of BENCHES) console.log(`  ${name.padEnd(12)} ${question}`)
  process.exitCode = positionals.length === 0 ? 0 : 2
} else if (!(seconds > 0)) {
  console.error(`--seconds must be a number above 0, not ${options.seconds}.`)
  process.exitCode = 2
} else {
  await runBench(bench, seconds)
}

async function runBench(chosen: Bench, measureSeconds: number): Promise<void> {
  const machine = describeMachine()
  const folder = mkdtempSync(path.join(os.tmpdir(), `mekong-bench-${chosen.name}-`))
  const startMs = performance.now()
  const say = (line: string) => {
    const elapsed = ((performance.now() - startMs) / 1000).toFixed(1).padStart(6)
    process.stderr.write(`${elapsed} s  ${line}\n`)
  }
  say(chosen.question)
  // Stopped half way, it leaves nothing either: some write gigabytes.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      rmSync(folder, { recursive: true, force: true })
      process.exit(1)
    })
  let outcome: BenchOutcome
  try {
    outcome = await chosen.run({
      ...{ seconds: measureSeconds, folder, say, withSpark: !options['no-spark'] },
      ...(options.rows === undefined ? {} : { rows: Number(options.rows) }),
      ...(options.times === undefined ? {} : { times: Number(options.times) }),
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const baseline = readBaseline()
  printOutcome(chosen, outcome, baseline)
  const tookSeconds = Math.round((performance.now() - startMs) / 1000)
  const result = resultOf(chosen, outcome, { tookSeconds, machine })
  mkdirSync(RESULTS, { recursive: true })
  const date = new Date().toISOString().replaceAll(':', '-').slice(0, 19)
  writeFileSync(path.join(RESULTS, `${chosen.name}-${date}.json`), `${JSON.stringify(result)}\n`)
  if (options.save) {
    const { figures } = outcome
    const saved = { ...baseline, [chosen.name]: { figures, machine } }
    writeFileSync(BASELINE, `${JSON.stringify(saved, null, 2)}\n`)
  }
  if (options.json) console.log(JSON.stringify(result))
}

function resultOf(chosen: Bench, { figures, goals, limits }: BenchOutcome, facts: object) {
  const judged = goals.map((goal) => ({ ...goal, met: isMet(goal, figures) }))
  return { bench: chosen.name, ...figures, goals: judged, limits, ...facts }
}

function printOutcome(chosen: Bench, outcome: BenchOutcome, baseline: Baseline): void {
  const { figures, goals, limits } = outcome
  const before = baseline[chosen.name]?.figures
  const rows = Object.entries(figures).map(([name, value]) => {
    const goal = goals.find(({ figure }) => figure === name)
    const met = goal === undefined ? null : isMet(goal, figures)
    const verdict = met === null ? '' : met ? 'met' : 'MISSED'
    const old = before?.[name]
    const change =
      value === null || old === null || old === undefined || old === 0
        ? ''
        : `${value >= old ? '+' : ''}${Math.round((value / old - 1) * 100)} %`
    return [name, value, goal === undefined ? '' : goalText(goal), verdict, change]
  })
  console.log(tableText(['figure', 'value', 'goal', '', 'against baseline'], rows))
  for (const limit of limits) console.log(`- ${limit}`)
}

function readBaseline(): Baseline {
  return existsSync(BASELINE) ? JSON.parse(readFileSync(BASELINE, 'utf8')) : {}
}
