/*
 * Which librdkafka properties a pipeline file may set.
 *
 * 1. Those under the prefixes below; everything else is headrace's own: offsets, isolation, transactions.
 * 2. Among them those that run code or replace parts of the library are refused.
 * 3. What stands in sasl.kerberos.* goes into a command line that librdkafka gives to a shell (kinit): only values of
 *    harmless characters are taken.
 * 4. Values may be secrets: no message repeats one.
 */
#include "sources/kafka_config.h"

#include <string.h>
#include <time.h>

static const char *const allowed[] = {
    "security.", "ssl.", "sasl.", "enable.ssl.", "client.", "socket.", "broker.", "reconnect.", "metadata.",
    "topic.metadata.", "fetch.", "queued.", "receive.message.", "message.", "max.in.flight", "compression.",
    "linger.ms", "batch.", "queue.buffering.", "request.", "retries", "retry.", "connections.", "check.crcs",
    "api.version.", "delivery.timeout.ms", "debug", "log_level", "partitioner", "sticky.", NULL,
};
static const char *const refused[] = {"ssl.engine.", "ssl.providers", "sasl.kerberos.kinit.cmd", "sasl.oauthbearer.method",
                                      "ssl_", NULL};

static bool begins_with_any(const char *name, const char *const *prefix) {
    for (; *prefix; prefix++)
        if (!strncmp(name, *prefix, strlen(*prefix))) return true;
    return false;
}

static bool is_harmless(const char *value) {
    static const char ok[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/@-";
    return *value != '-' && value[strspn(value, ok)] == '\0';
}

void kafka_pause(int ms) {
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

bool kafka_check_name(struct hr_bind *b, const char *const *option, const char *what) {
    return **option || hr_fault(b, option, "%s is empty", what);
}

bool kafka_config_check(struct hr_bind *b, const struct hr_map *config) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool ok = true;
    for (int i = 0; i < config->n; i++) {
        const struct hr_map_item *item = &config->item[i];
        struct hr_sql at = {item->name, item->place};
        char why[8]; /* librdkafka's own text repeats the value */
        if (begins_with_any(item->name, refused)) ok = hr_fault(b, &at, "config: '%s' is refused: it can run code", item->name);
        else if (!begins_with_any(item->name, allowed)) ok = hr_fault(b, &at, "config: '%s' is not for a pipeline file to set", item->name);
        else if (!strncmp(item->name, "sasl.kerberos.", 14) && !is_harmless(item->value.s))
            ok = hr_fault(b, &at, "config: '%s' may hold letters, digits and . _ / @ - only, as a shell will see it", item->name);
        else
            switch (rd_kafka_conf_set(conf, item->name, item->value.s, why, sizeof why)) {
            case RD_KAFKA_CONF_UNKNOWN: ok = hr_fault(b, &at, "config: librdkafka has no property '%s'", item->name); break;
            case RD_KAFKA_CONF_INVALID: ok = hr_fault(b, &at, "config: librdkafka does not take this value for '%s'", item->name); break;
            default: break;
            }
    }
    rd_kafka_conf_destroy(conf);
    return ok;
}

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, struct hr_error *err) {
    char why[512];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK) return true;
    return hr_fail(err, HR_EFAIL, "kafka: librdkafka refuses '%s'", name);
}

/* librdkafka's lines go where all others go; those about single connections come as errors anyway. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
    (void)rk;
    if (!strcmp(facility, "GETPID")) return;     /* tried again; what lasts comes back as a failed delivery */
    if (level <= 4 && strcmp(facility, "FAIL") && strcmp(facility, "ERROR")) hr_log(HR_WARN, "kafka: %s", text);
    else if (level == 7) hr_log(HR_INFO, "kafka: %s", text);
}

rd_kafka_conf_t *kafka_config_new(const char *brokers, const struct hr_map *config, const struct kafka_property *own,
                                  struct hr_error *err) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool ok = set(conf, "client.id", "headrace", err) && set(conf, "log.connection.close", "false", err);
    for (int i = 0; ok && i < config->n; i++) ok = set(conf, config->item[i].name, config->item[i].value.s, err);
    for (; ok && own->name; own++) ok = set(conf, own->name, own->value, err);
    ok = ok && set(conf, "bootstrap.servers", brokers, err);
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (ok) return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}
