/* librdkafka's properties as those of the Java client, for `headrace export`. */
#include "sources/kafka_config.h"

#include <string.h>

static const struct { const char *name, *java; } known[] = {
    {"security.protocol", "security.protocol"}, {"sasl.mechanisms", "sasl.mechanism"}, {"sasl.mechanism", "sasl.mechanism"},
    {"ssl.ca.location", "ssl.truststore.location"}, {"client.id", "client.id"}, {"client.rack", "client.rack"},
    {"fetch.min.bytes", "fetch.min.bytes"}, {"fetch.max.bytes", "fetch.max.bytes"}, {"fetch.wait.max.ms", "fetch.max.wait.ms"},
    {"linger.ms", "linger.ms"}, {"compression.type", "compression.type"}, {"compression.codec", "compression.type"},
    {"delivery.timeout.ms", "delivery.timeout.ms"}, {"connections.max.idle.ms", "connections.max.idle.ms"},
};

static const char *java_name(const char *name) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].name, name)) return known[i].java;
    return NULL;
}

static const struct hr_map_item *find(const struct hr_map *config, const char *name) {
    for (int i = 0; i < config->n; i++)
        if (!strcmp(config->item[i].name, name)) return &config->item[i];
    return NULL;
}

/* A password that stands in the file is not copied. */
static const char *password(struct hr_spark *s, const struct hr_sql *value) {
    const char *python = hr_spark_option(s, value);
    if (strcmp(python, hr_spark_string(s, value->s))) return python;
    hr_spark_note(s, "the program reads the password from the variable KAFKA_PASSWORD");
    return "os.environ[\"KAFKA_PASSWORD\"]";
}

static bool put_login(struct hr_spark *s, const struct hr_map *config) {
    const struct hr_map_item *user = find(config, "sasl.username"), *secret = find(config, "sasl.password"),
                             *mechanism = find(config, "sasl.mechanisms");
    if (!mechanism) mechanism = find(config, "sasl.mechanism");
    if (!user && !secret) return true;
    if (!user || !secret) return hr_spark_refuse(s, user ? &user->value : &secret->value, "sasl.username and sasl.password go together");
    bool scram = mechanism && !strncmp(mechanism->value.s, "SCRAM-", 6);
    return hr_spark_put(s, "\n.option(\n    \"kafka.sasl.jaas.config\",\n    'org.apache.kafka.common.security.%s required username=\"%%s\" password=\"%%s\";'\n"
                        "    %% tuple(text.replace(\"\\\\\", \"\\\\\\\\\").replace('\"', '\\\\\"') for text in (%s, %s)),\n)", scram ? "scram.ScramLoginModule" : "plain.PlainLoginModule",
                        hr_spark_option(s, &user->value), password(s, &secret->value));
}

bool kafka_spark_config(struct hr_spark *s, const struct hr_map *config) {
    bool ok = true;
    for (int i = 0; i < config->n; i++) {
        const struct hr_map_item *item = &config->item[i];
        const char *java = java_name(item->name);
        bool security = !strncmp(item->name, "ssl.", 4) || !strncmp(item->name, "sasl.", 5) || !strncmp(item->name, "enable.ssl.", 11);
        if (!strcmp(item->name, "sasl.username") || !strcmp(item->name, "sasl.password")) continue;
        if (java) hr_spark_put(s, "\n.option(\"kafka.%s\", %s)", java, hr_spark_option(s, &item->value));
        else if (security) ok = hr_spark_refuse(s, &item->value, "the Java client has no '%s'", item->name);
        else hr_spark_note(s, "'%s' tunes librdkafka, and is left out", item->name);
        if (!strcmp(item->name, "ssl.ca.location")) hr_spark_put(s, "\n.option(\"kafka.ssl.truststore.type\", \"PEM\")");
    }
    return ok && put_login(s, config);
}
