import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { zstdDecompressSync } from 'node:zlib'

/**
 * Unpack a `.tar.zst` into a folder: plain files and folders of the ustar format, with GNU and pax long names.
 * Modification times are kept, because Delta tells the age of a version from them.
 */
export async function unpackTarZst(archive: string, folder: string): Promise<void> {
  const tar = zstdDecompressSync(await readFile(archive))
  let longName: string | undefined
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const header = tar.subarray(at, at + 512)
    const size = Number.parseInt(textAt(header, 124, 12), 8) || 0
    const type = String.fromCharCode(header[156]!)
    const body = tar.subarray(at + 512, at + 512 + size)
    at += 512 + Math.ceil(size / 512) * 512
    if (type === 'L') longName = textAt(body, 0, size)
    else if (type === 'x') longName = /\d+ path=(.*)\n/.exec(body.toString())?.[1] ?? longName
    else if (type === '0' || type === '\0' || type === '5') {
      const prefix = textAt(header, 345, 155)
      const short = textAt(header, 0, 100)
      const name = longName ?? (prefix === '' ? short : `${prefix}/${short}`)
      longName = undefined
      const target = path.join(folder, name)
      if (type === '5') await mkdir(target, { recursive: true })
      else {
        await mkdir(path.dirname(target), { recursive: true })
        await writeFile(target, body)
        const modified = Number.parseInt(textAt(header, 136, 12), 8)
        await utimes(target, modified, modified)
      }
    }
  }
}

function textAt(bytes: Uint8Array, start: number, length: number): string {
  const cell = Buffer.from(bytes.subarray(start, start + length))
  const end = cell.indexOf(0)
  return cell.subarray(0, end < 0 ? length : end).toString()
}
