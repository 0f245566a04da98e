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
export const Status = ({ status }: { readonly status: string }) => (
  <span className={`status ${status}`}>
    <i aria-hidden="true">{SIGNS[status] ?? ''}</i> {status.replaceAll('_', ' ')}
  </span>
)
