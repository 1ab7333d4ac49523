"""Bytes by number: original files in ranges, pictures, and pieces of videos made on demand."""

from __future__ import annotations

import math
import mimetypes
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from PIL import Image
from starlette.concurrency import run_in_threadpool

from thisismy.core.span import Span
from thisismy.media.playback import segments_of, write_segment
from thisismy.media.sprites import draw_sheet, draw_strip, plan_sprites
from thisismy.media.thumbnails import shrunk, thumbnail
from thisismy.store.examples import picture_of
from thisismy.web.artifact_cache import nearest_size, save_jpeg
from thisismy.web.error_handlers import NotFoundError
from thisismy.web.requests import MediaId, PieceNumber, RowId
from thisismy.web.state import AppState, AppStateDep

if TYPE_CHECKING:
    from thisismy.media.pictures import Picture
    from thisismy.store.catalog import MediaRow
    from thisismy.store.examples import ExampleSource

_Route = TypeVar("_Route", bound=Callable[..., Any])

router = APIRouter(prefix="/media", tags=["bytes"])

FOREVER = {"cache-control": "private, max-age=31536000, immutable"}
"""Pictures are asked for with a ``v`` that changes with the content."""

PREVIEW_SIDE = 240
"""Pixels of the shorter side of a preview."""

Size = Annotated[
    int, Query(ge=16, le=4096, description="Pixels of the longer side, rounded up to a kept size.")
]
Version = Annotated[str, Query(max_length=64, description="Any text; another one is fetched again.")]


def _kind(*types: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {name: {} for name in types}, "description": "The bytes."}}


def _made(path: str, summary: str, kind: str) -> Callable[[_Route], _Route]:
    """A route that answers with a file that is made when it is first asked for."""
    return router.get(path, summary=summary, response_class=FileResponse, responses=_kind(kind))


async def _cached(app: AppState, out: Path, make: Callable[[Path], None]) -> FileResponse:
    """What is kept at ``out``; ``make`` writes it where it is not."""
    await app.make(partial(app.artifacts.get, out, make))
    return FileResponse(out, media_type=mimetypes.guess_type(out.name)[0], headers=FOREVER)


@router.head("/{media_id}/file", include_in_schema=False)
@router.get(
    "/{media_id}/file",
    summary="The original file",
    response_class=FileResponse,
    responses={
        **_kind("video/*", "image/*"),
        206: {"description": "The range asked for."},
        416: {"description": "The range lies outside of the file."},
    },
)
def original(app: AppStateDep, media_id: MediaId) -> FileResponse:
    """Answers ``Range``, ``If-Range`` and ``HEAD``, so that players can go to any second."""
    _, path = _media(app, media_id)
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if not kind.startswith(("video/", "image/")):
        kind = "application/octet-stream"
    return FileResponse(path, media_type=kind, headers={"cache-control": "private, no-cache"})


@_made("/{media_id}/frame.jpg", "One picture of a video or photo", "image/jpeg")
async def frame(
    app: AppStateDep,
    media_id: MediaId,
    t: Annotated[
        float | None, Query(ge=0, le=10**7, description="Second; without it, a telling picture.")
    ] = None,
    size: Size = 320,
    v: Version = "",
) -> FileResponse:
    """The frame on screen at that second, upright; made once and kept."""
    media, path = await run_in_threadpool(_media, app, media_id)
    pixels = nearest_size(size)
    out = app.artifacts.path("frames", ".jpg", media.content_hash, "" if t is None else f"{t:.3f}", pixels)

    def draw(target: Path) -> None:
        save_jpeg(Image.fromarray(thumbnail(path, t, pixels)), target)

    return await _cached(app, out, draw)


@_made("/{media_id}/segments/{number}.mp4", "A piece of a video that any browser plays", "video/mp4")
async def segment(app: AppStateDep, media_id: MediaId, number: PieceNumber, v: Version = "") -> FileResponse:
    """Piece n shows ``[n * 6, (n + 1) * 6)`` seconds, as a fragmented MP4 whose own time starts at 0."""
    media, path = await run_in_threadpool(_media, app, media_id)
    spans = segments_of(media.duration)
    if number >= len(spans):
        raise NotFoundError(f"there is no piece {number} of a video of {media.duration:.1f} s")
    span = spans[number]
    out = app.artifacts.path("segments", ".mp4", media.content_hash, number)
    return await _cached(app, out, partial(write_segment, path, span))


