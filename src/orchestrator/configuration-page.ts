import { SETTINGS, type Setting } from './settings.ts'

/** Variables that are read beside the settings: about this run of a command, not about the platform. */
export const COMMAND_VARIABLES: readonly (readonly [variable: string, doc: string])[] = [
  ['MEKONG_HOME', 'Home folder of the platform, where `--home` is not given. Default `.mekong`.'],
  ['MEKONG_API_KEY', 'API key with which commands talk to a running platform. Secret.'],
]

/** The text of `docs/configuration.md`: every setting, from the one table that also validates them. Pure. */
export function configurationPage(): string {
  return `# Configuration

Settings come from \`mekong.config.ts\` (by the name in the first column) and from environment variables; a variable wins over the file.
Secrets come from the environment only and are never printed. \`mekong config\` shows every setting in force and where its value came from.

This page is made by \`mekong config --markdown > docs/configuration.md\`.

${markdownTable(['setting', 'variable', 'default', 'meaning'], Object.entries<Setting>(SETTINGS).map(settingCells))}

## Read by commands

${markdownTable(
  ['variable', 'meaning'],
  COMMAND_VARIABLES.map(([variable, doc]) => [`\`${variable}\``, doc]),
)}

## The config file

\`\`\`ts
import { defineConfig } from 'mekong'

export default defineConfig({
  pipelines: ['./pipelines/*/pipeline.ts'],
  port: 8080,
})
\`\`\`

\`pipelines\` names the files that export a pipeline by default, relative to the config file; \`*\` stands for one folder or file name.
`
}

function settingCells([name, setting]: [string, Setting]): readonly string[] {
  return [
    setting.secret ? '(environment only)' : `\`${name}\``,
    `\`${setting.variable}\``,
    setting.default === undefined ? '' : `\`${setting.default}\``,
    `${setting.doc}${limitsText(setting)}${setting.secret ? ' Secret.' : ''}`,
  ]
}

/** Columns lined up, as the formatter of this project wants it. */
function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]!.length)),
  )
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [line(headings), rule, ...cells.map(line)].join('\n')
}

function limitsText(setting: Setting): string {
  const example = setting.example === undefined ? '' : ` Example: \`${setting.example}\`.`
  switch (setting.kind) {
    case 'integer':
      return ` From ${setting.min} to ${setting.max}${setting.unit === undefined ? '' : ` ${setting.unit}`}.${example}`
    case 'choice':
      return ` One of ${setting.choices.map((choice) => `\`${choice}\``).join(', ')}.${example}`
    case 'text':
      return example
  }
}
