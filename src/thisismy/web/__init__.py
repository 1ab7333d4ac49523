"""The local page and the interface for programs behind it."""
