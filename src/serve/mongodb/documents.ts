// Documents in MongoDB.
//
// In:   changes of documents with their versions, and whole collections. Out: documents, each with the version of the table it is of, and the
//       consumer's version, moved after all of them. Survives a crash: every document written; those written since the cursor are
//       written again, to the same end.

import type { Document } from 'mongodb'
import type { CollectionFacts, DocumentStore, NewDocument } from '../document-store.ts'
import { connectMongo, type MongoDatabase } from './client.ts'
import { type MongoConfig, mongoName } from './config.ts'
import {
  changeOperation,
  newestOfEach,
  plainDocument,
  sortOf,
  storedDocument,
  VERSION_FIELD,
} from './encode.ts'
import { isOnlyNewer, mongoError } from './errors.ts'

const CURSORS = 'mekong_cursors'
const REPLACED = 'mekong_replaced'
const INSERT_COUNT = 1_000

interface Named extends Document {
  readonly _id: string
}

/** Documents in the database of `config`. Nothing is opened before the first call. */
export function mongoDocuments(config: MongoConfig): DocumentStore {
  let database: Promise<MongoDatabase> | undefined
  const during = async <T>(
    what: string,
    work: (db: MongoDatabase['db']) => Promise<T>,
  ): Promise<T> => {
    try {
      database ??= connectMongo(config).catch((error) => {
        database = undefined
        throw error
      })
      return await work((await database).db)
    } catch (error) {
      throw mongoError(`${what} in ${mongoName(config)}`, error)
    }
  }
  const versionOf = async (db: MongoDatabase['db'], collection: string, id: string) =>
    Number((await db.collection<Named>(collection).findOne({ _id: id }))?.version ?? -1)
  const setVersion = (db: MongoDatabase['db'], collection: string, _id: string, version: number) =>
    db.collection<Named>(collection).updateOne({ _id }, { $set: { version } }, { upsert: true })

  return Object.freeze<DocumentStore>({
    notation: 'extended',
    open: (collections) =>
      during('prepare collections', async (db) => {
        for (const collection of collections) await createIndexes(db, collection.name, collection)
      }),
    cursor: (consumer) =>
      during(`read the cursor of ${consumer}`, (db) => versionOf(db, CURSORS, consumer)),
    take: (consumer, changes, { collection, version, anew }) =>
      during(`write to ${collection}`, async (db) => {
        const others = db.collection<Named>(collection)
        // A version above is of a table that was there before; it would not give way.
        if (anew) await others.deleteMany({ [VERSION_FIELD]: { $gt: version } })
        for await (const some of changes) {
          if (some.length === 0) continue
          try {
            const operations = newestOfEach(some).map(changeOperation)
            await db.collection<Named>(collection).bulkWrite(operations, { ordered: false })
          } catch (error) {
            if (!isOnlyNewer(error)) throw error
          }
        }
        if (anew) await others.deleteMany({ [VERSION_FIELD]: { $lt: version } })
        if ((await versionOf(db, CURSORS, consumer)) < version)
          await setVersion(db, CURSORS, consumer, version)
      }),
    replace: (collection, documents, version) =>
      during(`replace ${collection.name}`, async (db) => {
        if ((await versionOf(db, REPLACED, collection.name)) > version) return
        await replaceAll(db, collection, documents, version)
        await setVersion(db, REPLACED, collection.name, version)
      }),
    find: (request) =>
      during(`look into ${request.collection}`, async (db) => {
        const { collection, where = {}, limit, skip = 0 } = request
        const cursor = db.collection<Named>(collection).find(where as never)
        const found = await cursor.sort(sortOf(request)).skip(skip).limit(limit).toArray()
        return found.map(plainDocument)
      }),
    count: (collection) =>
      during(`count ${collection}`, (db) => db.collection(collection).countDocuments({})),
    close: async () => {
      await (await database?.catch(() => undefined))?.close()
      database = undefined
    },
  })
}

async function createIndexes(
  db: MongoDatabase['db'],
  name: string,
  { indexes }: CollectionFacts,
): Promise<void> {
  for (const fields of indexes)
    await db.collection(name).createIndex(Object.fromEntries(fields.map((field) => [field, 1])))
}

/** Written beside, then renamed over: the server does that in one step. An empty collection has to be made before it can be renamed. */
async function replaceAll(
  db: MongoDatabase['db'],
  collection: CollectionFacts,
  documents: readonly NewDocument[],
  version: number,
): Promise<void> {
  const beside = `${collection.name}_arriving_${version}`
  await db.dropCollection(beside).catch(() => false)
  await db.createCollection(beside)
  for (let from = 0; from < documents.length; from += INSERT_COUNT) {
    const some = documents.slice(from, from + INSERT_COUNT)
    await db.collection<Named>(beside).insertMany(some.map((one) => storedDocument(one, version)))
  }
  await createIndexes(db, beside, collection)
  await db.renameCollection(beside, collection.name, { dropTarget: true })
}
