import type { ContentFile, ManifestEntry } from './manifest.ts'
import { type BoundSpec, partitionKey } from './partition-spec.ts'

/** Which deletes apply to which data files (table spec, "Scan Planning", scope rules). */
export interface DeleteIndex {
  deletesFor(data: ManifestEntry): FileDeletes
}

export interface FileDeletes {
  /** When there is one, it holds what the position delete files say too. */
  readonly vector?: ContentFile
  readonly positions: readonly ContentFile[]
  readonly equalities: readonly ContentFile[]
}

/** The ids of `file_path` and `pos` in position delete files (table spec, "Reserved Field IDs"). */
export const FILE_PATH_ID = 2_147_483_546
export const POSITION_ID = 2_147_483_545

export function deleteIndex(
  deletes: readonly ManifestEntry[],
  specs: ReadonlyMap<number, BoundSpec>,
): DeleteIndex {
  const vectors = new Map<string, ManifestEntry[]>()
  const positionsByPath = new Map<string, ManifestEntry[]>()
  const positionsByPartition = new Map<string, ManifestEntry[]>()
  const equalitiesByPartition = new Map<string, ManifestEntry[]>()
  const equalitiesAnywhere: ManifestEntry[] = []
  for (const entry of deletes) {
    const { file } = entry
    if (file.content === 'equality_deletes') {
      if (isUnpartitioned(specs.get(file.specId)!)) equalitiesAnywhere.push(entry)
      else push(equalitiesByPartition, keyOf(file), entry)
    } else if (isVector(file)) {
      push(vectors, file.referencedDataFile ?? '', entry)
    } else {
      const path = onlyPath(file)
      if (path === undefined) push(positionsByPartition, keyOf(file), entry)
      else push(positionsByPath, path, entry)
    }
  }
  return {
    deletesFor: (data) => {
      const { file, sequenceNumber } = data
      const key = keyOf(file)
      const notOlder = (entry: ManifestEntry) => entry.sequenceNumber >= sequenceNumber
      const samePartition = (entry: ManifestEntry) => keyOf(entry.file) === key
      const vector = (vectors.get(file.path) ?? []).find(notOlder)?.file
      const positions = [
        ...(positionsByPath.get(file.path) ?? []).filter(samePartition),
        ...(positionsByPartition.get(key) ?? []),
      ].filter(notOlder)
      const equalities = [...equalitiesAnywhere, ...(equalitiesByPartition.get(key) ?? [])].filter(
        (entry) => entry.sequenceNumber > sequenceNumber,
      )
      return {
        ...(vector === undefined ? {} : { vector }),
        positions: vector === undefined ? positions.map((entry) => entry.file) : [],
        equalities: equalities.map((entry) => entry.file),
      }
    },
  }
}

export const isVector = (file: ContentFile): boolean =>
  file.content === 'position_deletes' && file.format === 'puffin'

const keyOf = (file: ContentFile) => partitionKey(file.specId, file.partition)

/** Fields that were dropped from a version 1 spec stay as `void`. */
const isUnpartitioned = (spec: BoundSpec) =>
  spec.fields.every((field) => field.transform.kind === 'void')

/** The one data file that a position delete file is about, when it says so, or its bounds do. */
export function onlyPath(file: ContentFile): string | undefined {
  if (file.referencedDataFile !== undefined) return file.referencedDataFile
  const lower = file.lowerBounds?.get(FILE_PATH_ID)
  const upper = file.upperBounds?.get(FILE_PATH_ID)
  if (lower === undefined || upper === undefined) return undefined
  // Bounds that are cut short never meet, since the upper one is raised.
  return Buffer.compare(lower, upper) === 0 ? new TextDecoder().decode(lower) : undefined
}

function push(map: Map<string, ManifestEntry[]>, key: string, entry: ManifestEntry): void {
  const entries = map.get(key)
  if (entries === undefined) map.set(key, [entry])
  else entries.push(entry)
}
