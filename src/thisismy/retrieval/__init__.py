"""Read a query, score a gallery, rank."""
