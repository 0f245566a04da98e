import { existsSync, globSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf } from '../model/errors.ts'
import { ConfigError } from '../orchestrator/errors.ts'
import { resolveSettings } from '../orchestrator/resolve-settings.ts'
import type { ConfigFile, Settings } from '../orchestrator/settings.ts'
import { withParameters } from '../pipeline/model-parameters.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { CommandContext } from './command.ts'

/** Everything a command knows before it starts: where, how, and which pipelines. */
export interface Project {
  readonly homeFolder: string
  readonly settings: Settings
  readonly plans: readonly PipelinePlan[]
  readonly configFile: string
  /** What the config file says, settings and pipelines. */
  readonly config: Readonly<Record<string, unknown>>
}

const CONFIG_NAME = 'mekong.config.ts'
const PACKAGE_ROOT = path.resolve(import.meta.dirname, '..', '..')

/**
 * Read the config file (`--config`, else the one in the working folder, else the one that comes with the program), the environment, and the
 * pipelines that the config names.
 * @throws ConfigError, PlanError
 */
export async function loadProject({ options, variables, cwd }: CommandContext): Promise<Project> {
  const file = configFile(options.config, cwd)
  const config = await importDefault<ConfigFile>(file, 'a config (use defineConfig)')
  const settings = resolveSettings(config as Readonly<Record<string, unknown>>, variables)
  const plans = await Promise.all(
    pipelineFiles(file, config.pipelines ?? []).map((at) =>
      importDefault<PipelinePlan>(at, 'a pipeline'),
    ),
  )
  const repeated = plans.find(
    ({ name }, index) => plans.findIndex((plan) => plan.name === name) !== index,
  )
  if (repeated !== undefined) {
    throw new ConfigError([{ where: file, what: `names two pipelines called "${repeated.name}"` }])
  }
  const parameterized = withParameters(plans, settings.parameters ?? '')
  if (parameterized.problems.length > 0)
    throw new ConfigError(
      parameterized.problems.map((what) => ({ where: 'MEKONG_PARAMETERS', what })),
    )
  return {
    homeFolder: homeFolder(options.home, variables, cwd),
    settings,
    plans: parameterized.plans,
    configFile: file,
    config: config as Readonly<Record<string, unknown>>,
  }
}

/** The home folder that `--home` or MEKONG_HOME names, else `.mekong` in the working folder. */
export function homeFolder(
  option: string | boolean | undefined,
  variables: CommandContext['variables'],
  cwd: string,
): string {
  const named = typeof option === 'string' ? option : variables.MEKONG_HOME
  return path.resolve(cwd, named === undefined || named === '' ? '.mekong' : named)
}

function configFile(option: string | boolean | undefined, cwd: string): string {
  if (typeof option === 'string') {
    const file = path.resolve(cwd, option)
    if (existsSync(file)) return file
    throw new ConfigError([{ where: '--config', what: `names ${file}, which does not exist` }])
  }
  const own = path.join(cwd, CONFIG_NAME)
  return existsSync(own) ? own : path.join(PACKAGE_ROOT, CONFIG_NAME)
}

function pipelineFiles(config: string, patterns: readonly string[]): string[] {
  const folder = path.dirname(config)
  return patterns.flatMap((pattern) => {
    const files = globSync(pattern, { cwd: folder }).sort()
    if (files.length === 0) {
      throw new ConfigError([
        { where: config, what: `names the pipelines ${pattern}, and there are none` },
      ])
    }
    return files.map((file) => path.resolve(folder, file))
  })
}

async function importDefault<T>(file: string, what: string): Promise<T> {
  let module: { default?: T }
  try {
    module = await import(pathToFileURL(file).href)
  } catch (cause) {
    if (cause instanceof Error && 'problems' in cause) throw cause
    throw new ConfigError([{ where: file, what: `cannot be loaded: ${messageOf(cause)}` }])
  }
  if (typeof module.default === 'object' && module.default !== null) return module.default
  throw new ConfigError([{ where: file, what: `must export ${what} by default` }])
}
