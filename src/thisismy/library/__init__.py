"""The store: what is known of every file, kept in one folder, and the jobs that fill it."""
