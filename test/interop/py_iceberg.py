"""PyIceberg, with a catalog in a SQLite file for the tables that it writes itself."""

import os
import warnings

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import (
    And,
    EqualTo,
    GreaterThan,
    GreaterThanOrEqual,
    IsNull,
    LessThan,
    LessThanOrEqual,
)
from pyiceberg.table import StaticTable
from pyiceberg.transforms import parse_transform
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DoubleType,
    LongType,
    StringType,
    TimestampType,
    TimestamptzType,
)

warnings.filterwarnings("ignore")

WIDER = {"int": LongType(), "float": DoubleType()}


def plain_type(type):
    if pa.types.is_struct(type):
        return pa.struct([field.with_type(plain_type(field.type)) for field in type])
    if pa.types.is_map(type):
        return pa.map_(plain_type(type.key_type), plain_type(type.item_type))
    if pa.types.is_list(type) or pa.types.is_large_list(type):
        return pa.list_(plain_type(type.value_type))
    if pa.types.is_large_string(type):
        return pa.string()
    if pa.types.is_large_binary(type):
        return pa.binary()
    return type


def write_rows(scan, out):
    rows = scan.to_arrow()
    schema = pa.schema([field.with_type(plain_type(field.type)) for field in rows.schema])
    pq.write_table(rows.cast(schema), out)


OPERATORS = {
    "=": EqualTo,
    "<": LessThan,
    "<=": LessThanOrEqual,
    ">": GreaterThan,
    ">=": GreaterThanOrEqual,
}


def condition(schema, column, operator, text):
    if text is None:
        return IsNull(column)
    type = schema.find_field(column).field_type
    if isinstance(type, BinaryType):
        value = bytes.fromhex(text)
    elif isinstance(type, BooleanType):
        value = text == "true"
    elif isinstance(type, (TimestampType, TimestamptzType)):
        value = text.replace(" ", "T").replace("+00", "+00:00")
    else:
        value = text
    return OPERATORS[operator](column, value)


def read_metadata(metadata, out, snapshot=None, where=None):
    """Write the rows of a snapshot, those for which `where` holds, to the Parquet file `out`."""
    table = StaticTable.from_metadata(metadata)
    options = {} if snapshot is None else {"snapshot_id": int(snapshot)}
    if where is not None:
        options["row_filter"] = condition(table.schema(), *where)
    write_rows(table.scan(**options), out)


catalogs = {}


def catalog_of(warehouse):
    if warehouse not in catalogs:
        os.makedirs(warehouse, exist_ok=True)
        uri = f"sqlite:///{warehouse}/catalog.db"
        catalogs[warehouse] = SqlCatalog("c", uri=uri, warehouse=f"file://{warehouse}")
        catalogs[warehouse].create_namespace_if_not_exists("db")
    return catalogs[warehouse]


def load(warehouse, table):
    return catalog_of(warehouse).load_table(f"db.{table}")


def read(warehouse, table, out):
    write_rows(load(warehouse, table).scan(), out)


def partition(table, fields):
    """`fields` are pairs of a column and a transform."""
    with table.update_spec() as update:
        for field in table.spec().fields:
            update.remove_field(field.name)
    with table.update_spec() as update:
        for number, (column, transform) in enumerate(fields):
            update.add_field(column, parse_transform(transform), f"p{table.spec().spec_id}_{number}")


def create(warehouse, table, columns_from, partition_by, properties):
    made = catalog_of(warehouse).create_table(
        f"db.{table}", pq.read_schema(columns_from), properties=properties
    )
    if partition_by:
        partition(made, partition_by)


def repartition(warehouse, table, partition_by):
    partition(load(warehouse, table), partition_by)


def append(warehouse, table, rows):
    load(warehouse, table).append(pq.read_table(rows))


def overwrite(warehouse, table, rows, keys=None):
    if keys is None:
        load(warehouse, table).overwrite(pq.read_table(rows))
    else:
        where = And(GreaterThanOrEqual("k", keys[0]), LessThan("k", keys[1]))
        load(warehouse, table).overwrite(pq.read_table(rows), overwrite_filter=where)


def delete(warehouse, table, keys):
    where = And(GreaterThanOrEqual("k", keys[0]), LessThan("k", keys[1]))
    load(warehouse, table).delete(delete_filter=where)


def upsert(warehouse, table, rows):
    load(warehouse, table).upsert(pq.read_table(rows), join_cols=["k"])


def add_column(warehouse, table, name):
    with load(warehouse, table).update_schema() as update:
        update.add_column((name,), StringType())


def rename_column(warehouse, table, old, new):
    with load(warehouse, table).update_schema() as update:
        update.rename_column((old,), new)


def drop_column(warehouse, table, name):
    with load(warehouse, table).update_schema() as update:
        update.delete_column((name,))


def widen_column(warehouse, table, name):
    loaded = load(warehouse, table)
    type = WIDER[str(loaded.schema().find_field(name).field_type)]
    with loaded.update_schema() as update:
        update.update_column((name,), field_type=type)


def move_first(warehouse, table, name):
    with load(warehouse, table).update_schema() as update:
        update.move_first((name,))


COMMANDS = {
    function.__name__: function
    for function in (
        read_metadata,
        read,
        create,
        repartition,
        append,
        overwrite,
        delete,
        upsert,
        add_column,
        rename_column,
        drop_column,
        widen_column,
        move_first,
    )
}
