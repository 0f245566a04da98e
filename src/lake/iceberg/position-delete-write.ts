import type { RowEdits } from '../rows-port.ts'
import type { StagedColumn } from '../stage-files.ts'
import type { CatalogEntry } from './catalog.ts'
import { FILE_PATH_ID, POSITION_ID } from './delete-index.ts'
import type { IcebergTools } from './deps.ts'
import type { ContentFile } from './manifest.ts'
import { partitionKey } from './partition-spec.ts'
import { bytesFromScalar } from './single-value.ts'
import { fileBytesTarget } from './write-files.ts'

/** A data file that loses rows: its number in the edits, and what its manifest says of it. */
export interface MarkedFile {
  readonly file: number
  readonly data: ContentFile
}

/** The columns of a position delete file (table spec, "Position Delete Files"). */
const COLUMNS = [
  { name: 'file_path', type: 'string', nullable: false, fieldId: FILE_PATH_ID },
  { name: 'pos', type: 'int64', nullable: false, fieldId: POSITION_ID },
] as const satisfies readonly StagedColumn[]
const GROUP = 'mekong group'

/**
 * Write the rows that edits remove into position delete files, which nobody sees yet. Each is of one partition, as the spec
 * wants it; by default also of one data file, so that whoever reads another need not read it
 * (`write.delete.granularity`: `file` or `partition`).
 */
export async function writePositionDeletes(
  tools: IcebergTools,
  { metadata, tableKey }: CatalogEntry,
  edits: RowEdits,
  marked: readonly MarkedFile[],
  signal?: AbortSignal,
): Promise<ContentFile[]> {
  if (marked.length === 0) return []
  const isByFile = metadata.properties['write.delete.granularity'] !== 'partition'
  const groups = groupsOf(marked, isByFile)
  const relation = await edits.removedPlaces(
    groups.flatMap((group, number) =>
      group.map(({ file, data }) => ({ file, path: data.path, group: number })),
    ),
    { path: 'file_path', position: 'pos', group: GROUP },
    signal,
  )
  await using folder = await tools.ports.scratch.makeFolder()
  const staged = await tools.ports.stageFiles.stageFiles(
    {
      relation,
      columns: COLUMNS,
      partitionBy: [GROUP],
      directory: folder.path,
      fileBytesTarget: fileBytesTarget(metadata),
      orderBy: COLUMNS.map(({ name }) => name),
      isOrdered: true,
    },
    signal,
  )
  const files: ContentFile[] = []
  for (const { path, bytes, rowCount, partitionValues } of staged) {
    if (rowCount === 0) continue
    const group = groups[Number(partitionValues[GROUP])]!
    const name = `data/${tools.newId()}-deletes.parquet`
    await tools.store.putFile(`${tableKey}/${name}`, path, signal)
    files.push({
      content: 'position_deletes',
      path: `${metadata.location}/${name}`,
      format: 'parquet',
      specId: group[0]!.data.specId,
      partition: group[0]!.data.partition,
      recordCount: rowCount,
      bytes,
      ...pathBounds(group),
      ...(isByFile ? { referencedDataFile: group[0]!.data.path } : {}),
    })
  }
  return files
}

/** Rows of one data file that are known to be gone, as a position delete file of its own, which nobody sees yet. */
export async function writeKnownDeletes(
  tools: IcebergTools,
  { metadata, tableKey }: Pick<CatalogEntry, 'metadata' | 'tableKey'>,
  { data, positions }: { readonly data: ContentFile; readonly positions: Float64Array },
  signal?: AbortSignal,
): Promise<ContentFile> {
  await using folder = await tools.ports.scratch.makeFolder()
  const local = `${folder.path}/deletes.parquet`
  await tools.ports.parquet.writePositions(
    {
      path: local,
      fieldIds: { path: FILE_PATH_ID, position: POSITION_ID },
      chunks: [{ path: data.path, positions }],
    },
    signal,
  )
  const name = `data/${tools.newId()}-deletes.parquet`
  await tools.store.putFile(`${tableKey}/${name}`, local, signal)
  const info = await tools.store.head(`${tableKey}/${name}`, signal)
  return {
    content: 'position_deletes',
    path: `${metadata.location}/${name}`,
    format: 'parquet',
    specId: data.specId,
    partition: data.partition,
    recordCount: positions.length,
    bytes: info!.bytes,
    ...pathBounds([{ data }]),
    referencedDataFile: data.path,
  }
}

/** Files whose deletes go into one file. */
function groupsOf(marked: readonly MarkedFile[], isByFile: boolean): MarkedFile[][] {
  if (isByFile) return marked.map((each) => [each])
  const groups = new Map<string, MarkedFile[]>()
  for (const each of marked) {
    const key = partitionKey(each.data.specId, each.data.partition)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [each])
    else group.push(each)
  }
  return [...groups.values()]
}

/** Whole paths, never cut: readers tell from them which data files the deletes are about. */
function pathBounds(group: readonly Pick<MarkedFile, 'data'>[]): Partial<ContentFile> {
  const paths = group
    .map(({ data }) => bytesFromScalar(data.path, 'string')!)
    .sort((a, b) => Buffer.compare(a, b))
  return {
    lowerBounds: new Map([[FILE_PATH_ID, paths[0]!]]),
    upperBounds: new Map([[FILE_PATH_ID, paths.at(-1)!]]),
  }
}
