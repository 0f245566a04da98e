import type { Answer } from '../api.ts'
import { cellText } from '../format.ts'

const isNumber = (type: string) => /INT|DOUBLE|FLOAT|DECIMAL/.test(type)

/** Rows as they are. */
export function Grid({ answer }: { readonly answer: Pick<Answer, 'columns' | 'rows'> }) {
  const { columns, rows } = answer
  return (
    <div className="scroll tall">
      <table>
        <thead>
          <tr>
            {columns.map(({ name, type }, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: names may repeat, and columns do not move
              <th key={index} className={isNumber(type) ? 'number' : ''} title={type}>
                {name}
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
                  title={typeof cell === 'string' && cell.length > 60 ? cell : undefined}
                >
                  {cellText(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
