"""What every room may use: errors, spans, progress."""
