import { useEffect, useId, useRef, useState } from 'react'

export interface Choice {
  readonly value: string
  readonly label: string
  readonly side?: string
}

const TYPING_MS = 180

/** A box that suggests while one types: up and down, Enter, Escape. */
export function Combo({
  label,
  hint,
  none,
  start = '',
  suggest,
  onPick,
}: {
  readonly label: string
  readonly hint: string
  /** Said when nothing matches. */
  readonly none: string
  readonly start?: string
  readonly suggest: (text: string, signal: AbortSignal) => Promise<readonly Choice[]>
  readonly onPick: (choice: Choice) => void
}) {
  const id = useId()
  const [text, setText] = useState(start)
  const [choices, setChoices] = useState<readonly Choice[]>()
  const [at, setAt] = useState(0)
  const [problem, setProblem] = useState<string>()
  const [isTyping, setTyping] = useState(false)
  const ask = useRef(suggest)
  ask.current = suggest
  useEffect(() => setText(start), [start])
  useEffect(() => {
    if (!isTyping || text.trim() === '') return setChoices(undefined)
    const stop = new AbortController()
    const timer = setTimeout(() => {
      ask.current(text.trim(), stop.signal).then(
        (found) => {
          setChoices(found)
          setProblem(undefined)
          setAt(0)
        },
        (error: Error) => {
          if (!stop.signal.aborted) setProblem(error.message)
        },
      )
    }, TYPING_MS)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [text, isTyping])
  const pick = (choice: Choice | undefined) => {
    if (choice === undefined) return
    setTyping(false)
    setChoices(undefined)
    setText(choice.label)
    onPick(choice)
  }
  const onKey = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape') return setChoices(undefined)
    if (choices === undefined || choices.length === 0) return
    if (event.key === 'Enter') pick(choices[at])
    else if (event.key === 'ArrowDown') setAt((at + 1) % choices.length)
    else if (event.key === 'ArrowUp') setAt((at + choices.length - 1) % choices.length)
    else return
    event.preventDefault()
  }
  return (
    <div className="combo">
      <input
        type="search"
        role="combobox"
        aria-label={label}
        aria-expanded={choices !== undefined}
        aria-controls={`${id}list`}
        aria-activedescendant={
          choices === undefined || choices.length === 0 ? undefined : `${id}${at}`
        }
        aria-autocomplete="list"
        autoComplete="off"
        spellCheck={false}
        placeholder={hint}
        value={text}
        onChange={(event) => {
          setTyping(true)
          setText(event.target.value)
        }}
        onKeyDown={onKey}
        onBlur={() => setTimeout(() => setChoices(undefined), 150)}
      />
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {choices === undefined ? null : (
        <div role="listbox" id={`${id}list`} aria-label={label} className="suggestions">
          {choices.length === 0 ? <p className="faint">{none}</p> : null}
          {choices.map((choice, index) => (
            <div
              key={choice.value}
              id={`${id}${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === at}
              onPointerDown={(event) => {
                event.preventDefault()
                pick(choice)
              }}
              onPointerEnter={() => setAt(index)}
            >
              {choice.label}
              <small>{choice.side ?? choice.value}</small>
            </div>
          ))}
        </div>
      )}
    </div>
  )
}
