"""The one honest table: benchmarks, protocols, metrics and reports."""
