import { describe, expect, test } from 'vitest'
import type { Fault, WriteStep } from '../../src/storage/faults.ts'
import { memoryDisk, memoryStore } from '../../src/storage/memory.ts'
import { objectStoreSuite } from '../conformance/object-store.ts'

const clock = { nowMs: () => 1_700_000_000_000 }
const bytes = new Uint8Array([1, 2, 3, 4])

objectStoreSuite('memory', async () => memoryStore({ clock }))

function storeWithFault(step: WriteStep, fault: Fault) {
  const disk = memoryDisk()
  const strike = (at: { step: WriteStep }) => (at.step === step ? fault : undefined)
  return {
    faulty: memoryStore({ clock, disk, faults: { strike } }),
    sound: memoryStore({ clock, disk }),
  }
}

describe('the memory store, struck by faults', () => {
  test.each([
    ['write', 'io', 'STORAGE_IO'],
    ['write', 'full', 'STORAGE_FULL'],
    ['name', 'io', 'STORAGE_IO'],
    ['write', 'crash', 'SIMULATED_CRASH'],
    ['name', 'crash', 'SIMULATED_CRASH'],
  ] as const)('%s struck by %s puts nothing', async (step, fault, code) => {
    const { faulty, sound } = storeWithFault(step, fault)
    await expect(faulty.putIfAbsent('a', bytes)).rejects.toMatchObject({ code })
    expect(await sound.head('a')).toBeUndefined()
    expect(sound.disk.unnamed.size).toBe(1)
  })

  test('a lost answer is unknown, and the object is there', async () => {
    const { faulty, sound } = storeWithFault('answer', 'io')
    expect(await faulty.putIfAbsent('a', bytes)).toMatchObject({ status: 'unknown' })
    expect(await sound.get('a')).toEqual(bytes)
  })

  test('a lost answer is unknown also when another had won', async () => {
    const { faulty, sound } = storeWithFault('answer', 'io')
    await sound.put('a', new Uint8Array([9]))
    expect(await faulty.putIfAbsent('a', bytes)).toMatchObject({ status: 'unknown' })
    expect(await sound.get('a')).toEqual(new Uint8Array([9]))
  })

  test('a crash after the deed leaves the deed, and the process is dead', async () => {
    const { faulty, sound } = storeWithFault('answer', 'crash')
    await expect(faulty.put('a', bytes)).rejects.toMatchObject({ code: 'SIMULATED_CRASH' })
    expect(faulty.isDead).toBe(true)
    await expect(faulty.get('a')).rejects.toMatchObject({ code: 'SIMULATED_CRASH' })
    expect(await sound.get('a')).toEqual(bytes)
  })
})
