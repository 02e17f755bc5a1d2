"""What is frozen around an incident, and what it points to."""
