/**
 * The actions of the Delta log, as their specification names them (PROTOCOL.md, "Actions"). Only fields that we read
 * or write are typed; unknown fields and unknown actions are ignored, as "Protocol Evolution" demands.
 */

export interface ProtocolAction {
  readonly minReaderVersion: number
  readonly minWriterVersion: number
  readonly readerFeatures?: readonly string[]
  readonly writerFeatures?: readonly string[]
}

export interface MetadataAction {
  readonly id: string
  readonly name?: string
  readonly description?: string
  readonly format: { readonly provider: string; readonly options: StringMap }
  /** Absent in very old tables, which then have no columns. */
  readonly schemaString?: string
  readonly partitionColumns: readonly string[]
  readonly createdTime?: number
  readonly configuration: StringMap
}

export type StringMap = Readonly<Record<string, string>>
export type PartitionValues = Readonly<Record<string, string | null>>

export interface AddAction {
  /** URI-encoded, relative to the table or absolute. */
  readonly path: string
  readonly partitionValues: PartitionValues
  readonly size: number
  readonly modificationTime: number
  readonly dataChange: boolean
  /** JSON text. */
  readonly stats?: string
  readonly tags?: StringMap
  readonly deletionVector?: DeletionVectorDescriptor
  readonly baseRowId?: number
  readonly defaultRowCommitVersion?: number
  readonly clusteringProvider?: string
}

export interface RemoveAction {
  readonly path: string
  readonly deletionTimestamp?: number
  readonly dataChange: boolean
  readonly extendedFileMetadata?: boolean
  readonly partitionValues?: PartitionValues
  readonly size?: number
  readonly deletionVector?: DeletionVectorDescriptor
  readonly baseRowId?: number
  readonly defaultRowCommitVersion?: number
}

/** PROTOCOL.md, "Deletion Vector Descriptor Schema". */
export interface DeletionVectorDescriptor {
  readonly storageType: 'u' | 'i' | 'p'
  readonly pathOrInlineDv: string
  readonly offset?: number
  readonly sizeInBytes: number
  readonly cardinality: number
}

export interface CdcAction {
  readonly path: string
  readonly partitionValues: PartitionValues
  readonly size: number
  readonly dataChange: false
}

export interface TransactionAction {
  readonly appId: string
  readonly version: number
  readonly lastUpdated?: number
}

export interface DomainMetadataAction {
  readonly domain: string
  readonly configuration: string
  readonly removed: boolean
}

export interface SidecarAction {
  readonly path: string
  readonly sizeInBytes: number
  readonly modificationTime: number
}

export interface CheckpointMetadataAction {
  readonly version: number
}

/** Free-form; these are the members that engines agree on. */
export interface CommitInfoAction {
  readonly timestamp?: number
  readonly inCommitTimestamp?: number
  readonly operation?: string
  readonly operationParameters?: Readonly<Record<string, unknown>>
  readonly operationMetrics?: Readonly<Record<string, unknown>>
  readonly readVersion?: number
  readonly isolationLevel?: string
  readonly isBlindAppend?: boolean
  readonly engineInfo?: string
  readonly userMetadata?: string
  /** Names one commit attempt, so that its writer can recognise it. */
  readonly txnId?: string
}

/** One line of a log file: exactly one member is present. */
export interface Action {
  readonly protocol?: ProtocolAction
  readonly metaData?: MetadataAction
  readonly add?: AddAction
  readonly remove?: RemoveAction
  readonly cdc?: CdcAction
  readonly txn?: TransactionAction
  readonly domainMetadata?: DomainMetadataAction
  readonly commitInfo?: CommitInfoAction
  readonly sidecar?: SidecarAction
  readonly checkpointMetadata?: CheckpointMetadataAction
}

/**
 * What tells a logical file from another with the same data file: PROTOCOL.md, "Derived Fields" (`uniqueId`). Empty
 * when there is no deletion vector.
 */
export function deletionVectorId(descriptor: DeletionVectorDescriptor | undefined): string {
  if (descriptor === undefined) return ''
  const { storageType, pathOrInlineDv, offset } = descriptor
  return offset === undefined
    ? storageType + pathOrInlineDv
    : `${storageType}${pathOrInlineDv}@${offset}`
}
