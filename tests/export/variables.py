"""variables_test: written by `headrace export --to spark` from variables.yaml."""

# Variables everywhere; the test sets MIN, FORMAT and HALF.

import argparse
import os

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

parser = argparse.ArgumentParser()
parser.add_argument("--checkpoint", required=True, help="folder of the query's checkpoint")
args = parser.parse_args()

spark = (
    SparkSession.builder.appName("variables_" + (os.environ.get("STAGE") or "test"))
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.ansi.enabled", "false")
    .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
    .getOrCreate()
)

# Differs from headrace: ${FROM}: the program has the value that it had at the export.
kafka = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", "localhost:9092")
    .option("subscribe", (os.environ.get("TOPIC") or "web") + "-2024")
    .option("startingOffsets", "earliest")
    .option("kafka.isolation.level", "read_committed")
    .load()
    .selectExpr("CAST(key AS STRING)", "CAST(value AS STRING)", "topic", "partition", "offset", "timestamp")
)

filter_rows = kafka.where("offset > " + (os.environ.get("MIN") or "5") + " AND value LIKE '%it\\'s " + (os.environ.get("WORD") or "\"a\"") + "%' AND " + (os.environ.get("MORE") or "true"))

from_json_schema = (
    "day STRING, ms BIGINT, " + (os.environ.get("COLUMNS") or "a INT, b INT") + ", a_rather_long_name STRING, another_rather_long_name STRING"
)

# Differs from headrace: Spark reads half of a surrogate pair as ?, and keeps the first of two fields of one name where the last is bad.
# Differs from headrace: ${KEPT}: the program has the value that it had at the export.
# Differs from headrace: ${STRICT}: the program has the value that it had at the export.
from_json = (
    filter_rows.select(F.from_json("value", from_json_schema, {"mode": "PERMISSIVE"}).alias("row"), "offset")
    .select("row.*", "offset")
)

# Differs from headrace: ${AS}: the program has the value that it had at the export.
to_date = from_json.withColumn("date", F.to_date("day", os.environ.get("FORMAT") or "yyyy-MM-dd"))

with_rows = (
    to_date.withColumns(
        {
            "best": F.expr("greatest(CAST(ms AS STRING), CAST(" + (os.environ.get("MIN") or "5") + " AS STRING), '" + (os.environ.get("WORD") or "a") + "', concat('" + (os.environ.get("MIN") or "5") + "', ms))"),
            "half": F.expr((os.environ.get("HALF") or "1") + " / 2"),
        }
    )
)

# Differs from headrace: Spark wraps an integer that does not fit, or takes the nearest; here it is null.
# Differs from headrace: Spark wraps a total that does not fit BIGINT, and goes on.
# Differs from headrace: ${KEY}: a column has the name that it gave at the export.
group_by = (
    with_rows.groupBy(F.expr(os.environ.get("KEY") or "a").alias("a"), "b")
    .agg(
        F.expr("sum(" + (os.environ.get("MIN") or "5") + " + a)").alias("n"),
    )
    .orderBy("a", "b")
)

# Differs from headrace: ${EVERY}: the trigger is the one of the export.
query = (
    group_by.writeStream.format("console")
    .outputMode("complete")
    .trigger(processingTime="5 seconds")
    .option("checkpointLocation", args.checkpoint)
    .start()
)

query.awaitTermination()
