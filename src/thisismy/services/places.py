"""What the page points at, by numbers, as a place an example can be made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thisismy.core.errors import InstanceError
from thisismy.core.span import Span
from thisismy.store import browsing, catalog
from thisismy.store.examples import MediaSpan

if TYPE_CHECKING:
    from thisismy.store.folder import Store

Shares = tuple[float, float, float, float]
"""Left, top, right and bottom of a box as shares of the sides of a picture."""


class UnknownPlaceError(InstanceError):
    """There is no shot or media of a number."""


def place_of_shot(
    store: Store, shot_id: int, *, time: float | None = None, box: Shares | None = None
) -> MediaSpan:
    """A shot as a place; without a time a box belongs to the frame in its middle.

    Raises:
        UnknownPlaceError: there is no such shot.
        InstanceError: the box is not inside the picture.
    """
    with store.read() as connection:
        shot = browsing.shots_by_id(connection, [shot_id]).get(shot_id)
    if shot is None:
        raise UnknownPlaceError(f"there is no shot {shot_id} any more: look for it again")
    box = _checked(box)
    box_time = None if box is None else shot.time if time is None else time
    return MediaSpan(shot.content_hash, shot.span, box=box, box_time=box_time)


def place_in_media(
    store: Store,
    media_id: int,
    *,
    time: float | None = None,
    span: tuple[float, float] | None = None,
    box: Shares | None = None,
) -> MediaSpan:
    """A stretch of a video, the shot around an instant, or a whole photo, as a place.

    Args:
        store: the library.
        media_id: row of the video or photo.
        time: an instant, in seconds; a box belongs to its frame. Alone it means the shot around it.
        span: start and end, in seconds.
        box: where in the picture it is.

    Raises:
        UnknownPlaceError: there is no such media.
        InstanceError: neither time nor span is given, they lie outside of the video, it has no shots yet, or
            the box is not inside the picture.
    """
    box = _checked(box)
    with store.read() as connection:
        media = catalog.media_row(connection, media_id)
        if media is None:
            raise UnknownPlaceError(f"there is no video or photo number {media_id}")
        around = None if time is None else browsing.shot_at(connection, media_id, time)
    if media.kind == "photo":
        return MediaSpan(media.content_hash, Span(0, 0), box=box)
    if span is not None:
        start, end = span[0], min(span[1], media.duration)
        if not start < end:
            raise InstanceError(f"nothing is shown from {span[0]} to {span[1]} s")
        stretch = Span(start, end)
        at = stretch.middle if time is None else time
        return MediaSpan(media.content_hash, stretch, box=box, box_time=at if box else None)
    if time is None:
        raise InstanceError("a place in a video needs a time, or a start and an end")
    if around is None:
        raise InstanceError("this video has no shots yet: wait until it is indexed")
    return place_of_shot(store, around, time=time, box=box)


def _checked(box: Shares | None) -> Shares | None:
    if box is not None:
        left, top, right, bottom = box
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise InstanceError("a box is left, top, right, bottom as shares from 0 to 1, and not empty")
    return box
