"""What people read: the questions they ask of the database."""
