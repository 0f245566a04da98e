import type { OptimizeRequest, RestoreReport, TablePoint, VacuumRequest } from './table-door.ts'

// What doors to both formats do alike between what surfaces ask and what tables say.

interface GroupsDone {
  readonly groupsDone: number
  readonly groupCount: number
  readonly bytesDone: number
}

/** A request as tables of both formats take it. */
export function groupedRequest({ onProgress, isOfManifests: _, ...request }: OptimizeRequest) {
  return {
    ...request,
    onProgress: ({ groupsDone, groupCount, bytesDone }: GroupsDone) =>
      onProgress?.({ done: groupsDone, count: groupCount, bytesDone }),
  }
}

/** What is common in removing files that nobody needs. */
export function removalRequest({
  fileCountMax,
  ...request
}: Pick<VacuumRequest, 'fileCountMax' | 'dryRun' | 'onProgress'>) {
  const { dryRun, onProgress } = request
  return {
    ...(fileCountMax === undefined ? {} : { fileCountMax }),
    dryRun,
    onProgress: ({ removed, count }: { readonly removed: number; readonly count: number }) =>
      onProgress?.({ done: removed, count }),
  }
}

/** The report of a restore that others came in the way of, or that nobody answered. */
export function notRestored(
  point: TablePoint,
  {
    status,
    version,
    message = 'no answer came',
  }: Pick<RestoreReport, 'status' | 'version'> & { readonly message?: string | undefined },
): RestoreReport {
  const restored = 'version' in point ? point.version : 0
  return { status, restored, version, filesAdded: 0, filesRemoved: 0, message }
}
