import { ACCESS_SETTINGS } from './access-settings.ts'
import { LAKE_SETTINGS } from './lake-settings.ts'
import { MODEL_SETTINGS } from './model-settings.ts'
import { RUN_SETTINGS } from './run-settings.ts'
import { SERVER_SETTINGS } from './server-settings.ts'
import {
  type ChoiceSetting,
  choice,
  type IntegerSetting,
  integer,
  type Setting,
  text,
} from './setting-kinds.ts'
import { STORE_SETTINGS } from './store-settings.ts'

export type { Setting } from './setting-kinds.ts'

// Every setting of the platform, said once: its type, default, limits, environment variable and meaning. Validation, the
// help text and `docs/configuration.md` all come from this table. Nothing here reads the environment: the command
// line hands the variables in.

export const SETTINGS = {
  host: text({
    variable: 'MEKONG_HOST',
    doc: 'Address to listen on. Anything but loopback needs API keys.',
    default: '127.0.0.1',
  }),
  port: integer({
    variable: 'MEKONG_PORT',
    doc: 'Port of the HTTP server; 0 takes a free one.',
    default: 7070,
    min: 0,
    max: 65_535,
  }),
  ...ACCESS_SETTINGS,
  log: choice({
    variable: 'MEKONG_LOG',
    doc: 'Where topics live: one file in the home folder, or Apache Kafka. Kafka when KAFKA_BROKER is set.',
    default: 'embedded',
    choices: ['embedded', 'kafka'],
  }),
  kafkaBrokers: text({
    variable: 'KAFKA_BROKER',
    doc: 'Kafka bootstrap servers, separated by commas.',
    default: undefined,
    example: '127.0.0.1:9092',
  }),
  startAt: choice({
    variable: 'MEKONG_START_AT',
    doc: 'Where a new table or store begins in its topic. Existing ones go on from their own cursor.',
    default: 'earliest',
    choices: ['earliest', 'latest'],
  }),
  memoryMb: integer({
    variable: 'MEKONG_MEMORY_MB',
    doc: 'Most memory the compute engines take before they spill to disk; half of it is for carrying records, half for questions.',
    unit: 'MB',
    default: 1_024,
    min: 128,
    max: 1_000_000,
  }),
  lakeIntervalMs: integer({
    variable: 'MEKONG_LAKE_INTERVAL_MS',
    doc: 'Least time between two commits to one lake table.',
    unit: 'ms',
    default: 1_000,
    min: 0,
    max: 3_600_000,
  }),
  serveIntervalMs: integer({
    variable: 'MEKONG_SERVE_INTERVAL_MS',
    doc: 'Least time between two commits to one serving store.',
    unit: 'ms',
    default: 100,
    min: 0,
    max: 3_600_000,
  }),
  batchRecordsMax: integer({
    variable: 'MEKONG_BATCH_RECORDS_MAX',
    doc: 'Most records in one micro-batch.',
    unit: 'records',
    default: 100_000,
    min: 1,
    max: 10_000_000,
  }),
  ...LAKE_SETTINGS,
  ...SERVER_SETTINGS,
  ...STORE_SETTINGS,
  ...MODEL_SETTINGS,
  ...RUN_SETTINGS,
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof SETTINGS
type ValueOf<S> =
  S extends ChoiceSetting<infer C>
    ? C
    : S extends IntegerSetting
      ? number
      : S extends { readonly default: string }
        ? string
        : string | undefined

/** The settings in force. */
export type Settings = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> }

type SecretName = {
  [Name in SettingName]: (typeof SETTINGS)[Name] extends { readonly secret: true } ? Name : never
}[SettingName]

/** What `mekong.config.ts` exports. Secrets are not among them. */
export type ConfigFile = {
  readonly [Name in Exclude<SettingName, SecretName>]?: ValueOf<(typeof SETTINGS)[Name]>
} & {
  /** Files that export a pipeline by default, relative to the config file. `*` stands for one folder or file name. */
  readonly pipelines?: readonly string[]
}

export const defineConfig = (config: ConfigFile): ConfigFile => config
