"""Rows of the library as the page sees them: with URLs instead of places on disk to open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from thisismy.media.playback import plays_in_browsers
from thisismy.web import responses

if TYPE_CHECKING:
    from thisismy.retrieval.results import Hit
    from thisismy.store.browsing import ShotRow
    from thisismy.store.catalog import CatalogEntry
    from thisismy.store.instances import Example, Instance
    from thisismy.web.state import AppState

PREVIEW_SECONDS = 12.0
"""Longest preview; a hover is over before."""


def frame_url(media_id: int, digest: str, time: float | None, size: int = 320) -> str:
    """Where a picture of a media is; ``v`` makes it another URL when the number means another content."""
    at = "" if time is None else f"t={time:.3f}&"
    return f"/media/{media_id}/frame.jpg?{at}size={size}&v={digest[:8]}"


def _version(shot: ShotRow) -> str:
    """Another text whenever the number of a shot means something else, say in a library made again."""
    span = shot.span
    return f"{shot.content_hash[:8]}-{round(span.start * 1000)}-{round(span.end * 1000)}"


def plays_itself(app: AppState, digest: str, path: str, video: str | None, audio: str | None) -> bool:
    """Whether the file itself can be given to a browser; each content is looked at once."""
    known = app.playable.get(digest)
    if known is None:
        known = app.playable[digest] = plays_in_browsers(Path(path), video, audio)
    return known


def preview_of(app: AppState, shot: ShotRow) -> dict[str, Any]:
    """URL of a muted preview, and where in it the shot is."""
    if shot.kind == "photo":
        return {"preview": None, "preview_start": 0.0, "preview_end": 0.0}
    start, end = shot.span.start, min(shot.span.end, shot.span.start + PREVIEW_SECONDS)
    if plays_itself(app, shot.content_hash, shot.path, shot.video_codec, shot.audio_codec):
        url = f"/media/{shot.media_id}/file#t={start:.3f},{end:.3f}"
        return {"preview": url, "preview_start": start, "preview_end": end}
    url = f"/media/{shot.media_id}/preview.mp4?start={start:.3f}&end={end:.3f}&v={shot.content_hash[:8]}"
    return {"preview": url, "preview_start": 0.0, "preview_end": end - start}


def shot_fields(app: AppState, shot: ShotRow, time: float | None = None) -> dict[str, Any]:
    """The fields of `responses.Shot`, for shapes that have more."""
    at = shot.time if time is None else time
    return {
        "shot_id": shot.id,
        "media_id": shot.media_id,
        "kind": shot.kind,
        "name": Path(shot.path).name,
        "path": shot.path,
        "created": shot.created,
        "start": shot.span.start,
        "end": shot.span.end,
        "time": at,
        "picture": frame_url(shot.media_id, shot.content_hash, None if shot.kind == "photo" else at),
        **preview_of(app, shot),
        "strip": None if shot.kind == "photo" else f"/media/shots/{shot.id}/strip.jpg?v={_version(shot)}",
    }


def show_shots(app: AppState, shot_ids: Sequence[int]) -> list[responses.Shot]:
    """Shots by their rows; those that are gone are left out."""
    return [responses.Shot(**shot_fields(app, shot)) for shot in app.library.files.shots(shot_ids)]


def show_hits(app: AppState, hits: Sequence[Hit], names: Sequence[str]) -> list[responses.Hit]:
    """What a search found."""
    known = {shot.id: shot for shot in app.library.files.shots([hit.shot_id for hit in hits])}
    return [
        responses.Hit(
            **shot_fields(app, known[hit.shot_id], hit.best_time),
            rank=hit.rank,
            score=hit.score,
            relevance=hit.relevance,
            instance=hit.instance,
            context=hit.context,
            fits=hit.context_percentile,
            probability=hit.probability,
            box=hit.box,
            evidence=[responses.Evidence(**asdict(one)) for one in hit.evidence],
            why=_why(hit, names),
            also=hit.also,
            similar=[
                responses.Similar(media_id=p.media_id, shot_id=p.shot_id, start=p.span.start, end=p.span.end)
                for p in hit.similar
            ],
        )
        for hit in hits
        if hit.shot_id in known
    ]


def _why(hit: Hit, names: Sequence[str]) -> str:
    share = f"{100 * hit.relevance:.1f} %"
    if hit.instance is None:
        return f"fits better than {share} of pairs that have nothing to do with each other"
    sure = f"{share} sure that it shows {' and '.join(names)}"
    fits = hit.context_percentile
    return sure if fits is None else f"{sure}; {fits:.0%} of the library fits the other words less"


def show_instances(app: AppState, instances: Iterable[Instance]) -> list[responses.Instance]:
    """Instances with a picture of each."""
    learned = app.library.learning.states()
    shown = list(instances)
    best = app.library.instances.representatives(shown)
    return [
        responses.Instance(
            **_instance_fields(instance, best.get(instance.id), learned.get(instance.name, "never"))
        )
        for instance in shown
    ]


def _instance_fields(instance: Instance, best: Example | None, learned: str) -> dict[str, Any]:
    fields = ("id", "name", "kind", "category", "category_by", "confirmed", "proposed", "rejected")
    return {
        **{key: getattr(instance, key) for key in fields},
        "aliases": list(instance.aliases),
        "learned": learned,
        "picture": example_url(best) if best is not None else None,
    }


def example_url(example: Example, *, crop: bool = False) -> str:
    """Where the picture of an example is."""
    version = f"{example.content_hash[:8]}{round(example.span.start * 1000)}"
    return f"/media/examples/{example.id}.jpg?size=320&v={version}{'&crop=true' if crop else ''}"


def show_examples(app: AppState, instance: Instance, examples: Sequence[Example]) -> list[responses.Example]:
    """Examples with where they are seen."""
    shots = app.library.files.shots_covering([(example.content_hash, example.span) for example in examples])
    return [
        _show_example(app, instance, example, shot) for example, shot in zip(examples, shots, strict=True)
    ]


def _show_example(
    app: AppState, instance: Instance, example: Example, shot: ShotRow | None
) -> responses.Example:
    preview = {"preview": None, "preview_start": 0.0, "preview_end": 0.0}
    return responses.Example(
        id=example.id,
        instance_id=instance.id,
        state=cast("responses.State", example.state),
        decided_by=cast("Literal['user', 'job']", example.decided_by),
        origin=example.origin,
        score=example.score,
        box=example.box,
        box_time=example.box_time,
        start=example.span.start,
        end=example.span.end,
        media_id=shot.media_id if shot else None,
        shot_id=shot.id if shot else None,
        name=Path(shot.path).name if shot else None,
        kind="video" if example.span.duration else "photo",
        picture=example_url(example),
        crop=example_url(example, crop=True) if example.box else None,
        **(preview_of(app, shot) if shot else preview),
    )


def file_fields(entry: CatalogEntry, digest: str | None) -> dict[str, Any]:
    """The fields of `responses.File`."""
    fields = {key: getattr(entry, key) for key in responses.File.model_fields if hasattr(entry, key)}
    seen = entry.media_id is not None and digest is not None and entry.state != "missing"
    picture = frame_url(cast(int, entry.media_id), cast(str, digest), None) if seen else None
    return {**fields, "name": Path(entry.path).name, "notes": list(entry.notes), "picture": picture}
