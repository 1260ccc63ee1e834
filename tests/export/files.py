"""files: written by `headrace export --to spark` from files.yaml."""

import argparse
import os

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

parser = argparse.ArgumentParser()
parser.add_argument("--checkpoint", required=True, help="folder of the query's checkpoint")
args = parser.parse_args()

spark = (
    SparkSession.builder.appName("files")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.ansi.enabled", "false")
    .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
    .getOrCreate()
)

kafka = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", "localhost:9092")
    .option("subscribe", "web")
    .option("startingOffsets", "latest")
    .option("kafka.isolation.level", "read_committed")
    .load()
    .selectExpr("CAST(key AS STRING)", "CAST(value AS STRING)", "topic", "partition", "offset", "timestamp")
)

# Differs from headrace: Spark lets bare NaN and Infinity through, and text behind the object.
# Differs from headrace: Spark reads half of a surrogate pair as ?, and keeps the first of two fields of one name where the last is bad.
from_json = (
    kafka.select(F.from_json("value", "page STRING, ms BIGINT", {"mode": "FAILFAST", "allowSingleQuotes": "false"}).alias("row"))
    .select("row.*")
)

# Differs from headrace: Spark cuts files by its partitions, not by rotate_bytes or rotate_age.
rows = (
    from_json.writeStream.format("json")
    .option("path", (os.environ.get("OUT") or "out") + "/rows")
    .option("ignoreNullFields", False)
    .outputMode("append")
    .trigger(processingTime="60 seconds")
    .option("checkpointLocation", args.checkpoint + "/rows")
    .start()
)

table = (
    from_json.writeStream.format("csv")
    .option("path", "out/table")
    .option("header", True)
    .option("escape", '"')
    .option("ignoreLeadingWhiteSpace", False)
    .option("ignoreTrailingWhiteSpace", False)
    .outputMode("append")
    .trigger(processingTime="60 seconds")
    .option("checkpointLocation", args.checkpoint + "/table")
    .start()
)

running = [rows, table]
while running:
    spark.streams.awaitAnyTermination()
    spark.streams.resetTerminated()
    for query in running:
        if not query.isActive:
            query.awaitTermination()  # raises what it failed with
    running = [query for query in running if query.isActive]
