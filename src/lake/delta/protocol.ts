import { TableUnsupportedError } from '../errors.ts'
import type { MetadataAction, ProtocolAction } from './actions.ts'
import type { DeltaField, DeltaStruct, DeltaType } from './schema.ts'

/**
 * What a table asks of those who read and write it (PROTOCOL.md, "Table Features", "Reader Version Requirements",
 * "Writer Version Requirements"), and whether we can. What we cannot do we refuse by name.
 */

/** Reader features that we implement in full. */
const READER_FEATURES: ReadonlySet<string> = new Set([
  'columnMapping',
  'deletionVectors',
  'timestampNtz',
  'typeWidening',
  'typeWidening-preview',
  'v2Checkpoint',
  'vacuumProtocolCheck',
])

/** Why we cannot write to a table whose protocol lists a feature; `undefined` when we can. */
type Obstacle = (table: WrittenTable) => string | undefined

interface WrittenTable {
  readonly metadata: MetadataAction
  readonly schema: DeltaStruct
}

const noObstacle: Obstacle = () => undefined
const columnMetadata =
  (key: string, what: string): Obstacle =>
  ({ schema }) => {
    const field = findField(schema, (candidate) => candidate.metadata?.[key] !== undefined)
    return field && `column ${field.name} has ${what}`
  }
const property =
  (key: string, isOff: (value: string) => boolean): Obstacle =>
  ({ metadata }) => {
    const value = metadata.configuration[key]
    return value === undefined || isOff(value) ? undefined : `${key} is ${value}`
  }
const isFalse = (value: string) => value !== 'true'

const WRITER_OBSTACLES: Readonly<Record<string, Obstacle>> = {
  appendOnly: noObstacle,
  // At the top of the schema we check them; deeper down nobody writes them.
  invariants: ({ schema }) => {
    const field = schema.fields.find(({ type }) =>
      findField(type, ({ metadata }) => metadata?.['delta.invariants'] !== undefined),
    )
    return field && `a field in column ${field.name} has an invariant`
  },
  checkConstraints: noObstacle,
  changeDataFeed: noObstacle,
  generatedColumns: noObstacle,
  allowColumnDefaults: noObstacle,
  columnMapping: noObstacle,
  identityColumns: columnMetadata('delta.identity.start', 'generated identities'),
  deletionVectors: noObstacle,
  timestampNtz: noObstacle,
  typeWidening: noObstacle,
  'typeWidening-preview': noObstacle,
  v2Checkpoint: noObstacle,
  vacuumProtocolCheck: noObstacle,
  domainMetadata: noObstacle,
  clustering: noObstacle,
  inCommitTimestamp: noObstacle,
  icebergCompatV1: property('delta.enableIcebergCompatV1', isFalse),
  icebergCompatV2: property('delta.enableIcebergCompatV2', isFalse),
}

/** Features that a writer version without feature lists stands for. */
const LEGACY_WRITER_FEATURES: readonly (readonly string[])[] = [
  [],
  [],
  ['appendOnly', 'invariants'],
  ['checkConstraints'],
  ['changeDataFeed', 'generatedColumns'],
  ['columnMapping'],
  ['identityColumns'],
]

/** @throws TableUnsupportedError naming every reader feature that we lack */
export function checkReadable(protocol: ProtocolAction, table: string): void {
  const { minReaderVersion, readerFeatures = [] } = protocol
  if (!(minReaderVersion >= 1 && minReaderVersion <= 3))
    throw new TableUnsupportedError(
      `${table} needs Delta reader version ${minReaderVersion}; Mekong reads versions 1 to 3.`,
      [`readerVersion ${minReaderVersion}`],
    )
  if (minReaderVersion < 3) return
  const lacking = readerFeatures.filter((feature) => !READER_FEATURES.has(feature))
  if (lacking.length > 0)
    throw new TableUnsupportedError(
      `${table} uses ${lacking.join(', ')}, which Mekong cannot read. Nothing was read.`,
      lacking,
    )
}

/** @throws TableUnsupportedError naming every writer feature that we lack, with the reason */
export function checkWritable(
  protocol: ProtocolAction,
  written: WrittenTable,
  table: string,
): void {
  checkReadable(protocol, table)
  const { minWriterVersion } = protocol
  if (!(minWriterVersion >= 1 && minWriterVersion <= 7))
    throw new TableUnsupportedError(
      `${table} needs Delta writer version ${minWriterVersion}; Mekong writes versions 1 to 7.`,
      [`writerVersion ${minWriterVersion}`],
    )
  const lacking: string[] = []
  const reasons: string[] = []
  for (const feature of writerFeaturesOf(protocol)) {
    const obstacle = WRITER_OBSTACLES[feature]
    const reason = obstacle === undefined ? 'Mekong does not know it' : obstacle(written)
    if (reason === undefined) continue
    lacking.push(feature)
    reasons.push(`${feature} (${reason})`)
  }
  if (lacking.length > 0)
    throw new TableUnsupportedError(
      `Mekong cannot write to ${table}, which uses ${reasons.join(', ')}. Nothing was written.`,
      lacking,
    )
}

/** Every writer feature that a protocol stands for, listed or by version. */
export function writerFeaturesOf(protocol: ProtocolAction): readonly string[] {
  if (protocol.minWriterVersion === 7) return protocol.writerFeatures ?? []
  return LEGACY_WRITER_FEATURES.slice(0, protocol.minWriterVersion + 1).flat()
}

/** Whether column mapping is to be honoured, and how (PROTOCOL.md, "Column Mapping"). */
export function columnMappingOf(
  protocol: ProtocolAction,
  metadata: MetadataAction,
): 'none' | 'name' | 'id' {
  const isSupported =
    protocol.minReaderVersion === 2 ||
    (protocol.minReaderVersion === 3 && (protocol.readerFeatures ?? []).includes('columnMapping'))
  const mode = metadata.configuration['delta.columnMapping.mode']
  return isSupported && (mode === 'name' || mode === 'id') ? mode : 'none'
}

/** The first field, at any depth, that passes. */
export function findField(
  type: DeltaType,
  passes: (field: DeltaField) => boolean,
): DeltaField | undefined {
  if (typeof type === 'string') return undefined
  switch (type.type) {
    case 'array':
      return findField(type.elementType, passes)
    case 'map':
      return findField(type.keyType, passes) ?? findField(type.valueType, passes)
    case 'struct':
      for (const field of type.fields) {
        const found = passes(field) ? field : findField(field.type, passes)
        if (found) return found
      }
      return undefined
  }
}
