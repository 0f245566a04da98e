import { useEffect, useId, useState } from 'react'
import { post } from '../api.ts'
import { ago, cellText } from '../format.ts'
import { useWords } from '../text.ts'
import { useAnswer } from '../use-answer.ts'
import { type Letter, type Preview, positionOf, textOf } from './letter.ts'

/** Long enough that not every key asks, short enough to seem at once. */
const PREVIEW_DELAY_MS = 300

type Detail = Letter & { readonly preview: Preview }

/** One letter: its bytes, where it was, and its way back. `onDone` is told what was done. */
export function MendLetter({
  id,
  onDone,
}: {
  readonly id: string
  readonly onDone: (what: string) => void
}) {
  const words = useWords()
  const { answer: letter, problem, again } = useAnswer<Detail>(`/v1/dead-letters/${id}`)
  const [text, setText] = useState<string>()
  const [trouble, setTrouble] = useState<string>()
  const [isBusy, setBusy] = useState(false)
  const tried = usePreview(id, bodyOf(letter, text))
  const label = useId()
  if (problem !== undefined) return <p className="problem">{problem}</p>
  if (letter === undefined) return <p className="faint">{words('wait')}</p>
  const shown = text ?? textOf(letter.fixed ?? letter.value)
  const isOver = letter.status === 'replayed'
  const preview = tried.preview ?? letter.preview
  const body = bodyOf(letter, text)
  const act = async (work: () => Promise<string>) => {
    setBusy(true)
    try {
      const said = await work()
      setTrouble(undefined)
      setText(undefined)
      again()
      onDone(said)
    } catch (error) {
      setTrouble((error as Error).message)
    }
    setBusy(false)
  }
  const fix = () => post(`/v1/dead-letters/${id}/fix`, body)
  return (
    <div className="mend">
      <Origin letter={letter} />
      <div className="mend-pair">
        <div>
          <h3>
            {words('asArrived')}
            <small>
              {letter.value.bytes} {words('bytes')}
            </small>
          </h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long bytes scroll, and the keyboard has to get there */}
          <pre tabIndex={0}>{textOf(letter.value)}</pre>
        </div>
        <div>
          <h3 id={label}>{words('mended')}</h3>
          <textarea
            aria-labelledby={label}
            spellCheck={false}
            disabled={isOver}
            rows={Math.min(14, Math.max(4, Math.ceil(shown.length / 60), shown.split('\n').length))}
            value={shown}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
      </div>
      {'base64' in letter.value ? <p className="faint">{words('notText')}</p> : null}
      {isOver ? (
        <p className="faint">
          {words('sentBackTo')} <code>{letter.replayed_to}</code>
        </p>
      ) : (
        <PreviewOf preview={preview} problem={tried.problem} />
      )}
      {trouble === undefined ? null : (
        <p className="problem" role="alert">
          {trouble}
        </p>
      )}
      {isOver ? null : (
        <p className="row">
          <button
            type="button"
            className="strong"
            disabled={isBusy || preview.status === 'dead' || preview.status === 'impossible'}
            onClick={() =>
              void act(async () => {
                if (body !== undefined) await fix()
                const { to } = await post<{ to: string }>(`/v1/dead-letters/${id}/replay`)
                return `${words('sentBackTo')} ${to}`
              })
            }
          >
            {words(body === undefined ? 'replay' : 'saveAndReplay')}
          </button>
          <button
            type="button"
            disabled={isBusy || body === undefined}
            onClick={() => void act(async () => fix().then(() => words('keptFix')))}
          >
            {words('saveFix')}
          </button>
          <button
            type="button"
            disabled={isBusy || letter.status === 'dropped'}
            onClick={() =>
              void act(async () =>
                post(`/v1/dead-letters/${id}/drop`).then(() => words('droppedIt')),
              )
            }
          >
            {words('drop')}
          </button>
        </p>
      )}
    </div>
  )
}

/** Where it was, and who sent it. */
function Origin({ letter }: { readonly letter: Letter }) {
  const words = useWords()
  const facts: readonly (readonly [string, string])[] = [
    [
      words('position'),
      positionOf(letter) + (letter.offset === null ? ` (${words('neverInLog')})` : ''),
    ],
    [words('recordId'), letter.record_id],
    [words('recordKey'), letter.key ?? ''],
    [words('seen'), ago(letter.first_seen_at)],
    [words('attempts'), letter.attempts === 1 ? '' : String(letter.attempts)],
    ...Object.entries(letter.headers),
  ]
  return (
    <dl className="origin">
      {facts
        .filter(([, value]) => value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

function PreviewOf({
  preview,
  problem,
}: {
  readonly preview: Preview
  readonly problem: string | undefined
}) {
  const words = useWords()
  if (problem !== undefined) return <p className="problem">{problem}</p>
  return (
    <div className={`becomes ${preview.status}`} role="status" aria-label={words('becomes')}>
      {preview.status === 'row' ? (
        <>
          <p>
            <b>✓ {words('becomesRow')}</b>
          </p>
          <dl>
            {Object.entries(preview.row).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{typeof value === 'number' ? String(value) : cellText(value)}</dd>
              </div>
            ))}
          </dl>
        </>
      ) : preview.status === 'filtered' ? (
        <p>{words('becomesFiltered')}</p>
      ) : (
        <p>
          <b>✗ {words(preview.status === 'dead' ? 'diesAgain' : 'cannotGoBack')}</b>{' '}
          {preview.message}
        </p>
      )}
    </div>
  )
}

/** What a request says of the edited value; `undefined` while it is as the platform has it. */
function bodyOf(letter: Letter | undefined, text: string | undefined) {
  if (letter === undefined || text === undefined) return undefined
  if (text === textOf(letter.fixed ?? letter.value)) return undefined
  return 'text' in (letter.fixed ?? letter.value) ? { value: text } : { value_base64: text }
}

/** What would become of an edited value, asked while it is edited. */
function usePreview(id: string, body: Readonly<Record<string, string>> | undefined) {
  const [tried, setTried] = useState<{ preview?: Preview; problem?: string | undefined }>({})
  const wanted = body === undefined ? undefined : JSON.stringify(body)
  useEffect(() => {
    if (wanted === undefined) return setTried({})
    const stop = new AbortController()
    const timer = setTimeout(() => {
      post<{ preview: Preview }>(
        `/v1/dead-letters/${id}/preview`,
        JSON.parse(wanted),
        stop.signal,
      ).then(
        ({ preview }) => setTried({ preview }),
        (error: Error) => stop.signal.aborted || setTried({ problem: error.message }),
      )
    }, PREVIEW_DELAY_MS)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [id, wanted])
  return { preview: tried.preview, problem: tried.problem }
}
