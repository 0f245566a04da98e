import { configurationPage } from '../../orchestrator/configuration-page.ts'
import { type SettingInForce, settingsInForce } from '../../orchestrator/setting-sources.ts'
import { type Command, EXIT } from '../command.ts'
import { loadProject } from '../project.ts'

export const config: Command = {
  name: 'config',
  summary: 'show every setting, its value and where it came from',
  usage: 'config [--markdown]',
  about: `
Settings come from mekong.config.ts and from environment variables; a variable wins. Secrets come from the environment only and are shown
as ***. Exit code 3 when something in them is wrong, with every problem named.`,
  options: {
    markdown: {
      type: 'boolean',
      doc: 'Print docs/configuration.md instead: what every setting means.',
    },
  },
  examples: [
    ['mekong config', 'what is in force here'],
    ['MEKONG_PORT=8080 mekong config', 'with a variable'],
    ['mekong config --markdown > docs/configuration.md', 'the page'],
  ],

  async run(context) {
    const { terminal, options, variables } = context
    if (options.markdown === true) {
      terminal.print(configurationPage().trimEnd())
      return EXIT.ok
    }
    const { configFile, config: file, homeFolder, settings, plans } = await loadProject(context)
    const inForce = settingsInForce(settings, file, variables)
    const pipelines = plans.map(({ name }) => name)
    if (options.json === true) {
      terminal.printJson({
        home: homeFolder,
        config_file: configFile,
        pipelines,
        settings: inForce,
      })
      return EXIT.ok
    }
    terminal.print(
      `home       ${homeFolder}\nconfig     ${configFile}\npipelines  ${pipelines.join(', ')}\n`,
    )
    terminal.print(inForce.map(settingText).join('\n'))
    return EXIT.ok
  },
}

const settingText = ({ name, value, source, variable, doc }: SettingInForce): string =>
  `${`${name} = ${value ?? '(not set)'}`.padEnd(38)} ${source}, ${variable}\n    ${doc}`
