"""Which files a search may look at: by path, date and duration."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from thisismy.core.errors import QueryError

if TYPE_CHECKING:
    from thisismy.store.catalog import CatalogEntry


@dataclass(frozen=True)
class Filters:
    """All that are set must hold.

    Attributes:
        path: a glob over the whole path (``*/holidays/*.mp4``), or plain text that the path must contain.
        after: first day that counts, by the date the file says it was made on.
        before: first day that no longer counts.
        min_duration, max_duration: seconds of the video, 0 or more; a photo has 0.
        kind: "video" or "photo".
        media_id: one media of the library.
    """

    path: str | None = None
    after: date | None = None
    before: date | None = None
    min_duration: float | None = None
    max_duration: float | None = None
    kind: str | None = None
    media_id: int | None = None

    def __post_init__(self) -> None:
        if self.after and self.before and self.after >= self.before:
            raise QueryError(f"nothing can be after {self.after} and before {self.before}")
        low, high = self.min_duration, self.max_duration
        for seconds in (low, high):
            if seconds is not None and not (math.isfinite(seconds) and seconds >= 0):
                raise QueryError(f"a duration is 0 seconds or more, not {seconds}")
        if low is not None and high is not None and low > high:
            raise QueryError(f"nothing can last at least {low} s and at most {high} s")

    @property
    def any(self) -> bool:
        """Whether anything is filtered at all."""
        return self != Filters()

    def media_ids(self, entries: Iterable[CatalogEntry]) -> set[int]:
        """Media with at least one file on disk that passes."""
        return {
            entry.media_id
            for entry in entries
            if entry.media_id is not None and entry.state != "missing" and self._passes(entry)
        }

    def _passes(self, entry: CatalogEntry) -> bool:
        if self.kind not in (None, entry.kind) or self.media_id not in (None, entry.media_id):
            return False
        if self.path is not None and not _matches(entry.path, self.path):
            return False
        if self.after or self.before:
            if entry.created is None:
                return False
            made = datetime.fromisoformat(entry.created).date()
            if (self.after and made < self.after) or (self.before and made >= self.before):
                return False
        duration = entry.duration or 0.0
        if self.min_duration is not None and duration < self.min_duration:
            return False
        return self.max_duration is None or duration <= self.max_duration


NO_FILTERS = Filters()
"""Every file counts."""


def _matches(path: str, pattern: str) -> bool:
    if any(mark in pattern for mark in "*?["):
        return fnmatch.fnmatchcase(path.lower(), pattern.lower()) or fnmatch.fnmatchcase(
            path.lower(), f"*{pattern.lower()}"
        )
    return pattern.lower() in path.lower()


def parse_day(text: str) -> date:
    """A day from ``2024``, ``2024-07`` or ``2024-07-31``; the first day of a year or month.

    Raises:
        QueryError: it is none of these.
    """
    parts = text.split("-")
    try:
        numbers = [int(part) for part in parts]
        return date(*[*numbers, 1, 1][:3]) if 1 <= len(parts) <= 3 else date.fromisoformat(text)
    except (ValueError, TypeError):
        raise QueryError(f"{text!r} is not a day: write 2024, 2024-07 or 2024-07-31") from None
