/** Told of what a log does, for metrics. None of these may throw; all are called on the main thread. */
export interface LogWatch {
  /** One write of the append queue has ended. */
  readonly onWrite?: (write: WriteReport) => void
  /** Records went to the local log because the topic's own is away. */
  readonly onSpilled?: (topic: string, recordCount: number) => void
  /** Spilled records have arrived in the topic's own log. */
  readonly onMoved?: (topic: string, recordCount: number) => void
  /** Values were coded for a topic. */
  readonly onCoded?: (coded: CodedReport) => void
}

export interface WriteReport {
  readonly recordCount: number
  readonly bytes: number
  /** How many appends went together. */
  readonly appendCount: number
  readonly durationMs: number
  /** The write has thrown, and its appends with it. */
  readonly isFailed: boolean
}

export interface CodedReport {
  readonly valueCount: number
  /** Values that do not fit the schema and lie on the topic as they came. */
  readonly misfitCount: number
  readonly durationMs: number
}
