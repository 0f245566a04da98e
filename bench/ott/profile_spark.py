"""The content profile in PySpark, written by itself: the same job for the same files, for comparison of results and of time.

profile_spark.py CONTENT_FOLDER OUT_FOLDER  prints one line of JSON: seconds, rows
"""

import json
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

CATEGORIES = {
    "Truyen Hinh": ["CHANNEL", "DSHD", "KPLUS", "KPlus"],
    "Phim Truyen": ["VOD", "FIMS_RES", "BHD_RES", "VOD_RES", "FIMS", "BHD", "DANET"],
    "Giai Tri": ["RELAX"],
    "Thieu Nhi": ["CHILD"],
    "The Thao": ["SPORT"],
}
FIELDS = ["Contract", "Mac", "TotalDuration", "AppName"]


def text(name):
    return T.StructField(name, T.StringType())


def main(folder, out):
    spark = (
        SparkSession.builder.master("local[2]")
        .appName("ott")
        .config("spark.driver.memory", "3g")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.sql.ansi.enabled", "false")
        .getOrCreate()
    )
    start = time.monotonic()
    schema = T.StructType([text("_id"), *map(text, FIELDS), T.StructField("_source", T.StructType([*map(text, FIELDS)]))])
    lines = spark.read.schema(schema).json(f"{folder}/*.json*").withColumn(
        "day", F.regexp_extract(F.input_file_name(), r"(\d{8})\.json", 1)
    )
    views = lines.select(
        "_id",
        "day",
        *[F.coalesce(F.col(f"_source.{name}"), F.col(name)).alias(name) for name in FIELDS],
    )
    duration = F.col("TotalDuration").cast("long")
    views = views.withColumn("seconds", duration).where(duration.between(0, 86_400))
    # A record without an id is nobody's duplicate.
    once = F.coalesce("_id", F.expr("uuid()"))
    views = views.withColumn("once", once).dropDuplicates(["day", "once"])
    category = F.lit(None).cast("string")
    for name, apps in CATEGORIES.items():
        category = F.when(F.col("AppName").isin(apps), F.lit(name)).otherwise(category)
    views = (
        views.withColumn("category", category)
        .where(F.col("category").isNotNull())
        .where(F.col("Contract").isNotNull() & ~F.col("Contract").isin("0", "", "NULL"))
    )
    totals = views.groupBy("Contract").agg(
        *[
            F.coalesce(F.sum(F.when(F.col("category") == name, F.col("seconds"))), F.lit(0)).alias(name)
            for name in CATEGORIES
        ],
        F.countDistinct("day").cast("int").alias("Active"),
    )
    most = F.lit(None).cast("string")
    greatest = F.greatest(*[F.col(name) for name in CATEGORIES])
    for name in reversed(CATEGORIES):
        most = F.when(F.col(name) == greatest, F.lit(name)).otherwise(most)
    taste = F.concat_ws("-", *[F.when(F.col(name) > 0, F.lit(name)) for name in CATEGORIES])
    profile = totals.withColumn("MostWatch", F.when(greatest > 0, most)).withColumn(
        "Taste", F.when(greatest > 0, taste)
    )
    profile.write.mode("overwrite").json(out)
    seconds = time.monotonic() - start
    print(json.dumps({"seconds": seconds}))
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
