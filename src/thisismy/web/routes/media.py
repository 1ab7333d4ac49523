"""Lists of shots and files, and everything about one video."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Query

from thisismy.core.errors import MediaError
from thisismy.media.playback import SEGMENT_SECONDS, SEGMENT_TYPE, segments_of
from thisismy.media.sprites import COLUMNS, ROWS, plan_sprites
from thisismy.store.catalog import CatalogEntry
from thisismy.web import presenters, responses
from thisismy.web.error_handlers import NotFoundError
from thisismy.web.requests import MediaId
from thisismy.web.state import AppState, AppStateDep

router = APIRouter(prefix="/api", tags=["media"])

Offset = Annotated[int, Query(ge=0, le=2**31, description="Place of the first item.")]
Limit = Annotated[int, Query(ge=1, le=500, description="Items wanted.")]


@router.get("/shots", summary="All shots of the library")
def list_shots(
    app: AppStateDep,
    offset: Offset = 0,
    limit: Limit = 100,
    sort: Annotated[Literal["path", "date"], Query(description="By path, or newest first.")] = "path",
) -> responses.Window[responses.Shot]:
    """In windows, so that a list of any length scrolls."""
    order = app.library.files.shot_order(sort)
    shown = presenters.show_shots(app, order[offset : offset + limit])
    return responses.Window(total=len(order), offset=offset, items=shown)


@router.get("/media", summary="All files of the library")
def list_media(
    app: AppStateDep,
    offset: Offset = 0,
    limit: Limit = 100,
    state: Annotated[
        Literal["indexed", "pending", "failed", "missing"] | None, Query(description="Only in this state.")
    ] = None,
    text: Annotated[str, Query(max_length=500, description="Only paths with this in them.")] = "",
) -> responses.Window[responses.File]:
    """In order of path; ``state=failed`` lists what could not be indexed and why."""
    wanted = text.casefold()
    entries = [
        entry
        for entry in app.library.files.all()
        if state in (None, entry.state) and (not wanted or wanted in entry.path.casefold())
    ]
    window = entries[offset : offset + limit]
    hashes = app.library.files.hashes(entry.media_id for entry in window if entry.media_id is not None)
    items = [
        responses.File(**presenters.file_fields(entry, hashes.get(entry.media_id or -1))) for entry in window
    ]
    return responses.Window(total=len(entries), offset=offset, items=items)


@router.get("/media/{media_id}", summary="One video or photo")
def show_media(app: AppStateDep, media_id: MediaId) -> responses.Media:
    """What it is, how a browser plays it, and its neighbours in order of path."""
    entries = app.library.files.all()
    entry, digest = find_media(app, media_id, entries)
    order = [item.media_id for item in entries if item.media_id and item.state != "missing"]
    order = list(dict.fromkeys(order))
    at = order.index(media_id)
    play, fallback = _how_to_play(app, entry, digest)
    return responses.Media(
        **presenters.file_fields(entry, digest),
        hash=digest,
        transcribed=app.library.transcripts.has(media_id),
        play=play,
        play_fallback=fallback,
        previous=order[at - 1] if at else None,
        next=order[at + 1] if at + 1 < len(order) else None,
    )


@router.get("/media/{media_id}/shots", summary="The shots of one media")
def list_media_shots(
    app: AppStateDep,
    media_id: MediaId,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=5000, description="Shots wanted.")] = 1000,
) -> responses.Window[responses.Shot]:
    """In order of time."""
    find_media(app, media_id)
    found = app.library.files.shots_of(media_id, offset, limit)
    items = [responses.Shot(**presenters.shot_fields(app, shot)) for shot in found.shots]
    return responses.Window(total=found.total, offset=offset, items=items)


@router.get("/media/{media_id}/transcript", summary="What is said in one video")
def show_transcript(app: AppStateDep, media_id: MediaId) -> responses.Transcript:
    """404 while there is none; a "transcribe" job makes it."""
    find_media(app, media_id)
    found = app.library.transcripts.of_media(media_id)
    if found is None:
        raise NotFoundError("this video has no transcript yet")
    return responses.Transcript(
        language=found.language,
        source=found.source,
        segments=[
            responses.Segment(
                start=segment.span.start,
                end=segment.span.end,
                text=segment.text,
                speaker=segment.speaker,
                words=[
                    responses.Word(
                        text=word.text, start=word.span.start, end=word.span.end, probability=word.probability
                    )
                    for word in segment.words
                ],
            )
            for segment in found.segments
        ],
    )


@router.get("/media/{media_id}/sprites", summary="Tiny pictures for a time line")
def show_sprites(app: AppStateDep, media_id: MediaId) -> responses.Sprites:
    """Picture i is in sheet ``i // 100``, at column ``i % 10`` and row ``i % 100 // 10``."""
    entry, digest = find_media(app, media_id)
    if entry.kind != "video":
        raise NotFoundError("a photo has no time line")
    plan = plan_sprites(entry.duration or 0.0, entry.width or 1, entry.height or 1)
    sheets = [f"/media/{media_id}/sprites/{n}.jpg?v={digest[:8]}" for n in range(plan.sheets)]
    return responses.Sprites(
        interval=plan.interval,
        width=plan.width,
        height=plan.height,
        columns=COLUMNS,
        rows=ROWS,
        count=plan.count,
        sheets=sheets,
    )


