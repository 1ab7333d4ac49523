"""How a benchmark is run."""
