"""What travels and what is stored, and its columnar form. Pure: no I/O, imports nothing of ours."""
