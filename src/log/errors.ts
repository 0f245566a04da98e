import { PlatformError } from '../model/errors.ts'

/** A topic was named that the log does not hold. Create it with `ensureTopic`. */
export class TopicMissingError extends PlatformError {
  readonly code = 'LOG_TOPIC_MISSING'
  readonly retry = 'never'
}

/**
 * A topic exists with another number of partitions than asked for, or what was asked for cannot be
 * a topic.
 */
export class TopicMismatchError extends PlatformError {
  readonly code = 'LOG_TOPIC_MISMATCH'
  readonly retry = 'never'
}

/**
 * What was handed in can never be appended: an id of the wrong length, or more than the queue may
 * ever hold.
 */
export class InvalidAppendError extends PlatformError {
  readonly code = 'LOG_INVALID_APPEND'
  readonly retry = 'never'
}

/** The log's disk, thread or broker is away. Nothing was changed, or it was a read. */
export class LogUnavailableError extends PlatformError {
  readonly code = 'LOG_UNAVAILABLE'
  readonly retry = 'later'
}

/** Another process writes this log; a log has one writer. Readers are not affected. */
export class LogLockedError extends PlatformError {
  readonly code = 'LOG_LOCKED'
  readonly retry = 'later'
}

/** The log's files were written by a newer Mekong, or are not a log. */
export class LogVersionError extends PlatformError {
  readonly code = 'LOG_VERSION'
  readonly retry = 'never'
}

/** Stored bytes are not what was written: their checksum or shape is wrong. */
export class LogCorruptError extends PlatformError {
  readonly code = 'LOG_CORRUPT'
  readonly retry = 'never'
}

/** The log was used after `close`. */
export class LogClosedError extends PlatformError {
  readonly code = 'LOG_CLOSED'
  readonly retry = 'never'
}

/** The error for a topic that is not there, naming those that are. */
export function topicMissing(topic: string, known: readonly string[]): TopicMissingError {
  const names = known.length === 0 ? 'There are none yet.' : `There are: ${known.join(', ')}.`
  return new TopicMissingError(`The log holds no topic "${topic}". ${names}`)
}
