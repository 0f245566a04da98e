import { parentPort } from 'node:worker_threads'
import { assert } from '../../model/errors.ts'
import type { BytesColumn } from '../../model/record-batch.ts'
import { Moved, serveCalls } from '../thread-call.ts'
import { ValueCodec } from './value-codec.ts'

// The thread on which large columns of values are coded, so that the event loop is not held meanwhile.

const codec = new ValueCodec()

/** Its buffers moved to the caller; what is behind the last value is cut off first. */
function moved({ data, ends }: BytesColumn): Moved<BytesColumn> {
  const exact = data.slice()
  return new Moved({ data: exact, ends }, [exact.buffer, ends.buffer as ArrayBuffer])
}

const functions = {
  learn: ({ schema }: { readonly schema: string }): void => void codec.learn(schema),
  encode: ({
    values,
    fingerprint,
  }: {
    readonly values: BytesColumn
    readonly fingerprint: string
  }) => moved(codec.encode(values, fingerprint)),
  decode: ({ values }: { readonly values: BytesColumn }) => moved(codec.decode(values)),
}

export type CodecFunctions = typeof functions

assert(parentPort !== null, 'this file is the start of a worker thread')
serveCalls(parentPort, functions)
