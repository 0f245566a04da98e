import path from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { isListening } from './place.ts'
import { hasVenv, makeVenv, pythonUnavailable } from './python-venv.ts'
import type { Server, ServicePlace, ToolsetPlace } from './service.ts'

// A server that speaks S3 and heeds conditional puts: moto, from PyPI. It keeps objects in memory, so stopping it empties it.

const PACKAGES = ['moto[s3,server]==5.2.5']
const BUCKET = 'mekong'
const KEYS = { accessKeyId: 'mekong', secretAccessKey: 'mekong-local' }

const venvOf = ({ folder }: ToolsetPlace) => path.join(folder, 'venv')
const endpointOf = ({ port }: ServicePlace) => `http://127.0.0.1:${port}`

export const s3: Server = Object.freeze<Server>({
  name: 's3',
  portDefault: 15_900,
  unavailable: pythonUnavailable,
  async prepare(place) {
    if (!hasVenv(venvOf(place))) place.say('s3: fetching moto (about 60 MB, once)')
    await makeVenv(venvOf(place), PACKAGES)
  },
  command: (place) => ({
    file: path.join(venvOf(place), 'bin', 'moto_server'),
    args: ['-H', '127.0.0.1', '-p', String(place.port)],
  }),
  ready: ({ port }) => isListening(port),
  async afterStart(place) {
    const client = new S3Client({
      ...{ endpoint: endpointOf(place), region: 'us-east-1', forcePathStyle: true },
      credentials: KEYS,
    })
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }))
    client.destroy()
  },
  environment: (place) => ({
    MEKONG_S3_ENDPOINT: endpointOf(place),
    MEKONG_S3_BUCKET: BUCKET,
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
  }),
})
