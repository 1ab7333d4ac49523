"""Vectors ready to be searched."""
