import { EPOCH_BANDS, EPOCH_MICROS_END } from '../../model/epoch.ts'
import { assert, InvariantError } from '../../model/errors.ts'
import { pointerStep } from '../../model/problem.ts'
import type {
  DecimalField,
  Field,
  FieldMap,
  IntegerField,
  ListField,
  RecordField,
  RecordSchema,
  TextField,
} from '../../model/schema.ts'
import { quoteIdentifier, quoteText } from './quote-identifier.ts'

// How a schema becomes SQL. DuckDB's `from_json` reads a value fast but leniently: "12" is 12 to it, 1.7 is 2. So the SQL
// made here accepts a record only when `json_type` says that every field has the kind of JSON we want, and the value
// survived. Whatever is not plainly right is not judged here: those records are looked at one by one in TypeScript, by
// the same check that the gateway uses (`decode-record.ts`). Accepting too little here costs time, never data.

/** A schema's decoder as SQL text. `document` is an SQL expression that yields one JSON text. */
export interface DecoderSql {
  /** The document as typed values; NULL when it cannot be read at all. */
  parsed(document: string): string
  /** The kinds of JSON found at the document's root and at every field; NULL when it cannot be read at all. */
  kinds(document: string): string
  /** The schema's columns, over the names given. */
  readonly columns: readonly { readonly name: string; readonly value: string }[]
  /**
   * Whether the record is plainly right, over the names given; never NULL. `signatures` are lists of kinds that are known to
   * be frequent: they are compared as a whole, which is several times faster than field by field. They never change the answer.
   */
  accept(signatures: readonly Signature[]): string
}

/** What the results of `parsed` and `kinds` are called where `columns` and `accept` are used. */
export interface DecoderNames {
  readonly parsed: string
  readonly kinds: string
}

/** What `kinds` yields for one document. */
export type Signature = readonly (string | null)[]

interface Node {
  readonly optional: boolean
  /** Place in the list of kinds, from 0. */
  readonly kindIndex: number
  /** Kinds of JSON that may be right; `undefined` stands for all but null. */
  readonly kinds: readonly string[] | undefined
  /** What else must hold when the field is there. */
  readonly check: string
  readonly value: string
  /** What `from_json` is told to read. */
  readonly structure: unknown
  readonly children: readonly Node[]
}

/** The SQL of a schema. Pure. */
export function decoderSql(schema: RecordSchema | RecordField, names: DecoderNames): DecoderSql {
  const pointers = ['$']
  const root = recordNode(schema.fields, { access: names.parsed, pointer: '', pointers })
  const fieldNames = Object.keys(schema.fields)
  const structure = quoteText(JSON.stringify(root.structure))
  const paths = pointers.map(quoteText).join(', ')
  return {
    parsed: (document) =>
      fieldNames.length === 0 ? 'NULL' : `TRY(from_json(${document}, ${structure}))`,
    kinds: (document) => `TRY(json_type(${document}, [${paths}]))`,
    columns: root.children.map((child, index) => ({
      name: fieldNames[index]!,
      value: child.value,
    })),
    accept: (signatures) => {
      const whole = signatures.flatMap((signature) => {
        const right = acceptKnown(root, signature)
        if (right === undefined) return []
        const list = `[${signature.map(kindText).join(', ')}]`
        return [`WHEN ${names.kinds} = ${list} THEN coalesce(${right}, false)`]
      })
      const any = acceptAny(root, names.kinds)
      return `CASE WHEN ${names.kinds} IS NULL THEN false ${whole.join(' ')} ELSE coalesce(${any}, false) END`
    },
  }
}

const kindText = (kind: string | null) => (kind === null ? 'NULL' : quoteText(kind))

/** What must hold of a record whose kinds are known; `undefined` when it cannot be right. */
function acceptKnown(node: Node, signature: Signature): string | undefined {
  const kind = signature[node.kindIndex] ?? 'NULL'
  if (kind === 'NULL') return node.optional ? 'true' : undefined
  if (node.kinds !== undefined && !node.kinds.includes(kind)) return undefined
  const parts = node.children.map((child) => acceptKnown(child, signature))
  if (parts.includes(undefined)) return undefined
  return [node.check, ...parts].filter((part) => part !== 'true').join(' AND ') || 'true'
}

