import type { Answer } from '../api.ts'
import { cellText } from '../format.ts'

const isNumber = (type: string) => /INT|DOUBLE|FLOAT|DECIMAL/.test(type)
/** Shown to the second and without "+00": all moments are in UTC. The whole of it is in the title. */
const isMoment = (type: string) => /^TIMESTAMP/.test(type)

/** Ids and years are names, whose digits are not grouped. */
function shownText(cell: unknown, { name, type }: Answer['columns'][number]): string {
  if (isMoment(type)) return cellText(cell).slice(0, 19)
  if (typeof cell === 'number' && /(^|_)(id|year|version|offset)$/.test(name)) return String(cell)
  return cellText(cell)
}

/** Rows as they are. `heading` says a column in the language of the page. */
export function Grid({
  answer,
  heading = (name) => name,
}: {
  readonly answer: Pick<Answer, 'columns' | 'rows'>
  readonly heading?: (name: string) => string
}) {
  const { columns, rows } = answer
  return (
    <div className="scroll tall">
      <table>
        <thead>
          <tr>
            {columns.map(({ name, type }, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: names may repeat, and columns do not move
              <th key={index} className={isNumber(type) ? 'number' : ''} title={type}>
                {heading(name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no name
            <tr key={at}>
              {row.map((cell, index) => (
                <td
                  // biome-ignore lint/suspicious/noArrayIndexKey: columns do not move
                  key={index}
                  className={`cell ${isNumber(columns[index]!.type) ? 'number' : ''} ${cell === null ? 'faint' : ''}`}
                  title={
                    typeof cell === 'string' && (cell.length > 60 || isMoment(columns[index]!.type))
                      ? cell
                      : undefined
                  }
                >
                  {shownText(cell, columns[index]!)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
