"""everything: written by `headrace export --to spark` from everything.yaml."""

# A job with some of everything.
# It has comments everywhere.

import argparse
import json
import os

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

parser = argparse.ArgumentParser()
parser.add_argument("--checkpoint", required=True, help="folder of the query's checkpoint")
args = parser.parse_args()

spark = (
    SparkSession.builder.appName("everything")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.ansi.enabled", "false")
    .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
    .getOrCreate()
)

# Orders come from two
# shops.
# one topic
# Differs from headrace: Spark wants an offset for every partition of the topic.
# Differs from headrace: 'queued.min.messages' tunes librdkafka, and is left out.
# Differs from headrace: the program reads the password from the variable KAFKA_PASSWORD.
kafka = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", (os.environ.get("KAFKA_BROKERS") or "localhost:9092") + ",spare:9092")
    .option("subscribe", "orders")
    .option("startingOffsets", json.dumps({"orders": {"0": 17, "1": 4}}))
    .option("failOnDataLoss", False)
    .option("kafka.isolation.level", "read_committed")
    .option("kafka.security.protocol", "SASL_SSL")
    .option("kafka.sasl.mechanism", "SCRAM-SHA-512")
    .option("kafka.ssl.truststore.location", os.environ.get("CA") or "/ca.pem")
    .option("kafka.ssl.truststore.type", "PEM")
    .option(
        "kafka.sasl.jaas.config",
        'org.apache.kafka.common.security.scram.ScramLoginModule required username="%s" password="%s";'
        % tuple(text.replace("\\", "\\\\").replace('"', '\\"') for text in ("me", os.environ["KAFKA_PASSWORD"])),
    )
    .load()
    .selectExpr("CAST(key AS STRING)", "CAST(value AS STRING)", "topic", "partition", "offset", "timestamp")
)

# Bad records are left out.
# really
from_json_schema = (
    "id BIGINT, shop STRING, `amount due` DECIMAL(10,2), day STRING, note STRING, "
    "_corrupt_record STRING"
)

# Differs from headrace: Spark reads half of a surrogate pair as ?, and keeps the first of two fields of one name where the last is bad.
# Differs from headrace: Spark reads a decimal in text with commas.
from_json = (
    kafka.select(F.from_json("value", from_json_schema, {"mode": "PERMISSIVE"}).alias("row"), "offset", "timestamp")
    .select("row.*", "offset", "timestamp")
    .where("_corrupt_record IS NULL")
    .drop("_corrupt_record")
)

to_date = (
    from_json.where(F.col("day").isNull() | F.to_date("day", "MM-dd-yy").isNotNull())
    .withColumn("day", F.to_date("day", "MM-dd-yy"))
)

# net of tax
with_rows = (
    to_date.withColumns(
        {
            "net": F.expr("`amount due` * 0.81"),
            "shop": F.expr("coalesce(shop, 'it\\'s none # no comment')"),
        }
    )
)

filter_rows = with_rows.where("net > 0 AND note IS NOT NULL")

# Differs from headrace: Spark may turn one letter into two, as ß into SS.
# Differs from headrace: Spark gives null for a total whose sum was too large on the way.
group_by = (
    filter_rows.groupBy(F.expr("upper(shop)").alias("shop"), "day")
    .agg(
        F.expr("count(*)").alias("orders"),
        F.expr("count(note)").alias("notes"),
        F.expr("sum(net)").alias("total"),
        F.expr("avg(id)").alias("mean"),
        F.expr("min(day)").alias("first"),
        F.expr("max(timestamp)").alias("last"),
    )
)

select = (
    group_by.select(
        F.expr("shop").alias("shop"),
        F.expr("day").alias("day"),
        F.expr("total / orders").alias("total / orders"),
        F.expr("`mean`").alias("mean"),
    )
)

# To see what happens.
# twice a second
# The end.
query = (
    select.writeStream.format("console")
    .option("numRows", 100)
    .outputMode("update")
    .trigger(processingTime="500 milliseconds")
    .option("checkpointLocation", args.checkpoint)
    .start()
)

query.awaitTermination()
