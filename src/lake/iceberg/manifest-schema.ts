import type { AvroField, AvroSchema } from '../../model/avro/schema.ts'
import type { BoundSpec } from './partition-spec.ts'
import { fixedLength } from './schema.ts'
import { decimalBytes } from './single-value.ts'

/** The Avro schemas of manifests and manifest lists of version 2 (table spec, "Manifests", "Manifest Lists", "Appendix A"). */

const int = { type: 'int' } as const
const long = { type: 'long' } as const
const text = { type: 'string' } as const
const bytes = { type: 'bytes' } as const
const bool = { type: 'boolean' } as const

const required = (id: number, name: string, type: AvroSchema): AvroField => ({
  name,
  type,
  'field-id': id,
})

const optional = (id: number, name: string, type: AvroSchema): AvroField => ({
  name,
  type: { type: 'union', branches: [{ type: 'null' }, type] },
  default: null,
  'field-id': id,
})

const list = (elementId: number, items: AvroSchema): AvroSchema => ({
  type: 'array',
  items,
  'element-id': elementId,
})

/** Avro's own maps have string keys; others are arrays of pairs. */
const map = (keyId: number, valueId: number, value: AvroSchema): AvroSchema => ({
  type: 'array',
  logicalType: 'map',
  items: {
    type: 'record',
    name: `k${keyId}_v${valueId}`,
    fields: [required(keyId, 'key', int), required(valueId, 'value', value)],
  },
})

/** Entries of a manifest whose files are partitioned by `spec`. */
export function manifestEntrySchema(spec: BoundSpec): AvroSchema {
  const partition: AvroSchema = {
    type: 'record',
    name: 'r102',
    fields: spec.fields.map(({ fieldId, name, type }) =>
      optional(fieldId, avroName(name), partitionSchema(type, fieldId)),
    ),
  }
  const dataFile: AvroSchema = {
    type: 'record',
    name: 'r2',
    fields: [
      required(134, 'content', int),
      required(100, 'file_path', text),
      required(101, 'file_format', text),
      required(102, 'partition', partition),
      required(103, 'record_count', long),
      required(104, 'file_size_in_bytes', long),
      optional(108, 'column_sizes', map(117, 118, long)),
      optional(109, 'value_counts', map(119, 120, long)),
      optional(110, 'null_value_counts', map(121, 122, long)),
      optional(137, 'nan_value_counts', map(138, 139, long)),
      optional(125, 'lower_bounds', map(126, 127, bytes)),
      optional(128, 'upper_bounds', map(129, 130, bytes)),
      optional(131, 'key_metadata', bytes),
      optional(132, 'split_offsets', list(133, long)),
      optional(135, 'equality_ids', list(136, int)),
      optional(140, 'sort_order_id', int),
      optional(143, 'referenced_data_file', text),
    ],
  }
  return {
    type: 'record',
    name: 'manifest_entry',
    fields: [
      required(0, 'status', int),
      optional(1, 'snapshot_id', long),
      optional(3, 'sequence_number', long),
      optional(4, 'file_sequence_number', long),
      required(2, 'data_file', dataFile),
    ],
  }
}

export const MANIFEST_FILE_SCHEMA: AvroSchema = {
  type: 'record',
  name: 'manifest_file',
  fields: [
    required(500, 'manifest_path', text),
    required(501, 'manifest_length', long),
    required(502, 'partition_spec_id', int),
    required(517, 'content', int),
    required(515, 'sequence_number', long),
    required(516, 'min_sequence_number', long),
    required(503, 'added_snapshot_id', long),
    // The names that the reference implementation reads in version 2; the specification fixes only the ids.
    required(504, 'added_files_count', int),
    required(505, 'existing_files_count', int),
    required(506, 'deleted_files_count', int),
    required(512, 'added_rows_count', long),
    required(513, 'existing_rows_count', long),
    required(514, 'deleted_rows_count', long),
    optional(
      507,
      'partitions',
      list(508, {
        type: 'record',
        name: 'r508',
        fields: [
          required(509, 'contains_null', bool),
          optional(518, 'contains_nan', bool),
          optional(510, 'lower_bound', bytes),
          optional(511, 'upper_bound', bytes),
        ],
      }),
    ),
    optional(519, 'key_metadata', bytes),
  ],
}

function partitionSchema(type: string, fieldId: number): AvroSchema {
  switch (type) {
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'string':
      return { type }
    case 'binary':
      return bytes
    case 'date':
      return { type: 'int', logicalType: 'date' }
    case 'time':
      return { type: 'long', logicalType: 'time-micros' }
    case 'timestamp':
    case 'timestamptz':
      return {
        type: 'long',
        logicalType: 'timestamp-micros',
        'adjust-to-utc': type === 'timestamptz',
      }
    case 'uuid':
      return { type: 'fixed', name: `uuid_${fieldId}`, size: 16, logicalType: 'uuid' }
    default: {
      const fixed = fixedLength(type)
      if (fixed !== undefined) return { type: 'fixed', name: `fixed_${fieldId}`, size: fixed }
      const [, precision, scale] = /\((\d+)\s*,\s*(\d+)\)/.exec(type) ?? []
      return {
        type: 'fixed',
        name: `decimal_${fieldId}`,
        size: decimalBytes(type),
        logicalType: 'decimal',
        precision: Number(precision),
        scale: Number(scale),
      }
    }
  }
}

/** A partition field's name in Avro. Avro's names are letters, digits and underscores; readers go by the ids. */
export function avroName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9_]/g, (c) => `_x${c.codePointAt(0)!.toString(16)}`)
  return /^[0-9]/.test(safe) ? `_${safe}` : safe
}
