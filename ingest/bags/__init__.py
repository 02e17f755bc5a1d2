"""Files of messages as rows of readings: MCAP, ROS bags, JSON lines."""
