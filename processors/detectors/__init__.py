"""One file a kind of detector: pure, over a shard's matrix of robots by slots."""
