// A ready alert consumer: whom to call, and when it is over. Copy it, and replace `tell`. With a JDK from 17 on, and
// the libraries of a Kafka distribution, or kafka-clients and jackson-databind with what they need:
//
//     java -cp 'kafka_2.13-4.4.0/libs/*' Alerts.java 127.0.0.1:9092 my-alerts
//
// It does what alerts.py beside it does, and says there why.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class Alerts implements ConsumerRebalanceListener {
    record Due(long atMs, String episode, TopicPartition partition, long offset) {}

    private static final ObjectMapper JSON = new ObjectMapper();
    private final long waitMs;
    private final Map<String, JsonNode> latest = new HashMap<>();
    // Episodes that a parent speaks for, whether or not they have said so.
    private final Set<String> adopted = new HashSet<>();
    // Whether somebody was called for it; null: nobody knows, it began before we did.
    private final Map<String, Boolean> called = new HashMap<>();
    private final Deque<Due> due = new ArrayDeque<>();

    Alerts(long waitMs) {
        this.waitMs = waitMs;
    }

    void take(ConsumerRecord<byte[], byte[]> message) {
        try {
            JsonNode value = JSON.readTree(message.value());
            if (message.topic().equals("fleet.actions")) {
                takeAction(value);
            } else {
                takeAlert(value, message);
            }
        } catch (IOException | RuntimeException error) {
            System.err.println("passed over " + message.topic() + " " + message.partition() + " " + message.offset()
                + " " + error);
        }
    }

    private void takeAction(JsonNode action) {
        String episode = action.path("episode_id").asText();
        switch (action.get("kind").asText()) {
            case "adopt" -> adopted.add(episode);
            case "release" -> adopted.remove(episode);
            default -> {}
        }
    }

    private void takeAlert(JsonNode alert, ConsumerRecord<byte[], byte[]> message) {
        String episode = alert.get("episode_id").asText();
        JsonNode before = latest.get(episode);
        long number = alert.get("number").asLong();
        // A repeat has a number that we have seen: the same event again.
        if (before == null || number > before.get("number").asLong()) {
            latest.put(episode, alert);
            if (!called.containsKey(episode)) {
                called.put(episode, number == 1 ? Boolean.FALSE : null);
            }
        }
        TopicPartition partition = new TopicPartition(message.topic(), message.partition());
        due.add(new Due(message.timestamp() + waitMs, episode, partition, message.offset()));
    }

    /** Tell what is due; the offsets to commit. */
    Map<TopicPartition, OffsetAndMetadata> decide(long nowMs) {
        Map<TopicPartition, OffsetAndMetadata> done = new HashMap<>();
        while (!due.isEmpty() && due.peek().atMs() <= nowMs) {
            Due one = due.remove();
            done.put(one.partition(), new OffsetAndMetadata(one.offset() + 1));
            JsonNode alert = latest.get(one.episode());
            boolean calls = alert.get("state").asText().equals("unacknowledged_active")
                && alert.get("parent").asText().isEmpty()
                && !adopted.contains(one.episode());
            if (!Objects.equals(calls, called.put(one.episode(), calls))) {
                tell(calls, alert);
            }
        }
        return done;
    }

    /** Yours. The episode is the key: calling twice, or ending what nobody was called for, must not matter. */
    static void tell(boolean calls, JsonNode alert) {
        String what = calls ? "CALL" : "OVER (" + alert.get("state").asText() + ")";
        System.out.println(String.join(" ", what, alert.get("robot_id").asText(), alert.get("component").asText(),
            alert.get("episode_id").asText(), alert.get("text").asText()));
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        // Another consumer reads again what was not decided on.
        due.clear();
        latest.clear();
        adopted.clear();
        called.clear();
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}

    public static void main(String[] args) throws Exception {
        Alerts alerts = new Alerts(args.length > 2 ? Math.round(1000 * Double.parseDouble(args[2])) : 10_000);
        Map<String, Object> settings = Map.of(
            "bootstrap.servers", args[0],
            "group.id", args[1],
            "auto.offset.reset", "earliest",
            "enable.auto.commit", "false",
            "session.timeout.ms", "10000",
            "key.deserializer", ByteArrayDeserializer.class.getName(),
            "value.deserializer", ByteArrayDeserializer.class.getName());
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings)) {
            consumer.subscribe(List.of("fleet.anomalies", "fleet.actions"), alerts);
            while (true) {
                for (ConsumerRecord<byte[], byte[]> message : consumer.poll(Duration.ofMillis(200))) {
                    alerts.take(message);
                }
                boolean behind = consumer.assignment().stream().anyMatch(p -> consumer.currentLag(p).orElse(0) > 0);
                if (!behind) {
                    // Of fleet.actions none: after a restart it is read again, for who has been adopted.
                    consumer.commitSync(alerts.decide(System.currentTimeMillis()));
                }
            }
        }
    }
}
