"""Finding moments, completing names, saving hits."""

from __future__ import annotations

import io
import shutil
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, File, Query, UploadFile
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from thisismy.core.errors import QueryError
from thisismy.retrieval.filters import Filters, parse_day
from thisismy.retrieval.options import SearchOptions, pooling_of
from thisismy.web import presenters, responses
from thisismy.web.error_handlers import NotFoundError
from thisismy.web.requests import Export, Feedback, SearchFields
from thisismy.web.state import AppState, AppStateDep
from thisismy.web.uploads import picture_of_upload

if TYPE_CHECKING:
    from thisismy.media.pictures import Picture

router = APIRouter(prefix="/api", tags=["search"])

Fields = Annotated[SearchFields, Query()]


@router.get("/search", summary="Find moments by words, names, and shots like or unlike")
def search(app: AppStateDep, fields: Fields) -> responses.Answer:
    """Everything that is set must hold; an instance that changed since it was learned is learned first."""
    if not fields.q.strip() and not fields.like:
        raise QueryError("nothing to look for: type some words, or take a shot to find more like it")
    return _answer(app, fields)


@router.post("/search/photo", summary="Find moments by a photo")
async def search_photo(
    app: AppStateDep,
    fields: Fields,
    photo: Annotated[UploadFile, File(description="JPEG, PNG, WebP or HEIC.")],
) -> responses.Answer:
    """With words, both must fit; the photo is looked at and not kept."""
    picture = await picture_of_upload(app, photo)
    return await run_in_threadpool(_answer, app, fields, [picture])


@router.get("/said", summary="Find where something is said")
def said(
    app: AppStateDep,
    q: Annotated[str, Query(min_length=1, max_length=200, description="Words in a row.")],
    k: Annotated[int, Query(ge=1, le=500, description="Places wanted.")] = 50,
) -> responses.PhraseHits:
    """In transcripts, whatever case and punctuation; by file and time."""
    places = app.library.transcripts.find(q, k)
    digests = app.library.files.hashes({place.media_id for place in places})
    items = [
        responses.PhraseHit(
            **asdict(place),
            name=Path(place.path).name,
            picture=presenters.frame_url(place.media_id, digests[place.media_id], place.start),
        )
        for place in places
    ]
    return responses.PhraseHits(items=items, phrase=q)


@router.get("/complete", summary="Names that match what was typed")
def complete(
    app: AppStateDep,
    q: Annotated[str, Query(max_length=200, description="What was typed; empty lists the best known.")] = "",
    limit: Annotated[int, Query(ge=1, le=50, description="Names wanted.")] = 8,
) -> responses.Listing[responses.Completion]:
    """The beginning of a word of a name or alias counts more than its inside."""
    found = app.library.instances.complete(q, limit)
    shown = presenters.show_instances(app, [instance for instance, _ in found])
    return responses.Listing(
        items=[
            responses.Completion(
                id=item.id, name=item.name, matched=matched, category=item.category, picture=item.picture
            )
            for item, (_, matched) in zip(shown, found, strict=True)
        ]
    )


@router.post("/feedback", summary="Say whether a hit shows an instance")
def feedback(app: AppStateDep, body: Feedback) -> responses.Instance:
    """A rejected shot is never shown again for that name; null takes back what was said."""
    app.instance(body.instance_id)
    app.library.instances.label(body.instance_id, {body.shot_id: body.state})
    return presenters.show_instances(app, [app.instance(body.instance_id)])[0]


@router.post(
    "/export",
    summary="Save hits as clips, as one picture, or as a list",
    response_class=FileResponse,
    responses={200: {"content": {"application/zip": {}, "image/png": {}, "text/csv": {}, "text/plain": {}}}},
)
async def export(app: AppStateDep, body: Export) -> FileResponse:
    """One file in the order given; what could not be cut is listed in ``failed.txt`` of the archive."""
    folder = Path(tempfile.mkdtemp(prefix="thisismy-export-"))
    try:
        made = await run_in_threadpool(_export, app, body, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    away = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(made, filename=made.name, media_type=_TYPES[made.suffix], background=away)


_TYPES = {".zip": "application/zip", ".png": "image/png", ".csv": "text/csv", ".edl": "text/plain"}


def _answer(app: AppState, fields: SearchFields, pictures: Sequence[Picture] = ()) -> responses.Answer:
    began = time.perf_counter()
    result = app.library.search.find(
        fields.q,
        images=pictures,
        like=fields.like,
        unlike=fields.unlike,
        options=_options(fields),
        filters=_filters(fields),
    )
    hits = presenters.show_hits(app, result.hits, result.names)
    if fields.sort == "date":
        hits.sort(key=lambda hit: (hit.created is not None, hit.created or "", -hit.start), reverse=True)
    return responses.Answer(
        query=result.query,
        read=result.read,
        names=[responses.NamedIn(id=app.library.instances.get(n).id, name=n) for n in result.names],
        remarks=list(result.remarks),
        searched=result.searched,
        milliseconds=round((time.perf_counter() - began) * 1000, 1),
        hits=hits,
        nearest=presenters.show_hits(app, result.nearest, result.names),
    )


def _options(fields: SearchFields) -> SearchOptions:
    return SearchOptions(
        k=fields.k,
        pooling=pooling_of(fields.by),
        cutoff=fields.cutoff,
        fold=fields.fold,
        misses=fields.misses,
    )


def _filters(fields: SearchFields) -> Filters:
    return Filters(
        path=fields.path or None,
        after=parse_day(fields.after) if fields.after else None,
        before=parse_day(fields.before) if fields.before else None,
        min_duration=fields.min_duration,
        max_duration=fields.max_duration,
        kind=fields.kind,
        media_id=fields.media,
    )


def _export(app: AppState, body: Export, folder: Path) -> Path:
    from thisismy.retrieval.export import export_hits

    hits = app.library.search.score(body.query, body.shots)
    if not hits:
        raise NotFoundError("none of these shots is in the library any more: search again")
    if body.what == "sheet":
        export_hits(body.query, hits, sheet=folder / "hits.png")
        return folder / "hits.png"
    if body.what != "clips":
        table = folder / f"hits.{body.what}"
        export_hits(body.query, hits, table=table)
        return table
    saved = export_hits(body.query, hits, clips=folder / "clips", exact=body.exact)
    with zipfile.ZipFile(folder / "hits.zip", "w", zipfile.ZIP_STORED) as archive:
        for file in saved.written:
            archive.write(file, Path(file).name)
        if saved.failed:
            lines = io.StringIO()
            lines.writelines(f"{failure.path}: {failure.error}\n" for failure in saved.failed)
            archive.writestr("failed.txt", lines.getvalue())
    return folder / "hits.zip"
