import { useContext } from 'react'
import { Words } from '../text.ts'

const VIETNAMESE: Readonly<Record<string, string>> = {
  succeeded: 'thành công',
  done: 'xong',
  nothing_new: 'không có gì mới',
  failed: 'thất bại',
  cancelled: 'đã huỷ',
  skipped: 'bỏ qua',
  interrupted: 'bị ngắt',
  running: 'đang chạy',
  retrying: 'đang thử lại',
  paused: 'tạm dừng',
  waiting: 'đang chờ',
}

const SIGNS: Readonly<Record<string, string>> = {
  succeeded: '✓',
  done: '✓',
  nothing_new: '=',
  failed: '✗',
  cancelled: '⊘',
  skipped: '–',
  interrupted: '!',
  running: '▸',
  retrying: '↻',
  paused: '‖',
  waiting: '·',
}

/** How something stands, as a word with a sign, so that colour is not needed to read it. */
export function Status({ status }: { readonly status: string }) {
  const told = useContext(Words) === 'vi' ? VIETNAMESE[status] : undefined
  return (
    <span className={`status ${status}`}>
      <i aria-hidden="true">{SIGNS[status] ?? ''}</i> {told ?? status.replaceAll('_', ' ')}
    </span>
  )
}
