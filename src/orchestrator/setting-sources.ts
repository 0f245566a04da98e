import { SETTINGS, type Setting, type SettingName, type Settings } from './settings.ts'

/**
 * Where a setting's value came from. `derived`: not said, and not the default either, because another setting implies it (a
 * Kafka broker makes Kafka the log).
 */
export type SettingSource = 'environment' | 'config file' | 'derived' | 'default'

export interface SettingInForce {
  readonly name: SettingName
  readonly variable: string
  /** `***` for a secret that is set; `null` when there is no value. */
  readonly value: string | number | null
  readonly source: SettingSource
  readonly doc: string
}

/** Every setting with its value and source, fit to be printed. Pure. */
export function settingsInForce(
  settings: Settings,
  file: Readonly<Record<string, unknown>>,
  variables: Readonly<Record<string, string | undefined>>,
): readonly SettingInForce[] {
  return (Object.entries(SETTINGS) as [SettingName, Setting][]).map(([name, setting]) => {
    const value = settings[name]
    const isSaid = variables[setting.variable] !== undefined && variables[setting.variable] !== ''
    const source: SettingSource = isSaid
      ? 'environment'
      : file[name] !== undefined
        ? 'config file'
        : value === setting.default
          ? 'default'
          : 'derived'
    return {
      name,
      variable: setting.variable,
      value: value === undefined ? null : setting.secret ? '***' : value,
      source,
      doc: setting.doc,
    }
  })
}
