"""The datasets: one reader per file, and the registry of all of them."""
