/**
 * Names of the data files that we write. They tell who wrote a file, which nothing else in a Delta log does for each file, and so what its
 * Parquet bounds are worth: ours never leave NaN out.
 */
export const ownFileName = (kind: 'part' | 'cdc', id: string, compression: string): string =>
  `${kind}-00000-${id}.c000.mekong.${compression}.parquet`

const OWN = /\.mekong\.[a-z0-9]+\.parquet$/

/** Whether a file, by its path, is one that we wrote. */
export const isOwnFile = (path: string): boolean => OWN.test(path)
