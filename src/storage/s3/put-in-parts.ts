import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'

/** The service takes no smaller parts, but for the last: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const PART_BYTES_MIN = 5 * 1024 * 1024
/** Parts under way at once: enough to fill a line, and few enough for others on it. */
const PART_CONCURRENCY = 4

export interface PutInParts {
  /** Sends each request once. */
  readonly client: S3Client
  readonly at: { readonly Bucket: string; readonly Key: string }
  /** The local file. */
  readonly path: string
  readonly partBytes: number
  /** Sends a request again while the service does not answer. */
  readonly again: <T>(work: () => Promise<T>) => Promise<T>
  readonly signal: AbortSignal | undefined
}

/**
 * A local file as an object, in parts. The object appears with the last request, whole; before it there is none, or the older one. Parts of
 * an upload that fails are removed; those of a process that is killed stay, unseen, until the bucket's own rule for incomplete
 * uploads takes them.
 */
export async function putInParts(upload: PutInParts): Promise<void> {
  const { client, at, again, signal } = upload
  const abort = signal === undefined ? {} : { abortSignal: signal }
  const { UploadId } = await again(() => client.send(new CreateMultipartUploadCommand(at), abort))
  try {
    const Parts = await sendParts(upload, UploadId!)
    await complete(upload, UploadId!, Parts)
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand({ ...at, UploadId })).catch(() => {})
    throw error
  }
}

interface Part {
  readonly ETag: string | undefined
  readonly PartNumber: number
}

async function sendParts(
  { client, at, path, partBytes, again, signal }: PutInParts,
  UploadId: string,
): Promise<Part[]> {
  const { size } = await stat(path)
  const starts = Array.from(
    { length: Math.ceil(size / partBytes) },
    (_, index) => index * partBytes,
  )
  const parts: Part[] = new Array(starts.length)
  const waiting = starts.entries()
  const sendAll = async () => {
    for (const [index, start] of waiting) {
      const end = Math.min(start + partBytes, size)
      const PartNumber = index + 1
      const { ETag } = await again(() =>
        client.send(
          new UploadPartCommand({
            ...{ ...at, UploadId, PartNumber, ContentLength: end - start },
            Body: createReadStream(path, { start, end: end - 1 }),
          }),
          signal === undefined ? {} : { abortSignal: signal },
        ),
      )
      parts[index] = { ETag, PartNumber }
    }
  }
  await Promise.all(Array.from({ length: PART_CONCURRENCY }, sendAll))
  return parts
}

/** The answer may get lost after the deed: then the upload is gone, and the object has the size that it should have. */
async function complete(
  { client, at, path, again }: PutInParts,
  UploadId: string,
  Parts: Part[],
): Promise<void> {
  const isThere = async () => {
    const found = await client.send(new HeadObjectCommand(at)).catch(() => undefined)
    return found?.ContentLength === (await stat(path)).size
  }
  let attempts = 0
  await again(async () => {
    attempts += 1
    try {
      const MultipartUpload = { Parts }
      await client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload }))
    } catch (error) {
      const isGone = (error as Error).name === 'NoSuchUpload'
      if (attempts > 1 && isGone && (await isThere())) return
      throw error
    }
  })
}
