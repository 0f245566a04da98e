/** Rows of one file by their index from 0: ascending lists, each row once. */

/** What is in either. */
export function unionOfPositions(a: Float64Array, b: Float64Array): Float64Array {
  const union = new Float64Array(a.length + b.length)
  let [at, inA, inB] = [0, 0, 0]
  while (inA < a.length || inB < b.length) {
    const nextA = inA < a.length ? a[inA]! : Number.POSITIVE_INFINITY
    const nextB = inB < b.length ? b[inB]! : Number.POSITIVE_INFINITY
    union[at++] = Math.min(nextA, nextB)
    if (nextA <= nextB) inA += 1
    if (nextB <= nextA) inB += 1
  }
  return union.slice(0, at)
}

/** What is in `a` and not in `b`. */
export function differenceOfPositions(a: Float64Array, b: Float64Array): Float64Array {
  let inB = 0
  return a.filter((value) => {
    while (inB < b.length && b[inB]! < value) inB += 1
    return b[inB] !== value
  })
}

/** All rows of a file with so many but these. */
export function complementOfPositions(positions: Float64Array, rowCount: number): Float64Array {
  const all = Float64Array.from({ length: rowCount }, (_, row) => row)
  return differenceOfPositions(all, positions)
}