@_made("/{media_id}/preview.mp4", "A short silent stretch of a video", "video/mp4")
async def preview(
    app: AppStateDep,
    media_id: MediaId,
    start: Annotated[float, Query(ge=0, le=10**7, description="From this second.")],
    end: Annotated[float, Query(ge=0, le=10**7, description="To this second; at most 12 more.")],
    v: Version = "",
) -> FileResponse:
    """For videos that a browser cannot play by itself."""
    media, path = await run_in_threadpool(_media, app, media_id)
    span = Span(start, max(start + 0.04, min(end, start + 12.0)))
    out = app.artifacts.path("previews", ".mp4", media.content_hash, f"{span.start:.3f}-{span.end:.3f}")

    def cut(target: Path) -> None:
        write_segment(path, span, target, sound=False, side=PREVIEW_SIDE)

    return await _cached(app, out, cut)


@_made("/{media_id}/sprites/{number}.jpg", "One sheet of tiny pictures", "image/jpeg")
async def sprites(app: AppStateDep, media_id: MediaId, number: PieceNumber, v: Version = "") -> FileResponse:
    """Up to 100 pictures in rows of 10, see ``/api/media/{media_id}/sprites``."""
    media, path = await run_in_threadpool(_media, app, media_id)
    plan = plan_sprites(media.duration, media.width, media.height)
    if media.kind != "video" or not 0 <= number < plan.sheets:
        raise NotFoundError(f"there is no sheet {number} of this file")
    out = app.artifacts.path("sprites", ".jpg", media.content_hash, number)

    def draw(target: Path) -> None:
        save_jpeg(draw_sheet(path, plan, number), target, quality=70)

    return await _cached(app, out, draw)


@_made("/shots/{shot_id}/strip.jpg", "Eight pictures of a shot side by side", "image/jpeg")
async def strip(app: AppStateDep, shot_id: RowId, v: Version = "") -> FileResponse:
    """In order of time and of equal size, so that a page can play a shot without decoding a video."""
    found = await run_in_threadpool(app.library.files.shots, [shot_id])
    if not found or found[0].kind != "video":
        raise NotFoundError(f"there is no shot {shot_id} of a video")
    shot = found[0]
    media, path = await run_in_threadpool(_media, app, shot.media_id)
    out = app.artifacts.path(
        "strips", ".jpg", media.content_hash, f"{shot.span.start:.3f}-{shot.span.end:.3f}"
    )

    def draw(target: Path) -> None:
        save_jpeg(draw_strip(path, shot.span), target, quality=75)

    return await _cached(app, out, draw)


@_made("/examples/{example_id}.jpg", "The picture of an example", "image/jpeg")
async def example_picture(
    app: AppStateDep,
    example_id: RowId,
    size: Size = 320,
    crop: Annotated[bool, Query(description="Only what is inside the box.")] = False,
    v: Version = "",
) -> FileResponse:
    """The frame its box was drawn on, else the one in the middle; or the photo that is kept of it."""
    source = await run_in_threadpool(_example, app, example_id)
    example = source.example
    pixels = nearest_size(size)
    box = example.box if crop else None
    place = (example.content_hash, example.span.start, example.span.end, example.box_time, box)
    out = app.artifacts.path("examples", ".jpg", *place, pixels)

    def draw(target: Path) -> None:
        # A box may be small: its part is cut from a large picture.
        picture = _picture(source, pixels if box is None else 1920)
        if box is not None:
            picture = _inside(picture, box)
        save_jpeg(Image.fromarray(shrunk(picture, pixels)), target)

    return await _cached(app, out, draw)


def _media(app: AppState, media_id: int) -> tuple[MediaRow, Path]:
    found = app.library.files.media(media_id)
    if found is None or found.path is None:
        raise NotFoundError(f"there is no video or photo number {media_id}, or it is gone from disk")
    if not found.path.is_file():
        raise NotFoundError(f"{found.path.name} is gone from disk")
    return found, found.path


def _example(app: AppState, example_id: int) -> ExampleSource:
    found = app.library.instances.example_source(example_id)
    if found is None:
        raise NotFoundError(f"there is no example number {example_id}")
    if found.jpeg is None and (found.path is None or not found.path.is_file()):
        raise NotFoundError("the file of this example is gone from disk")
    return found


def _picture(source: ExampleSource, pixels: int) -> Picture:
    example, path = source.example, source.path
    if path is not None and path.is_file():
        time = example.span.middle if example.box_time is None else example.box_time
        return thumbnail(path, time if example.span.duration else None, pixels)
    return picture_of(source.jpeg or b"")


def _inside(picture: Picture, box: tuple[float, float, float, float]) -> Picture:
    height, width = picture.shape[:2]
    left, top = (min(int(share * side), side - 1) for share, side in ((box[0], width), (box[1], height)))
    right, bottom = math.ceil(box[2] * width), math.ceil(box[3] * height)
    return picture[top : max(top + 1, bottom), left : max(left + 1, right)]
