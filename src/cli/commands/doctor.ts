import { existsSync, statSync } from 'node:fs'
import type { LedgerView } from '../../api/views.ts'
import { checkHome, checkSqlite } from '../../orchestrator/doctor/check-home.ts'
import {
  checkClock,
  checkDisk,
  checkMemory,
  checkNode,
  checkPackages,
} from '../../orchestrator/doctor/check-machine.ts'
import { checkLedger, checkLetters, checkLog } from '../../orchestrator/doctor/check-records.ts'
import { checkKafka, checkPort, checkPostgres } from '../../orchestrator/doctor/check-servers.ts'
import { type Finding, fail, ok } from '../../orchestrator/doctor/finding.ts'
import { ConfigError } from '../../orchestrator/errors.ts'
import { homeAt, homeUse } from '../../orchestrator/home.ts'
import { openHomeReader } from '../../orchestrator/home-reader.ts'
import { restingLedger } from '../../orchestrator/resting-ledger.ts'
import { PlanError } from '../../pipeline/errors.ts'
import { type Command, type CommandContext, EXIT } from '../command.ts'
import { homeFolder, loadProject, type Project } from '../project.ts'
import { askedOf } from '../running-platform.ts'

const MARKS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const

export const doctor: Command = {
  name: 'doctor',
  summary: 'check the installation, the configuration and what the platform holds',
  usage: 'doctor',
  about: `
One line for each check, and what to do where something is wrong. Changes nothing and prints no secret. Exit code 1 when a check failed;
warnings alone are 0. Works before the first start, while a platform runs and while none does.`,
  options: {},
  examples: [
    ['mekong doctor', 'before the first start, or when something is odd'],
    ['mekong doctor --json', 'for a script'],
  ],

  async run(context) {
    const { terminal, options } = context
    const found: Finding[] = []
    const tell = (...findings: readonly Finding[]) => {
      found.push(...findings)
      if (options.json !== true) for (const one of findings) terminal.print(findingText(one))
    }
    const home = homeAt(homeFolder(options.home, context.variables, context.cwd))
    tell(checkNode(process.versions.node), await checkPackages())
    tell(await checkDisk(home.path), checkClock(Date.now(), newestMs([home.log, home.state])))
    const usable = await checkHome(home)
    tell(usable, await checkSqlite(home))
    const project = await loadedProject(context, tell)
    if (project !== undefined) {
      await checkSurroundings(project, tell)
      if (usable.status === 'ok') await checkRecords(context, project, tell)
    }
    const failed = found.filter(({ status }) => status === 'fail').length
    const warned = found.filter(({ status }) => status === 'warn').length
    if (options.json === true) terminal.printJson({ ok: failed === 0, checks: found })
    else terminal.print(`\n${verdict(failed, warned)}`)
    return failed === 0 ? EXIT.ok : EXIT.failed
  },
}

type Tell = (...findings: readonly Finding[]) => void

async function loadedProject(context: CommandContext, tell: Tell): Promise<Project | undefined> {
  try {
    const project = await loadProject(context)
    tell(ok('config', project.configFile))
    const names = project.plans.map(({ name }) => name)
    tell(ok('pipelines', names.length === 0 ? 'none are configured' : names.join(', ')))
    return project
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof PlanError)) throw error
    const check = error instanceof ConfigError ? 'config' : 'pipelines'
    for (const line of error.message.split('\n'))
      tell(fail(check, line, 'Correct it; "mekong config" shows what is in force.'))
    return undefined
  }
}

async function checkSurroundings({ settings, plans, homeFolder: folder }: Project, tell: Tell) {
  tell(checkMemory(settings.memoryMb))
  if (homeUse(homeAt(folder)).status !== 'running') tell(await checkPort(settings))
  tell(...(await checkPostgres(settings, plans)), ...(await checkKafka(settings)))
}

async function checkRecords(context: CommandContext, project: Project, tell: Tell): Promise<void> {
  const use = homeUse(homeAt(project.homeFolder))
  const reader = openHomeReader(project)
  try {
    tell(await checkLog(reader), await checkLetters(reader))
    tell(
      await checkLedger(async () =>
        use.status === 'running'
          ? (await askedOf<LedgerView>(use.running, context, { path: '/v1/ledger' })).lines
          : restingLedger(reader, project.plans),
      ),
    )
  } finally {
    await reader.close()
  }
}

/** When one of these files was last written. */
function newestMs(files: readonly string[]): number | undefined {
  const times = files.filter(existsSync).map((file) => statSync(file).mtimeMs)
  return times.length === 0 ? undefined : Math.max(...times)
}

const findingText = ({ check, status, message, todo }: Finding) =>
  `${MARKS[status]}  ${check.padEnd(14)} ${message}${todo === undefined ? '' : `\n${' '.repeat(21)}→ ${todo}`}`

function verdict(failed: number, warned: number): string {
  if (failed > 0) return `${failed} ${failed === 1 ? 'check' : 'checks'} failed.`
  return warned > 0 ? 'Nothing failed; see the warnings.' : 'All is well.'
}
