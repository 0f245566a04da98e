import { autocompletion, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { PostgreSQL, sql } from '@codemirror/lang-sql'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { Compartment, EditorState } from '@codemirror/state'
import { EditorView, keymap, placeholder } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useEffect, useRef } from 'react'

/** Tables with their columns, for completion. */
export type Names = Readonly<Record<string, readonly string[]>>

const COLORS = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--text-2)' },
  { tag: tags.number, color: 'var(--text-2)' },
  { tag: tags.comment, color: 'var(--text-3)', fontStyle: 'italic' },
])

const LOOK = EditorView.theme({
  '&': { minHeight: '150px', maxHeight: '420px' },
  '&.cm-focused': { outline: '2px solid var(--accent-soft)' },
  '.cm-content': {
    font: '13px / 1.55 var(--mono)',
    padding: '12px',
    caretColor: 'var(--text)',
  },
  '.cm-scroller': { overflow: 'auto' },
  '.cm-tooltip': {
    background: 'var(--card)',
    border: '1px solid var(--line)',
    borderRadius: '8px',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    background: 'var(--accent-soft)',
    color: 'var(--accent)',
  },
})

const languageOf = (names: Names) =>
  sql({
    dialect: PostgreSQL,
    schema: names as Record<string, readonly string[]>,
    upperCaseKeywords: true,
  })

/** An editor for SQL: Ctrl+Enter asks, Shift+Alt+F formats, Tab goes on to what comes next on the page. */
export function Editor({
  text,
  names,
  onChange,
  onAsk,
  onFormat,
}: {
  readonly text: string
  readonly names: Names
  readonly onChange: (text: string) => void
  readonly onAsk: () => void
  readonly onFormat: () => void
}) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(null)
  const language = useRef(new Compartment())
  const latest = useRef({ text, names, onChange, onAsk, onFormat })
  latest.current = { text, names, onChange, onAsk, onFormat }
  useEffect(() => {
    const act = (name: 'onAsk' | 'onFormat') => () => {
      latest.current[name]()
      return true
    }
    // In a shadow tree, because there the editor adopts its styles as sheets; into a document it would write a <style>, which the
    // console's content policy does not allow.
    const tree = place.current!.shadowRoot ?? place.current!.attachShadow({ mode: 'open' })
    view.current = new EditorView({
      parent: tree,
      root: tree,
      state: EditorState.create({
        doc: latest.current.text,
        extensions: [
          history(),
          keymap.of([
            { key: 'Mod-Enter', run: act('onAsk') },
            { key: 'Shift-Alt-f', run: act('onFormat') },
            ...completionKeymap,
            ...defaultKeymap,
            ...historyKeymap,
          ]),
          language.current.of(languageOf(latest.current.names)),
          autocompletion(),
          syntaxHighlighting(COLORS),
          LOOK,
          placeholder('SELECT …'),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': 'SQL' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString())
          }),
        ],
      }),
    })
    return () => view.current?.destroy()
  }, [])
  useEffect(() => {
    view.current?.dispatch({ effects: language.current.reconfigure(languageOf(names)) })
  }, [names])
  useEffect(() => {
    const { state } = view.current!
    // What was typed here comes back as it is; a text from elsewhere replaces it, and can be undone.
    if (state.doc.toString() === text) return
    view.current!.dispatch({ changes: { from: 0, to: state.doc.length, insert: text } })
  }, [text])
  return <div ref={place} className="editor" />
}
