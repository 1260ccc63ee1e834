"""comments: written by `headrace export --to spark` from comments.yaml."""

# top
# behind version
# before name
# behind name
# behind limits
# within limits
# behind memory

import argparse

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

parser = argparse.ArgumentParser()
parser.add_argument("--checkpoint", required=True, help="folder of the query's checkpoint")
args = parser.parse_args()

spark = (
    SparkSession.builder.appName("comments")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.ansi.enabled", "false")
    .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
    .getOrCreate()
)

# before source
# behind source
# before kafka
# behind kafka
# within kafka
# behind topic
kafka = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", "localhost:9092")
    .option("subscribe", "web")
    .option("startingOffsets", "latest")
    .option("kafka.isolation.level", "read_committed")
    .load()
    .selectExpr("CAST(key AS STRING)", "CAST(value AS STRING)", "topic", "partition", "offset", "timestamp")
)

# before operators
# behind operators
# before filter
# behind filter
filter_rows = kafka.where("offset > 1")

# before second filter
# behind second filter
second = filter_rows.where("value <> '# no comment'")

# behind from_json
# within from_json
# behind strict
# behind schema
# Differs from headrace: Spark reads half of a surrogate pair as ?, and keeps the first of two fields of one name where the last is bad.
from_json = (
    second.select(F.from_json("value", "a INT, b STRING", {"mode": "PERMISSIVE"}).alias("row"))
    .select("row.*")
)

# before with
# behind with
# Differs from headrace: Spark wraps an integer that does not fit, or takes the nearest; here it is null.
with_rows = (
    from_json.withColumns(
        {
            "c": F.expr("a + 1"),
        }
    )
)

# before sink
# behind sink
# behind console
# behind truncate
# before trigger
# behind trigger
# the end
query = (
    with_rows.writeStream.format("console")
    .option("truncate", False)
    .outputMode("append")
    .trigger(processingTime="5 seconds")
    .option("checkpointLocation", args.checkpoint)
    .start()
)

query.awaitTermination()
