"""names: written by `headrace export --to spark` from names.yaml."""

# Names that meet: variables that the program makes, and ids.

import argparse
import os

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

parser = argparse.ArgumentParser()
parser.add_argument("--checkpoint", required=True, help="folder of the query's checkpoint")
args = parser.parse_args()

spark = (
    SparkSession.builder.appName("names")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.ansi.enabled", "false")
    .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
    .getOrCreate()
)

open_rows = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", "localhost:9092")
    .option("subscribe", "web")
    .option("startingOffsets", "latest")
    .option("kafka.isolation.level", "read_committed")
    .option("kafka.security.protocol", "SASL_SSL")
    .option(
        "kafka.sasl.jaas.config",
        'org.apache.kafka.common.security.plain.PlainLoginModule required username="%s" password="%s";'
        % tuple(text.replace("\\", "\\\\").replace('"', '\\"') for text in (os.environ.get("USER_OF_WEB") or "me", os.environ.get("SECRET") or "x")),
    )
    .load()
    .selectExpr("CAST(key AS STRING)", "CAST(value AS STRING)", "topic", "partition", "offset", "timestamp")
)

__debug___rows = (
    open_rows.withColumns(
        {
            "row": F.expr("offset"),
            "Row1": F.expr("offset"),
        }
    )
)

x_schema_2 = (
    "page STRING, ms BIGINT, a_rather_long_name STRING, another_rather_long_name STRING"
)

# Differs from headrace: Spark lets bare NaN and Infinity through, and text behind the object.
# Differs from headrace: Spark reads half of a surrogate pair as ?, and keeps the first of two fields of one name where the last is bad.
x = (
    __debug___rows.select(F.from_json("value", x_schema_2, {"mode": "PERMISSIVE", "allowSingleQuotes": "false"}).alias("row2"), "row", "Row1")
    .select("row2.*", "row", "Row1")
)

filter_rows_2 = x.where("ms > 2")

filter_rows = (
    filter_rows_2.select(
        F.expr("ms").alias("ms"),
    )
)

x_schema = (
    filter_rows.select(
        F.expr("ms").alias("ms"),
    )
)

query_rows = (
    filter_rows_2.writeStream.format("console")
    .outputMode("append")
    .trigger(processingTime="5 seconds")
    .option("checkpointLocation", args.checkpoint + "/query")
    .start()
)

F_rows = (
    filter_rows.writeStream.format("console")
    .outputMode("append")
    .trigger(processingTime="5 seconds")
    .option("checkpointLocation", args.checkpoint + "/F")
    .start()
)

SparkSession_rows = (
    x_schema.writeStream.format("console")
    .outputMode("append")
    .trigger(processingTime="5 seconds")
    .option("checkpointLocation", args.checkpoint + "/SparkSession")
    .start()
)

running = [query_rows, F_rows, SparkSession_rows]
while running:
    spark.streams.awaitAnyTermination()
    spark.streams.resetTerminated()
    for query in running:
        if not query.isActive:
            query.awaitTermination()  # raises what it failed with
    running = [query for query in running if query.isActive]
