import type { DatabaseSync } from 'node:sqlite'
import { parentPort } from 'node:worker_threads'
import { assert } from '../../model/errors.ts'
import { serveCalls } from '../thread-call.ts'
import {
  duplicateCounts,
  enterIds,
  forgetIds,
  type IndexEntries,
  indexedTopic,
  lookUpIds,
  openIdIndex,
} from './id-index.ts'

// The thread of the id index. Calls are done in the order in which they are made, so a look-up sees
// every entry made before it.

let database: DatabaseSync

const functions = {
  open({ file }: { readonly file: string }): void {
    database = openIdIndex(file)
  },
  topic: (topic: Parameters<typeof indexedTopic>[1]) => indexedTopic(database, topic),
  lookUp: (request: Parameters<typeof lookUpIds>[1]) => lookUpIds(database, request),
  enter: (entries: IndexEntries) => enterIds(database, entries),
  forget: (request: Parameters<typeof forgetIds>[1]) => forgetIds(database, request),
  duplicateCounts: () => duplicateCounts(database),
  close(): void {
    database.close()
  },
}

export type IdIndexFunctions = typeof functions

assert(parentPort !== null, 'this file is the start of a worker thread')
serveCalls(parentPort, functions)
