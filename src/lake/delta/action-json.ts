import { TableBrokenError } from '../errors.ts'
import type {
  Action,
  AddAction,
  DeletionVectorDescriptor,
  MetadataAction,
  ProtocolAction,
  RemoveAction,
} from './actions.ts'

/**
 * The lines of a commit, a log compaction file or a JSON checkpoint as actions, in file order. Nulls count as
 * absent. `source` names the file in errors. @throws TableBrokenError
 */
export function parseActionLines(text: string, source: string): Action[] {
  const actions: Action[] = []
  let lineNumber = 0
  for (const line of text.split('\n')) {
    lineNumber += 1
    if (line.trim() === '') continue
    let json: unknown
    try {
      json = JSON.parse(line)
    } catch (cause) {
      throw new TableBrokenError(
        `Line ${lineNumber} of ${source} is not JSON. The log is damaged; nothing was read.`,
        { cause },
      )
    }
    actions.push(checkAction(json, `line ${lineNumber} of ${source}`))
  }
  return actions
}

/** One action per line, each line ended. */
export function actionLines(actions: readonly Action[]): string {
  return actions.map((action) => `${JSON.stringify(action)}\n`).join('')
}

/** A parsed JSON object as an action, its required fields checked and its nulls dropped. @throws TableBrokenError */
export function checkAction(json: unknown, source: string): Action {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new TableBrokenError(`In ${source} there is no action but ${JSON.stringify(json)}.`)
  const action = json as { -readonly [Name in keyof Action]: Action[Name] | null }
  if (action.add) action.add = checkAdd(action.add, source)
  else if (action.remove) action.remove = checkRemove(action.remove, source)
  else if (action.protocol) action.protocol = checkProtocol(action.protocol, source)
  else if (action.metaData) action.metaData = checkMetadata(action.metaData, source)
  else if (action.txn) need(action.txn, ['appId', 'version'], 'txn', source)
  else if (action.domainMetadata) need(action.domainMetadata, ['domain'], 'domainMetadata', source)
  else if (action.sidecar) need(action.sidecar, ['path'], 'sidecar', source)
  return action as Action
}

function checkAdd(add: AddAction, source: string): AddAction {
  need(add, ['path', 'size'], 'add', source)
  const clean = withoutNulls(add)
  const deletionVector = checkDeletionVector(add.deletionVector, source)
  return {
    ...clean,
    partitionValues: add.partitionValues ?? {},
    modificationTime: add.modificationTime ?? 0,
    ...(deletionVector === undefined ? {} : { deletionVector }),
  }
}

function checkRemove(remove: RemoveAction, source: string): RemoveAction {
  need(remove, ['path'], 'remove', source)
  const deletionVector = checkDeletionVector(remove.deletionVector, source)
  return { ...withoutNulls(remove), ...(deletionVector === undefined ? {} : { deletionVector }) }
}

function checkDeletionVector(
  descriptor: DeletionVectorDescriptor | null | undefined,
  source: string,
): DeletionVectorDescriptor | undefined {
  // A checkpoint may write "no vector" as a struct of nulls.
  if (!descriptor?.storageType) return undefined
  need(descriptor, ['pathOrInlineDv', 'sizeInBytes', 'cardinality'], 'deletionVector', source)
  return withoutNulls(descriptor)
}

function checkProtocol(protocol: ProtocolAction, source: string): ProtocolAction {
  need(protocol, ['minReaderVersion', 'minWriterVersion'], 'protocol', source)
  return withoutNulls(protocol)
}

function checkMetadata(metadata: MetadataAction, source: string): MetadataAction {
  need(metadata, ['id'], 'metaData', source)
  const format = metadata.format ?? { provider: 'parquet', options: {} }
  return {
    ...withoutNulls(metadata),
    format,
    partitionColumns: metadata.partitionColumns ?? [],
    configuration: metadata.configuration ?? {},
  }
}

function need<T extends object>(
  value: T,
  names: readonly (keyof T)[],
  kind: string,
  source: string,
) {
  for (const name of names) {
    if (value[name] !== undefined && value[name] !== null) continue
    throw new TableBrokenError(
      `The ${kind} action in ${source} lacks ${String(name)}, which the protocol requires.`,
    )
  }
}

function withoutNulls<T extends object>(value: T): T {
  for (const name in value) {
    if (value[name] !== null) continue
    return Object.fromEntries(Object.entries(value).filter(([, cell]) => cell !== null)) as T
  }
  return value
}
