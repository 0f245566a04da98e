import type { TableDetail } from '../api.ts'
import { Link } from '../place.tsx'
import { useWords } from '../text.ts'
import { useTableWords } from './words.ts'

/** Columns with their types and what they mean, and the table's properties. */
export function SchemaView({ table }: { readonly table: TableDetail }) {
  const words = useTableWords()
  const common = useWords()
  const properties = Object.entries(table.properties)
  const hasDocs = table.columns.some(({ doc }) => doc !== null)
  return (
    <>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>{common('name')}</th>
              <th>{common('type')}</th>
              {hasDocs ? <th>{common('about')}</th> : null}
            </tr>
          </thead>
          <tbody>
            {table.columns.map((column) => (
              <tr key={column.name}>
                <td>
                  <Link
                    to={`tables/${table.name}/lineage?column=${encodeURIComponent(column.name)}`}
                  >
                    {column.name}
                  </Link>
                  {table.partition_by.includes(column.name) ? (
                    <span className="pill small">{words('partition')}</span>
                  ) : null}
                </td>
                <td className="type">
                  {column.type}
                  {column.nullable ? '' : ` · ${words('notNull')}`}
                </td>
                {hasDocs ? <td className="faint doc">{column.doc}</td> : null}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {properties.length === 0 ? null : (
        <>
          <h2>{words('properties')}</h2>
          <div className="scroll">
            <table>
              <tbody>
                {properties.map(([name, value]) => (
                  <tr key={name}>
                    <td className="type">{name}</td>
                    <td className="type long">{value}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </>
  )
}
