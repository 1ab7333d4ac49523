"""What every room may use: errors, spans, progress, paths, files written whole."""
