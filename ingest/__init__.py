"""Robot to Kafka to TimescaleDB: recordings and simulation, screening, COPY, landing."""
