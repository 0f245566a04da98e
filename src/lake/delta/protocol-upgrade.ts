import { CHANGE_COLUMNS } from '../../model/change-plan.ts'
import { TableUnsupportedError } from '../errors.ts'
import type { ProtocolAction, StringMap } from './actions.ts'
import { GENERATION } from './constraints.ts'
import { findField, writerFeaturesOf } from './protocol.ts'
import { type DeltaStruct, TYPE_CHANGES } from './schema.ts'

/** Properties that need a feature of the table; `true` turns them on. */
const FEATURE_OF_PROPERTY: Readonly<Record<string, string>> = {
  'delta.enableChangeDataFeed': 'changeDataFeed',
  'delta.enableDeletionVectors': 'deletionVectors',
  'delta.enableInCommitTimestamps': 'inCommitTimestamp',
  'delta.enableTypeWidening': 'typeWidening',
}
const READER_TOO: ReadonlySet<string> = new Set([
  'columnMapping',
  'deletionVectors',
  'timestampNtz',
  'typeWidening',
  'v2Checkpoint',
  'vacuumProtocolCheck',
])
/** What writer version 2 stands for; listed again once features are. */
const ALWAYS = ['appendOnly', 'invariants']
/** Properties whose features we do not write. */
const UNSUPPORTED_PROPERTY =
  /^delta\.(enableRowTracking$|enableIcebergCompat|universalFormat\.|feature\.|checkpointPolicy$)/

/** @throws TableUnsupportedError naming each property that we cannot honour */
export function checkProperties(table: string, properties: StringMap): void {
  const unsupported = Object.keys(properties).filter((name) => UNSUPPORTED_PROPERTY.test(name))
  if (properties['delta.columnMapping.mode'] === 'id')
    unsupported.push('delta.columnMapping.mode = id')
  if (unsupported.length > 0)
    throw new TableUnsupportedError(
      `Mekong cannot give ${table} ${unsupported.join(', ')}. Nothing was written.`,
      unsupported,
    )
}

/** What keeps a table of these columns from a change feed, in words. */
export function feedProblems(schema: DeltaStruct, properties: StringMap): readonly string[] {
  if (properties['delta.enableChangeDataFeed'] !== 'true') return []
  return schema.fields
    .filter(({ name }) => CHANGE_COLUMNS.some((column) => column.name === name.toLowerCase()))
    .map(({ name }) => `column ${name} has a name that the change data feed needs`)
}

/** Features that a schema and properties need of those who write, or read, the table. */
export function neededFeatures(schema: DeltaStruct, properties: StringMap): string[] {
  const features: string[] = []
  for (const [name, feature] of Object.entries(FEATURE_OF_PROPERTY))
    if (properties[name] === 'true') features.push(feature)
  const mode = properties['delta.columnMapping.mode']
  if (mode !== undefined && mode !== 'none') features.push('columnMapping')
  if (Object.keys(properties).some((name) => name.startsWith('delta.constraints.')))
    features.push('checkConstraints')
  if (findField(schema, ({ metadata }) => metadata?.[GENERATION] !== undefined))
    features.push('generatedColumns')
  if (findField(schema, ({ metadata }) => metadata?.[TYPE_CHANGES] !== undefined))
    features.push('typeWidening')
  if (findField(schema, ({ type }) => JSON.stringify(type).includes('"timestamp_ntz"')))
    features.push('timestampNtz')
  return [...new Set(features)]
}

/** The lowest protocol that has the features, so that as many readers as possible can read the table. */
export function protocolWith(features: readonly string[]): ProtocolAction {
  if (features.every((feature) => ALWAYS.includes(feature)))
    return { minReaderVersion: 1, minWriterVersion: 2 }
  const writerFeatures = [...new Set([...ALWAYS, ...features])]
  const readerFeatures = writerFeatures.filter((feature) => READER_TOO.has(feature))
  return readerFeatures.length === 0
    ? { minReaderVersion: 1, minWriterVersion: 7, writerFeatures }
    : { minReaderVersion: 3, minWriterVersion: 7, readerFeatures, writerFeatures }
}

/** A protocol with more features; the same one when it has them all. A table never loses any. */
export function upgraded(protocol: ProtocolAction, features: readonly string[]): ProtocolAction {
  const has = new Set(writerFeaturesOf(protocol))
  if (features.every((feature) => has.has(feature))) return protocol
  return protocolWith([...has, ...features])
}