/** What must hold of any record. */
function acceptAny(node: Node, kinds: string): string {
  const kind = `${kinds}[${node.kindIndex + 1}]`
  const fits =
    node.kinds === undefined
      ? `${kind} <> 'NULL'`
      : `${kind} IN (${node.kinds.map(quoteText).join(', ')})`
  const present = [fits, node.check, ...node.children.map((child) => acceptAny(child, kinds))]
    .filter((part) => part !== 'true')
    .join(' AND ')
  return node.optional ? `(coalesce(${kind}, 'NULL') = 'NULL' OR (${present}))` : `(${present})`
}

/** Where a field is: as SQL, as a JSON pointer, and the pointers of all fields before it. */
interface Place {
  readonly access: string
  readonly pointer: string
  readonly pointers: string[]
}

function recordNode(fields: FieldMap, { access, pointer, pointers }: Place): Node {
  const kindIndex = pointers.length - 1
  const entries = Object.entries(fields)
  const children = entries.map(([name, field]) =>
    fieldNode(field, {
      access: `${access}.${quoteIdentifier(name)}`,
      pointer: pointer + pointerStep(name),
      pointers,
    }),
  )
  const packed = entries.map(([name], i) => `${quoteIdentifier(name)}: ${children[i]!.value}`)
  return {
    optional: false,
    kindIndex,
    kinds: ['OBJECT'],
    check: 'true',
    value: `CASE WHEN ${access} IS NOT NULL THEN {${packed.join(', ')}} END`,
    structure: Object.fromEntries(entries.map(([name], i) => [name, children[i]!.structure])),
    children,
  }
}

function fieldNode(field: Field, place: Place): Node {
  place.pointers.push(place.pointer)
  if (field.kind === 'record') {
    const { fields } = field as RecordField
    assert(Object.keys(fields).length > 0, `a nested record has fields, unlike ${place.pointer}`)
    return { ...recordNode(fields, place), optional: field.optional }
  }
  const kindIndex = place.pointers.length - 1
  return { optional: field.optional, kindIndex, children: [], ...leaf(field, place.access) }
}

type Leaf = Pick<Node, 'kinds' | 'check' | 'value' | 'structure'>

const WHOLE = ['UBIGINT', 'BIGINT']
const NUMBER = [...WHOLE, 'DOUBLE']

function leaf(field: Field, access: string): Leaf {
  switch (field.kind) {
    case 'boolean':
      return { kinds: ['BOOLEAN'], check: present(access), value: access, structure: 'BOOLEAN' }
    case 'int32':
    case 'int64':
      return integerLeaf(field as IntegerField<'int32' | 'int64', unknown, unknown>, access)
    case 'float64':
      return { kinds: NUMBER, check: `isfinite(${access})`, value: access, structure: 'DOUBLE' }
    case 'decimal':
      return decimalLeaf(field as DecimalField, access)
    case 'text':
      return textLeaf(field as TextField, access)
    case 'timestamp':
      return timeLeaf(access, INSTANT, 'TIMESTAMPTZ')
    case 'date':
      return timeLeaf(access, DAY, 'DATE')
    case 'epoch':
      return epochLeaf(access)
    case 'json':
      return {
        kinds: undefined,
        check: present(access),
        value: `${access}::VARCHAR`,
        structure: 'JSON',
      }
    case 'list':
      return listLeaf(field as ListField, access)
    case 'record':
      throw new InvariantError('A nested record is a node of its own, never a leaf.')
  }
}

const present = (access: string) => `${access} IS NOT NULL`

function integerLeaf(
  field: IntegerField<'int32' | 'int64', unknown, unknown>,
  access: string,
): Leaf {
  const bounds = [
    ...(field.min === undefined ? [] : [`${access} >= ${field.min}`]),
    ...(field.max === undefined ? [] : [`${access} <= ${field.max}`]),
  ]
  return {
    kinds: WHOLE,
    check: [present(access), ...bounds].join(' AND '),
    value: access,
    structure: field.kind === 'int32' ? 'INTEGER' : 'BIGINT',
  }
}

