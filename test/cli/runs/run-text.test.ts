import { expect, test } from 'vitest'
import type { RunTaskView } from '../../../src/api/run-views.ts'
import { factsText } from '../../../src/cli/runs/run-text.ts'

const task: Omit<RunTaskView, 'facts'> = {
  ...{ id: 'gold.x', pipeline: 'p', kind: 'model', status: 'done', attempts: 1 },
  ...{ started_at: null, ended_at: null, seconds: 1, error_code: null, error: null },
  progress: null,
}

test('a model says which files and rows it read and wrote before it says anything else', () => {
  const facts = {
    ...{ build: 'increment', 'silver.a.from_version': 1, 'silver.a.to_version': 2 },
    ...{ rows_in: 7427, rows_gone: 0, rows_made: 6208, rows_added: 6208, rows_changed: 0 },
    ...{ rows_removed: 3648, files_read: 3, bytes_read: 1_782_579, files_written: 1 },
    ...{ bytes_written: 208_044, tests: 9, tests_warned: 0 },
  }
  expect(factsText({ ...task, facts })).toBe(
    'files 3 (1.7 MiB) read, 1 (203.2 KiB) written; rows 7,427 in, 6,208 added, 3,648 removed',
  )
  expect(factsText({ ...task, facts: { ...facts, build: 'whole', tests_warned: 2 } })).toContain(
    '; made anew; tests warned 2',
  )
})

test('a model that had nothing to do does not say where it stands', () => {
  const facts = { 'silver.a.from_version': 2, 'silver.a.to_version': 2, tests: 1 }
  expect(factsText({ ...task, status: 'nothing_new', facts })).toBe('tests 1')
})

test('other tasks say what they counted', () => {
  expect(factsText({ ...task, facts: { files_removed: 28, groups: 14, groups_left: 0 } })).toBe(
    'files_removed 28, groups 14',
  )
})
