-- How far each partition of a topic has landed. $1: the topic.
SELECT partition, next_offset FROM landed WHERE topic = $1