/** Read as text, so that nothing is rounded on the way; a number's text is the shortest that means the same double. */
function decimalLeaf({ precision, scale }: DecimalField, access: string): Leaf {
  const whole = precision - scale
  const integer = whole === 0 ? '0' : `(0|[1-9][0-9]{0,${whole - 1}})`
  const fraction = scale === 0 ? '' : `([.][0-9]{1,${scale}})?`
  return {
    kinds: [...NUMBER, 'VARCHAR'],
    check: `regexp_full_match(${access}, '-?${integer}${fraction}')`,
    value: `TRY_CAST(${access} AS DECIMAL(${precision},${scale}))`,
    structure: 'VARCHAR',
  }
}

function textLeaf({ min, max, oneOf }: TextField, access: string): Leaf {
  const checks = [
    present(access),
    ...(min === undefined || min === 0 ? [] : [`length(${access}) >= ${min}`]),
    ...(max === undefined ? [] : [`length(${access}) <= ${max}`]),
    ...(oneOf === undefined ? [] : [`${access} IN (${oneOf.map(quoteText).join(', ')})`]),
  ]
  return { kinds: ['VARCHAR'], check: checks.join(' AND '), value: access, structure: 'VARCHAR' }
}

const DAY = '[0-9]{4}-[0-9]{2}-[0-9]{2}'
/** As `isInstant` of `model/iso-time.ts`; what the calendar says is left to the cast. */
const INSTANT = `${DAY}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)`

function timeLeaf(access: string, pattern: string, type: 'TIMESTAMPTZ' | 'DATE'): Leaf {
  const value = `TRY_CAST(${access} AS ${type})`
  return {
    kinds: ['VARCHAR'],
    // There was no year 0000.
    check: `${value} IS NOT NULL AND regexp_full_match(${access}, '${pattern}') AND NOT starts_with(${access}, '0000')`,
    value,
    structure: 'VARCHAR',
  }
}

function epochLeaf(access: string): Leaf {
  const bands = EPOCH_BANDS.map((band) => {
    const { from, microsNumerator: numerator, microsDenominator: denominator } = band
    const micros = denominator === 1n ? `${access} * ${numerator}` : `${access} // ${denominator}`
    const end = (EPOCH_MICROS_END * denominator) / numerator
    return `WHEN ${access} >= ${from} THEN CASE WHEN ${access} < ${end} THEN ${micros} END`
  }).reverse()
  const value = `make_timestamptz(CASE ${bands.join(' ')} END)`
  return { kinds: ['UBIGINT'], check: `${value} IS NOT NULL`, value, structure: 'BIGINT' }
}

/** Items are documents of their own: each is read and judged like a record, inside lambdas over the list. */
function listLeaf({ item, min, max }: ListField, access: string): Leaf {
  // Wrapped as the only field of a record, so that every kind of item is read by the same code.
  const fields = { item: { ...item, optional: false } as Field }
  const decoder = decoderSql({ fields }, { parsed: 'x.j', kinds: 'x.t' })
  const document = `('{"item":' || x || '}')`
  const texts = `from_json(${access}::VARCHAR, '["JSON"]')`
  const items = `list_transform(${texts}, lambda x: {j: ${decoder.parsed(document)}, t: ${decoder.kinds(document)}})`
  const right = `CASE WHEN x.t IS NULL THEN ${item.optional} ELSE ${decoder.accept([])} END`
  const checks = [
    `len(list_filter(${items}, lambda x: NOT ${right})) = 0`,
    ...(min === undefined ? [] : [`len(${texts}) >= ${min}`]),
    ...(max === undefined ? [] : [`len(${texts}) <= ${max}`]),
  ]
  return {
    kinds: ['ARRAY'],
    check: checks.join(' AND '),
    value: `list_transform(${items}, lambda x: ${decoder.columns[0]!.value})`,
    structure: 'JSON',
  }
}