@router.get("/media/{media_id}/instances", summary="What was named in one media")
def list_named(app: AppStateDep, media_id: MediaId) -> responses.Listing[responses.NamedHere]:
    """Examples of all instances, for marks on the time line."""
    _, digest = find_media(app, media_id)
    items = [
        responses.NamedHere(
            instance_id=instance.id,
            name=instance.name,
            example_id=example.id,
            state=cast("responses.State", example.state),
            start=example.span.start,
            end=example.span.end,
            box=example.box,
            box_time=example.box_time,
        )
        for instance, example in app.library.instances.in_content(digest)
    ]
    return responses.Listing(items=items)


@router.get("/categories", summary="Categories that begin as typed")
def list_categories(
    app: AppStateDep, q: Annotated[str, Query(max_length=80, description="What was typed.")] = ""
) -> responses.Listing[str]:
    """Those in use first, then the usual ones."""
    from thisismy.mining.categories import COCO_CATEGORIES

    used = sorted({item.category for item in app.library.instances.all() if item.category})
    every = dict.fromkeys([*used, *COCO_CATEGORIES])
    return responses.Listing(items=[name for name in every if name.casefold().startswith(q.casefold())][:20])


def find_media(
    app: AppState, media_id: int, entries: list[CatalogEntry] | None = None
) -> tuple[CatalogEntry, str]:
    """The first file on disk of a media, and its content.

    Raises:
        NotFoundError: there is no such media, or it is gone from disk.
    """
    if entries is None:
        entries = app.library.files.holding(media_id)
    entry = next((e for e in entries if e.media_id == media_id and e.state != "missing"), None)
    if entry is None:
        raise NotFoundError(f"there is no video or photo number {media_id}, or it is gone from disk")
    return entry, app.library.files.hashes([media_id])[media_id]


def _how_to_play(
    app: AppState, entry: CatalogEntry, digest: str
) -> tuple[responses.Play, responses.Play | None]:
    if entry.kind == "photo":
        shown = entry.path.lower().endswith((".jpg", ".jpeg", ".jpe", ".png", ".webp"))
        original = f"/media/{entry.media_id}/file"
        large = presenters.frame_url(entry.media_id or 0, digest, None, 1920)
        return responses.Play(how="photo", url=original if shown else large), None
    duration = entry.duration or 0.0
    pieces = responses.Play(
        how="segments",
        type=SEGMENT_TYPE,
        seconds=SEGMENT_SECONDS,
        count=len(segments_of(duration)),
        duration=duration,
        template=f"/media/{entry.media_id}/segments/{{n}}.mp4?v={digest[:8]}",
    )
    try:
        direct = presenters.plays_itself(app, digest, entry.path, entry.video_codec, entry.audio_codec)
    except MediaError:
        direct = False
    if direct:
        return responses.Play(how="file", url=f"/media/{entry.media_id}/file"), pieces
    return pieces, pieces
