"""delta-rs, through its Python package `deltalake`."""

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import (
    CommitProperties,
    DeltaTable,
    Field,
    QueryBuilder,
    Schema,
    Transaction,
    write_deltalake,
)

# It would write intervals and views that Parquet readers of other kinds do not have.
PLAIN = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}


def plain_type(type):
    if pa.types.is_struct(type):
        return pa.struct([field.with_type(plain_type(field.type)) for field in type])
    if pa.types.is_map(type):
        return pa.map_(plain_type(type.key_type), plain_type(type.item_type))
    if pa.types.is_list(type) or pa.types.is_large_list(type):
        return pa.list_(plain_type(type.value_type))
    return PLAIN.get(type, type)


def read(location, out, version=None, where=None):
    """Write the rows of a version, those for which `where` holds, to the Parquet file `out`."""
    table = DeltaTable(location, version=version)
    sql = "SELECT * FROM t" + ("" if where is None else f" WHERE {where}")
    rows = pa.table(QueryBuilder().register("t", table).execute(sql).read_all())
    schema = pa.schema([field.with_type(plain_type(field.type)) for field in rows.schema])
    pq.write_table(rows.cast(schema), out)
    return {"version": table.version(), "rows": rows.num_rows}


def transaction_version(location, app_id):
    return DeltaTable(location).transaction_version(app_id)


def version(location):
    return DeltaTable(location).version()


def create(location, columns_from, partition_by, configuration):
    schema = pq.read_schema(columns_from)
    DeltaTable.create(location, schema, partition_by=partition_by, configuration=configuration)


def append(location, rows, app_id=None, app_version=None, schema_mode=None):
    properties = (
        None
        if app_id is None
        else CommitProperties(app_transactions=[Transaction(app_id, app_version)])
    )
    write_deltalake(
        location,
        pq.read_table(rows),
        mode="append",
        schema_mode=schema_mode,
        commit_properties=properties,
    )


def overwrite(location, rows, predicate=None):
    write_deltalake(location, pq.read_table(rows), mode="overwrite", predicate=predicate)


def delete(location, where):
    return DeltaTable(location).delete(where)


def update(location, where, updates):
    return DeltaTable(location).update(predicate=where, updates=updates)


def merge(location, rows, on, delete_matched=None):
    """Upsert by the column `on`; where `delete_matched` holds, matched rows go instead."""
    merger = DeltaTable(location).merge(
        pq.read_table(rows), f"t.{on} = s.{on}", source_alias="s", target_alias="t"
    )
    if delete_matched is not None:
        merger = merger.when_matched_delete(predicate=delete_matched)
    return merger.when_matched_update_all().when_not_matched_insert_all().execute()


def add_column(location, name, type):
    DeltaTable(location).alter.add_columns([Field(name, type, nullable=True)])


def checkpoint(location):
    DeltaTable(location).create_checkpoint()


def compact_log(location, start, end):
    DeltaTable(location).compact_logs(start, end)


def optimize(location):
    return DeltaTable(location).optimize.compact()


def z_order(location, columns):
    return DeltaTable(location).optimize.z_order(columns)


def vacuum(location):
    return DeltaTable(location).vacuum(
        retention_hours=0, dry_run=False, enforce_retention_duration=False
    )


def restore(location, version):
    return DeltaTable(location).restore(version)


COMMANDS = {
    "read": read,
    "transaction_version": transaction_version,
    "version": version,
    "create": create,
    "append": append,
    "overwrite": overwrite,
    "delete": delete,
    "update": update,
    "merge": merge,
    "add_column": add_column,
    "checkpoint": checkpoint,
    "compact_log": compact_log,
    "optimize": optimize,
    "z_order": z_order,
    "vacuum": vacuum,
    "restore": restore,
}
