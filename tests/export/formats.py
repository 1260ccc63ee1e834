"""formats: written by `headrace export --to spark` from formats.yaml."""

# What is read from and written to files.

import argparse
import os

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

parser = argparse.ArgumentParser()
parser.add_argument("--checkpoint", required=True, help="folder of the query's checkpoint")
args = parser.parse_args()

spark = (
    SparkSession.builder.appName("formats")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.ansi.enabled", "false")
    .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
    .getOrCreate()
)

file_schema = (
    "_corrupt_record STRING, `a b` STRING, m STRING, _bad_record STRING"
)

# Differs from headrace: text behind a closing quote, or a quote that is never closed, is a field to Spark.
# Differs from headrace: where lines end with CRLF, Spark makes an LF of one within quotes.
file = (
    spark.readStream.option("pathGlobFilter", os.path.basename("in/*.csv"))
    .schema(file_schema)
    .option("header", False)
    .option("enforceSchema", False)
    .option("multiLine", True)
    .option("escape", '"')
    .option("nullValue", "\0")  # so that only a field without quotes is null
    .option("sep", ";")
    .option("columnNameOfCorruptRecord", "_bad_record")
    .csv(os.path.dirname("in/*.csv") or ".")
    .where("IF(_bad_record IS NULL AND (`a b` IS NULL OR CAST(`a b` AS INT) IS NOT NULL) AND (m IS NULL OR CAST(m AS DECIMAL(12,8)) IS NOT NULL), true, raise_error('a bad record'))")
    .selectExpr(
        "_corrupt_record",
        "CAST(`a b` AS INT) AS `a b`",
        "CAST(m AS DECIMAL(12,8)) AS m",
    )
)

query = (
    file
    .withColumn("m", F.expr("format_number(m, '0.00000000')"))
    .writeStream.format("csv")
    .option("path", "out")
    .option("header", True)
    .option("escape", '"')
    .option("ignoreLeadingWhiteSpace", False)
    .option("ignoreTrailingWhiteSpace", False)
    .outputMode("append")
    .trigger(availableNow=True)
    .option("checkpointLocation", args.checkpoint)
    .start()
)

query.awaitTermination()
