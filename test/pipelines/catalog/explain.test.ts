import { expect, test } from 'vitest'
import { fold, matchedWords } from '../../../pipelines/catalog/reads/explain.ts'

// Why a title was found, in words.

const fields = {
  title: 'The Rivers of Nguyễn',
  overview: 'Two sisters cross a river in the storm.',
  genres: 'Drama',
}

test('words are found as they are, in other forms, and written alike; the nearest is told', () => {
  const { words, missing } = matchedWords('the river sister strom nguyen drama walrus', fields)
  expect(words).toEqual([
    { word: 'river', found: 'river', how: 'same', in: ['overview'] },
    { word: 'sister', found: 'sisters', how: 'form', in: ['overview'] },
    { word: 'nguyen', found: 'Nguyễn', how: 'same', in: ['title'] },
    { word: 'drama', found: 'Drama', how: 'same', in: ['genres'] },
  ])
  expect(missing).toEqual(['strom', 'walrus'])
  expect(matchedWords('crossing rivers', fields).words).toEqual([
    { word: 'crossing', found: 'cross', how: 'form', in: ['overview'] },
    { word: 'rivers', found: 'Rivers', how: 'same', in: ['title'] },
  ])
  expect(matchedWords('stormy', fields).words[0]).toMatchObject({ found: 'storm', how: 'alike' })
})

test('words that say nothing are neither found nor missing', () => {
  expect(matchedWords('the of a', fields)).toEqual({ words: [], missing: [] })
  expect(matchedWords('', {})).toEqual({ words: [], missing: [] })
})

test('capitals and marks do not matter', () => {
  expect(fold('Đặng ÉCLAIR')).toBe('dang eclair')
})
