"""What is learned once for many instances."""
