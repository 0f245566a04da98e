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
    const view = new EditorView({
      parent: place.current!,
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
