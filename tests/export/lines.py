"""lines: written by `headrace export --to spark` from lines.yaml."""

import argparse
import os

from pyspark.sql import SparkSession

parser = argparse.ArgumentParser()
parser.add_argument("--checkpoint", required=True, help="folder of the query's checkpoint")
args = parser.parse_args()

spark = (
    SparkSession.builder.appName("lines")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.ansi.enabled", "false")
    .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
    .getOrCreate()
)

file = (
    spark.readStream.option("pathGlobFilter", os.path.basename("in/log.txt"))
    .option("lineSep", "\n")
    .text(os.path.dirname("in/log.txt") or ".")
    .selectExpr("IF(endswith(value, '\\r'), left(value, length(value) - 1), value) AS value")
)

query = (
    file.writeStream.format("json")
    .option("path", "out")
    .option("ignoreNullFields", False)
    .outputMode("append")
    .trigger(processingTime="5 seconds")
    .option("checkpointLocation", args.checkpoint)
    .start()
)

query.awaitTermination()
