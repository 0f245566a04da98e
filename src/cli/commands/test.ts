import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { declaredColumns } from '../../flow/declared-columns.ts'
import { readModels, viewsOf } from '../../flow/read-models.ts'
import { messageOf } from '../../model/errors.ts'
import { type ComputeEngine, openComputeEngine } from '../../sql/duckdb/engine.ts'
import { runUnitTest } from '../../sql/models/unit-test.ts'
import { type Command, type CommandContext, EXIT, UsageError } from '../command.ts'
import { loadProject, type Project } from '../project.ts'

export const test: Command = {
  name: 'test',
  summary: 'try the models on rows given by hand',
  usage: 'test [MODEL…]',
  about: `
Runs the unit tests of models: each gives rows and says which must come out. Needs no home folder and changes nothing. Exit code 1
when one fails, with the rows that are missing and those that came instead. Data tests run with the models: "mekong run".`,
  options: {},
  examples: [
    ['mekong test', 'all models'],
    ['mekong test gold.github_user_activity', 'one'],
  ],

  async run(context) {
    const project = await loadProject(context)
    const spillDirectory = await mkdtemp(path.join(tmpdir(), 'mekong-test-'))
    const engine = await openComputeEngine({ spillDirectory })
    try {
      const results = await testAll(engine, project, context)
      return report(context, results)
    } finally {
      engine.close()
      await rm(spillDirectory, { recursive: true, force: true })
    }
  },
}

interface Result {
  readonly model: string
  readonly test: string
  readonly passed: boolean
  readonly missing: readonly object[]
  readonly surplus: readonly object[]
  readonly problem?: string
}

async function testAll(
  engine: ComputeEngine,
  { plans }: Project,
  { args, signal }: CommandContext,
): Promise<readonly Result[]> {
  const known = plans.flatMap(({ models }) => models.map(({ name }) => name))
  const unknown = args.filter((name) => !known.includes(name))
  if (unknown.length > 0)
    throw new UsageError(
      `There is no model ${unknown.join(', ')}. There are: ${known.join(', ') || 'none'}.`,
    )
  const columnsOf = declaredColumns(plans)
  const results: Result[] = []
  for (const plan of plans) {
    const models = await readModels(engine, plan.models)
    const views = viewsOf(models)
    for (const read of models) {
      const { name, unitTests } = read.model
      if (args.length > 0 && !args.includes(name)) continue
      for (const one of unitTests) {
        const run = () => runUnitTest(engine, { read, test: one, views, columnsOf, signal })
        results.push({ model: name, test: one.name, ...(await outcomeOf(run)) })
      }
    }
  }
  return results
}

/** A test whose SQL cannot run has failed like any other, and does not hide the rest. */
async function outcomeOf(run: () => ReturnType<typeof runUnitTest>) {
  try {
    return await run()
  } catch (error) {
    return { passed: false, missing: [], surplus: [], problem: messageOf(error) }
  }
}

function report({ terminal, options }: CommandContext, results: readonly Result[]): number {
  const failed = results.filter(({ passed }) => !passed)
  if (options.json === true)
    terminal.printJson({
      ok: failed.length === 0,
      tests: results.length,
      failed: failed.length,
      results,
    })
  else {
    for (const { model, test: name, missing, surplus, problem } of failed) {
      terminal.print(`${model}: ${name} failed`)
      if (problem !== undefined) terminal.print(`  ${problem}`)
      for (const row of missing) terminal.print(`  missing  ${JSON.stringify(row)}`)
      for (const row of surplus) terminal.print(`  instead  ${JSON.stringify(row)}`)
    }
    terminal.print(
      results.length === 0
        ? 'No model has unit tests yet: p.model(…, { unitTests: [{ name, given, expect }] }).'
        : `${results.length - failed.length} of ${results.length} unit tests passed.`,
    )
  }
  return failed.length === 0 ? EXIT.ok : EXIT.failed
}
