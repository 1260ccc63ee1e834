import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;

/**
 * The invoice job in Kafka Streams: InvoiceStreams BOOTSTRAP TOPIC APPLICATION-ID STATE-DIR RECORDS
 *
 * Two threads, everything else at its default, the state in RocksDB with its changelog. The topic is not keyed by
 * seller, so the totals go through a repartition topic, as they must here. A Streams program never ends by itself: this
 * one does when RECORDS records were added up, and then prints its store. The date is not read: the totals don't need it,
 * and the planners of the others leave it out too.
 */
public final class InvoiceStreams {
    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Invoice {
        public int SellerID;
        public double InvoiceTotal_amount;
        public double tax_amount;
    }

    record Amounts(double sales, double tax) {
        Amounts plus(Amounts other) {
            return new Amounts(sales + other.sales, tax + other.tax);
        }
    }

    static final Serde<Amounts> AMOUNTS = Serdes.serdeFrom(
        (topic, a) -> a == null ? null : ByteBuffer.allocate(16).putDouble(a.sales).putDouble(a.tax).array(),
        (topic, bytes) -> {
            if (bytes == null) return null;
            ByteBuffer from = ByteBuffer.wrap(bytes);
            return new Amounts(from.getDouble(), from.getDouble());
        });

    static final ObjectReader INVOICE = new ObjectMapper().readerFor(Invoice.class);

    static KeyValue<Integer, Amounts> read(byte[] json) {
        try {
            Invoice invoice = INVOICE.readValue(json);
            return KeyValue.pair(invoice.SellerID, new Amounts(invoice.InvoiceTotal_amount, invoice.tax_amount));
        } catch (IOException e) {
            throw new IllegalArgumentException(e);
        }
    }

    public static void main(String[] args) throws Exception {
        String topic = args[1];
        long records = Long.parseLong(args[4]);
        AtomicLong added = new AtomicLong();
        CountDownLatch done = new CountDownLatch(1);

        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(topic, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
            .map((key, json) -> read(json))
            .groupByKey(Grouped.with("seller", Serdes.Integer(), AMOUNTS))
            .aggregate(() -> new Amounts(0, 0), (seller, invoice, total) -> {
                if (added.incrementAndGet() == records) done.countDown();
                return total.plus(invoice);
            }, Materialized.<Integer, Amounts, KeyValueStore<Bytes, byte[]>>as("totals")
                .withKeySerde(Serdes.Integer()).withValueSerde(AMOUNTS));

        Properties config = new Properties();
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, args[2]);
        config.put(StreamsConfig.STATE_DIR_CONFIG, args[3]);
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        try (KafkaStreams streams = new KafkaStreams(builder.build(), config)) {
            streams.start();
            done.await();
            PrintStream out = new PrintStream(System.out, false);
            try (KeyValueIterator<Integer, Amounts> all = streams.store(StoreQueryParameters.fromNameAndType(
                    "totals", QueryableStoreTypes.<Integer, Amounts>keyValueStore())).all()) {
                all.forEachRemaining(row -> out.println(row.key + "|" + row.value.sales + "|" + row.value.tax));
            }
            out.flush();
        }
    }
}
