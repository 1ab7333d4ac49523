"""The verbs: what the command line and Python programs do with a library, one method each."""

from thisismy.verbs.library import Library

__all__ = ["Library"]
