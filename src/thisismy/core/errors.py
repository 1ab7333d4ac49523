"""Everything that can go wrong in a way a user can do something about.

Each message is one line that names the thing, the value and the way out; a front end prints it as it is.
"""

from __future__ import annotations


class ThisIsMyError(Exception):
    """Base of every error this package raises on purpose."""


class MediaError(ThisIsMyError):
    """A file cannot be read as a video or a photo."""


class EncoderError(ThisIsMyError):
    """An encoder cannot be loaded, or cannot do what it was asked for."""


class EncoderMismatchError(ThisIsMyError):
    """Vectors of one encoder were to be used with those of another."""


class LibraryError(ThisIsMyError):
    """A library cannot be opened, read or written."""


class QueryError(ThisIsMyError):
    """A query cannot be understood."""


class TranscriptError(ThisIsMyError):
    """A transcript cannot be read or made."""


class InstanceError(ThisIsMyError):
    """An instance is unknown, ambiguous or lacks what is needed."""


class VocabularyError(ThisIsMyError):
    """A vocabulary cannot be learned, saved or loaded."""


class BenchmarkError(ThisIsMyError):
    """A benchmark folder is incomplete or a study cannot be run."""


class MissingExtraError(ThisIsMyError):
    """A feature needs a package that is an optional extra."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs the extra '{extra}': pip install 'thisismy[{extra}]'")
        self.extra = extra
