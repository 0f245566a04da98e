import { type Body, boolean, int64, json, nested, optional, record, text, timestamp } from 'mekong'

/**
 * A public event on GitHub, as its Events API and GH Archive have it since 2015. Fields beyond these, such as `org`, are not
 * carried on.
 */
export const GitHubEvent = record({
  id: text({
    min: 1,
    max: 200,
    doc: "GitHub's own id of the event. The same id is the same event.",
  }),
  type: text({ min: 1, max: 100, doc: 'What happened, such as PushEvent.' }),
  actor: nested(
    {
      id: int64(),
      login: text({ min: 1 }),
      gravatar_id: text(),
      url: text(),
      avatar_url: text(),
    },
    { doc: 'Who did it.' },
  ),
  repo: nested(
    { id: int64(), name: text({ min: 1, doc: '`owner/project`' }), url: text() },
    { doc: 'In which repository.' },
  ),
  payload: optional(json({ doc: 'What the type of event brings along.' })),
  public: boolean({ doc: 'Whether everyone may see it.' }),
  created_at: timestamp({ doc: 'When it happened.' }),
})

export type GitHubEvent = Body<typeof GitHubEvent>
