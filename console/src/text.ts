import { createContext, useContext } from 'react'
import { ACCESS_WORDS } from './words/access-words.ts'
import { LETTER_WORDS } from './words/letter-words.ts'
import { RIVER_WORDS } from './words/river-words.ts'
import { RUN_WORDS } from './words/run-words.ts'
import { SQL_WORDS } from './words/sql-words.ts'

// Every word of the console, in English and Vietnamese.

const WORDS = {
  river: ['River', 'Dòng chảy'],
  dashboards: ['Dashboards', 'Bảng theo dõi'],
  catalog: ['Catalog', 'Kho phim'],
  runs: ['Runs', 'Lượt chạy'],
  tables: ['Tables', 'Bảng dữ liệu'],
  sql: ['SQL', 'SQL'],
  deadLetters: ['Dead letters', 'Thư chết'],
  ledger: ['Ledger', 'Sổ cái'],
  balanced: ['balanced', 'cân'],
  notBalanced: ['not balanced', 'không cân'],
  everythingFlows: ['Everything flows', 'Mọi thứ đang chảy'],
  troubles: ['in trouble', 'gặp trục trặc'],
  perSecond: ['/s', '/giây'],
  behind: ['behind', 'còn chờ'],
  rows: ['rows', 'dòng'],
  files: ['files', 'tệp'],
  size: ['size', 'dung lượng'],
  version: ['version', 'phiên bản'],
  committed: ['committed', 'ghi lúc'],
  columns: ['Columns', 'Cột'],
  history: ['History', 'Lịch sử'],
  preview: ['Preview', 'Xem trước'],
  maintenance: ['Maintenance', 'Bảo trì'],
  name: ['name', 'tên'],
  type: ['type', 'kiểu'],
  about: ['about', 'mô tả'],
  run: ['Run', 'Chạy'],
  runAgain: ['Run again', 'Chạy lại'],
  cancel: ['Cancel', 'Huỷ'],
  status: ['status', 'trạng thái'],
  tasks: ['tasks', 'việc'],
  began: ['began', 'bắt đầu'],
  took: ['took', 'mất'],
  trigger: ['trigger', 'do'],
  log: ['Log', 'Nhật ký'],
  noRuns: [
    'Nothing has run yet. Models, syncs and maintenance run on their schedules, or with “Run everything”.',
    'Chưa có lượt chạy nào. Mô hình, đồng bộ và bảo trì chạy theo lịch, hoặc bấm “Chạy tất cả”.',
  ],
  runEverything: ['Run everything', 'Chạy tất cả'],
  noTables: [
    'No tables yet. They appear when a pipeline takes its first records: try “npm start”.',
    'Chưa có bảng. Bảng xuất hiện khi có bản ghi đầu tiên: thử “npm start”.',
  ],
  noLetters: [
    'No dead letters. Whatever cannot be processed waits here with its reason until you mend it.',
    'Không có thư chết. Bản ghi không xử lý được sẽ chờ ở đây cùng lý do cho đến khi bạn sửa.',
  ],
  reason: ['reason', 'lý do'],
  seen: ['first seen', 'thấy lần đầu'],
  fix: ['Save', 'Lưu'],
  replay: ['Replay', 'Phát lại'],
  drop: ['Drop', 'Bỏ'],
  replaySelected: ['Replay selected', 'Phát lại mục chọn'],
  dropSelected: ['Drop selected', 'Bỏ mục chọn'],
  value: ['Value', 'Giá trị'],
  position: ['position', 'vị trí'],
  ask: ['Ask', 'Hỏi'],
  saved: ['Saved queries', 'Câu hỏi đã lưu'],
  exportAs: ['Export', 'Xuất'],
  grid: ['Grid', 'Lưới'],
  chart: ['Chart', 'Biểu đồ'],
  shown: ['shown', 'hiển thị'],
  more: ['there are more', 'còn nữa'],
  dryRun: ['What would it do?', 'Sẽ làm gì?'],
  doIt: ['Do it', 'Thực hiện'],
  optimize: ['Put small files together', 'Gộp tệp nhỏ'],
  expire: ['Forget old versions', 'Quên phiên bản cũ'],
  vacuum: ['Remove unneeded files', 'Xoá tệp thừa'],
  nothingToDo: ['nothing to do', 'không có gì để làm'],
  newest: ['newest', 'mới nhất'],
  live: ['live', 'trực tiếp'],
  connecting: ['connecting …', 'đang kết nối …'],
  updated: ['updated', 'cập nhật'],
  all: ['all', 'tất cả'],
  wait: ['One moment …', 'Chờ một chút …'],
  in: ['in', 'vào'],
  out: ['out', 'ra'],
  filtered: ['filtered', 'lọc'],
  duplicates: ['duplicates', 'trùng'],
  dead: ['dead', 'chết'],
  inFlight: ['in flight', 'đang đi'],
  missing: ['missing', 'thiếu'],
  hop: ['hop', 'chặng'],
  schedules: ['Schedules', 'Lịch'],
  next: ['next', 'kế tiếp'],
  ...ACCESS_WORDS,
  ...LETTER_WORDS,
  ...RIVER_WORDS,
  ...RUN_WORDS,
  ...SQL_WORDS,
} as const satisfies Record<string, readonly [string, string]>

export type Language = 'en' | 'vi'
export type Word = keyof typeof WORDS

export const Words = createContext<Language>('en')

export const useLanguage = (): Language => useContext(Words)

/** A hook for the words that only one page or part has, kept beside it. */
export const wordsOf =
  <const W extends Readonly<Record<string, readonly [english: string, vietnamese: string]>>>(
    words: W,
  ) =>
  (): ((word: keyof W) => string) => {
    const language = useLanguage()
    return (word) => words[word]![language === 'en' ? 0 : 1]
  }

/** The words of the chosen language. */
export function useWords(): (word: Word) => string {
  const language = useContext(Words)
  return (word) => WORDS[word][language === 'en' ? 0 : 1]
}
