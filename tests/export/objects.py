"""objects: written by `headrace export --to spark` from objects.yaml."""

import argparse
import os

from pyspark.sql import SparkSession

parser = argparse.ArgumentParser()
parser.add_argument("--checkpoint", required=True, help="folder of the query's checkpoint")
args = parser.parse_args()

spark = (
    SparkSession.builder.appName("objects")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.ansi.enabled", "false")
    .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
    .getOrCreate()
)

# Differs from headrace: of a line that is an array Spark makes a row for each of its objects.
file = (
    spark.readStream.option("pathGlobFilter", os.path.basename("in/log.json"))
    .schema(os.environ.get("COLUMNS") or "a INT")
    .option("mode", "DROPMALFORMED")
    .option("lineSep", "\n")
    .json(os.path.dirname("in/log.json") or ".")
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
