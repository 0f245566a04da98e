/** Buttons of which one is pressed. `text` says what stands on each; `label` names the group to readers who do not see it. */
export function Choices<T>({
  label,
  all,
  chosen,
  text,
  onChoose,
}: {
  readonly label: string
  readonly all: readonly T[]
  readonly chosen: T
  readonly text: (each: T) => string
  readonly onChoose: (each: T) => void
}) {
  return (
    <fieldset className="choices" aria-label={label}>
      {all.map((each) => (
        <button
          key={text(each)}
          type="button"
          aria-pressed={each === chosen}
          onClick={() => onChoose(each)}
        >
          {text(each)}
        </button>
      ))}
    </fieldset>
  )
}
