"""several: written by `headrace export --to spark` from several.yaml."""

# The totals on the console, and what changed of them to Kafka.

import argparse

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

parser = argparse.ArgumentParser()
parser.add_argument("--checkpoint", required=True, help="folder of the query's checkpoint")
args = parser.parse_args()

spark = (
    SparkSession.builder.appName("several")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.ansi.enabled", "false")
    .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
    .getOrCreate()
)

web = (
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
visits = (
    web.select(F.from_json("value", "page STRING, ms BIGINT", {"mode": "PERMISSIVE", "allowSingleQuotes": "false"}).alias("row"))
    .select("row.*")
)

# Differs from headrace: Spark wraps a total that does not fit BIGINT, and goes on.
pages = (
    visits.groupBy("page")
    .agg(
        F.expr("count(*)").alias("visits"),
        F.expr("sum(ms)").alias("ms"),
    )
)

to_json = pages.withColumn("value", F.to_json(F.struct("page", "visits")))

console = (
    pages.writeStream.format("console")
    .outputMode("complete")
    .trigger(availableNow=True)
    .option("checkpointLocation", args.checkpoint + "/console")
    .start()
)

# Keyed by page.
# Differs from headrace: Spark's Kafka sink may write an epoch twice after a failure.
changes = (
    to_json.select(F.col("page").alias("key"), "value")
    .writeStream.format("kafka")
    .option("kafka.bootstrap.servers", "localhost:9092")
    .option("topic", "changes")
    .outputMode("update")
    .trigger(availableNow=True)
    .option("checkpointLocation", args.checkpoint + "/changes")
    .start()
)

running = [console, changes]
while running:
    spark.streams.awaitAnyTermination()
    spark.streams.resetTerminated()
    for query in running:
        if not query.isActive:
            query.awaitTermination()  # raises what it failed with
    running = [query for query in running if query.isActive]
