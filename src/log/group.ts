import type { Log } from './log.ts'

/**
 * Sharing a topic's partitions among processes. A member is told which partitions are its own; when
 * members come or go, all are told again, and no partition has two owners who both may commit.
 */
export interface GroupMembership {
  readonly group: string
  readonly topics: readonly string[]
  /** These partitions, and no others, are now this member's. Called again after each change. */
  readonly onAssign: (assigned: Assignment) => void
  /**
   * The partitions are being dealt out anew: finish or abandon what is under way. Followed by
   * `onAssign`.
   */
  readonly onRevoke: () => void
}

/** Partitions by topic. */
export type Assignment = ReadonlyMap<string, readonly number[]>

export interface GroupMember {
  /**
   * Commit offsets as a member. @throws LogUnavailableError, also when the partitions were dealt
   * out anew in the meantime
   */
  commit(topic: string, offsets: ReadonlyMap<number, number>): Promise<void>
  /** Give the partitions to the others at once instead of after the session timeout. */
  leave(): Promise<void>
}

/** A log whose topics several processes can read together. */
export interface GroupLog extends Log {
  /**
   * Returns once the group has accepted this member and `onAssign` was called. @throws
   * LogUnavailableError
   */
  joinGroup(membership: GroupMembership): Promise<GroupMember>
}
