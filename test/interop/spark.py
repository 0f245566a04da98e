"""Apache Spark with Delta Lake and Iceberg; the settings come from the toolset `spark`."""

import shutil

from pyspark.sql import SparkSession

# Every table has a few rows: compiling code for a query would take longer than running it.
QUICK = {
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.log.level": "ERROR",
    # It has the names of its own properties only; the codec is one of Delta's on other engines.
    "spark.databricks.delta.allowArbitraryProperties.enabled": "true",
    # So that vacuum may remove files at once.
    "spark.databricks.delta.retentionDurationCheck.enabled": "false",
}
spark = SparkSession.builder.config(map=QUICK).getOrCreate()


def run(sql):
    """Run statements in order."""
    for statement in sql:
        spark.sql(statement).collect()


def query(sql, out):
    """Write the rows of a query to the Parquet file `out`."""
    rows = spark.sql(sql)
    folder = out + ".folder"
    rows.coalesce(1).write.mode("overwrite").parquet(folder)
    [file] = (path for path in list_files(folder) if path.endswith(".parquet"))
    shutil.move(file, out)
    shutil.rmtree(folder)


def list_files(folder):
    import os

    return [os.path.join(folder, name) for name in os.listdir(folder)]


def view(name, rows):
    """Make the rows of a Parquet file a temporary view."""
    spark.read.parquet(rows).createOrReplaceTempView(name)


def configure(settings):
    for name, value in settings.items():
        spark.conf.set(name, value)


COMMANDS = {"run": run, "query": query, "view": view, "configure": configure}
