import { autocompletion, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { PostgreSQL, sql } from '@codemirror/lang-sql'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { EditorState } from '@codemirror/state'
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

/** An editor for SQL. `text` is where it begins; Ctrl+Enter asks. */
export function Editor({
  text,
  names,
  onChange,
  onAsk,
}: {
  readonly text: string
  readonly names: Names
  readonly onChange: (text: string) => void
  readonly onAsk: () => void
}) {
  const place = useRef<HTMLDivElement>(null)
  const handlers = useRef({ onChange, onAsk })
  handlers.current = { onChange, onAsk }
  useEffect(() => {
    // In a shadow tree, because there the editor adopts its styles as sheets; into a document it would write a <style>, which the
    // console's content policy does not allow.
    const tree = place.current!.shadowRoot ?? place.current!.attachShadow({ mode: 'open' })
    const view = new EditorView({
      parent: tree,
      root: tree,
      state: EditorState.create({
        doc: text,
        extensions: [
          history(),
          keymap.of([
            {
              key: 'Mod-Enter',
              run: () => {
                handlers.current.onAsk()
                return true
              },
            },
            ...completionKeymap,
            ...defaultKeymap,
            ...historyKeymap,
          ]),
          sql({
            dialect: PostgreSQL,
            schema: names as Record<string, readonly string[]>,
            upperCaseKeywords: true,
          }),
          autocompletion(),
          syntaxHighlighting(COLORS),
          LOOK,
          placeholder('SELECT …'),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': 'SQL' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) handlers.current.onChange(update.state.doc.toString())
          }),
        ],
      }),
    })
    return () => view.destroy()
  }, [text, names])
  return <div ref={place} className="editor" />
}
