"""A real Kafka and a real TimescaleDB of one's own, and the supervisor that runs everything beside them."""
