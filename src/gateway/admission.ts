/**
 * What the gateway holds at this moment: bytes of bodies that are being read or appended, and records that are being
 * appended. Past the limits the answer is 503 at once, so that memory stays flat however many clients push.
 */
export class Admission {
  readonly bytesMax: number
  readonly recordCountMax: number
  bytes = 0
  recordCount = 0

  constructor(limits: { readonly bytesMax: number; readonly recordCountMax: number }) {
    this.bytesMax = limits.bytesMax
    this.recordCountMax = limits.recordCountMax
  }

  /** Take room for bytes; every `true` is given back with `releaseBytes`. */
  holdBytes(bytes: number): boolean {
    if (this.bytes + bytes > this.bytesMax) return false
    this.bytes += bytes
    return true
  }

  releaseBytes(bytes: number): void {
    this.bytes -= bytes
  }

  holdRecords(count: number): boolean {
    if (this.recordCount + count > this.recordCountMax) return false
    this.recordCount += count
    return true
  }

  releaseRecords(count: number): void {
    this.recordCount -= count
  }

  /** 0 to 1: the fuller of the two. */
  get fullness(): number {
    return Math.max(this.bytes / this.bytesMax, this.recordCount / this.recordCountMax)
  }
}
