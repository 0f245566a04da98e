import * as fs from 'node:fs'
import path from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'

// Where the embedded PostgreSQL keeps its files, and how they become durable.
//
// PGlite starts PostgreSQL with `-F` (fsync off), and its file layer answers fsync and fdatasync with success without asking
// the operating system (https://github.com/electric-sql/pglite/issues/1107). A commit then survives the death of the process, since
// the kernel holds what was written, but not the loss of power. Its `relaxedDurability` changes nothing on local
// disk, where there is nothing to flush late. So fsync is switched on again here and given the real thing to call: a commit is
// answered after its log is on disk, as with any PostgreSQL.

/** The parts of the emscripten file layer that are touched. */
interface NodeFileLayer {
  realPath(node: unknown): string
  stream_ops: { fsync?: (stream: { nfd?: number; node: unknown }) => number }
}

/** `fdatasync` is answered without reaching the file layer at all; `fsync` reaches it. */
const DURABLE_START = [
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
  '-c',
  'fsync=on',
  '-c',
  'wal_sync_method=fsync',
  // initdb chooses 128 MB, all of it taken at the start; the kernel caches the files anyway.
  '-c',
  'shared_buffers=64MB',
]

/** Open the database in `folder`, creating it when it is not there. Opening twice at once destroys data; the caller holds a lock. */
export async function openDatabase(folder: string): Promise<PGlite> {
  const data = path.join(folder, 'data')
  if (!fs.existsSync(data)) await createDatabase(folder, data)
  return await openFiles(data)
}

async function openFiles(data: string): Promise<PGlite> {
  const files = new NodeFS(data)
  const init = files.init.bind(files)
  files.init = async (database, options) => {
    const made = await init(database, options)
    const prepared = (made.emscriptenOpts as { preRun: ((module: unknown) => void)[] }).preRun
    prepared.push((module) => {
      const { FS } = module as { FS: { filesystems: { NODEFS: NodeFileLayer } } }
      syncForReal(FS.filesystems.NODEFS)
    })
    return made
  }
  return await PGlite.create({ fs: files, startParams: DURABLE_START })
}

function syncForReal(layer: NodeFileLayer): void {
  layer.stream_ops.fsync = (stream) => {
    try {
      if (stream.nfd === undefined) syncPath(layer.realPath(stream.node))
      else fs.fdatasyncSync(stream.nfd)
      return 0
    } catch {
      // PostgreSQL must hear of it and stop: an exception would be swallowed on its way through the database.
      return EIO
    }
  }
}
/** https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#-errno-variant */
const EIO = 29

/** Create under another name and rename when complete, so that a crash cannot leave half a database behind. */
async function createDatabase(folder: string, data: string): Promise<void> {
  const arriving = path.join(folder, 'data.arriving')
  fs.rmSync(arriving, { recursive: true, force: true })
  fs.mkdirSync(arriving, { recursive: true })
  await (await openFiles(arriving)).close()
  // initdb ran through a file layer of its own, which synced nothing.
  for (const entry of fs.readdirSync(arriving, { recursive: true, withFileTypes: true }))
    syncPath(path.join(entry.parentPath, entry.name))
  syncPath(arriving)
  fs.renameSync(arriving, data)
  syncPath(folder)
}

function syncPath(name: string): void {
  const descriptor = fs.openSync(name, 'r')
  try {
    fs.fsyncSync(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}
