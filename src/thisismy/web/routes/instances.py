"""Named things: teaching them, their examples, candidates to label, where in time they appear."""

from __future__ import annotations

import secrets
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Query, UploadFile
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from thisismy.core.errors import InstanceError, MediaError, MissingExtraError, VocabularyError
from thisismy.core.span import Span
from thisismy.store import browsing, catalog, schema
from thisismy.store import instances as rows
from thisismy.store.examples import Place
from thisismy.store.instances import Example, Instance
from thisismy.web import presenters, requests, responses
from thisismy.web.error_handlers import BadTypeError, NotFoundError, TooLargeError
from thisismy.web.requests import InstanceId
from thisismy.web.routes.media import Limit, Offset
from thisismy.web.state import Page, PageOf
from thisismy.web.uploads import FILE_BYTES, PHOTOS, place_of_upload, read_upload

router = APIRouter(prefix="/api", tags=["instances"])


class Named(responses.Shape):
    """What naming did."""

    instance: responses.Instance
    created: bool
    examples: list[responses.Example]


class Decided(responses.Shape):
    """What deciding did; ``before`` undoes it."""

    instance: responses.Instance
    before: dict[int, responses.State]


class Labelled(responses.Shape):
    """What labelling did; ``before`` undoes it."""

    instance: responses.Instance
    before: list[requests.Label]


class Rejected(responses.Shape):
    """A photo that was not taken."""

    name: str
    error: str


class Taken(responses.Shape):
    """What became of photos."""

    instance: responses.Instance
    examples: list[responses.Example]
    failed: list[Rejected]


class Proposed(responses.Shape):
    """Examples that were proposed."""

    examples: list[responses.Example]


class Deleted(responses.Shape):
    """The name of what is gone."""

    deleted: str


class Imported(responses.Shape):
    """The names of what came."""

    names: list[str]


@router.post("/name", summary="This is my ...")
def name(page: PageOf, body: requests.Naming) -> Named:
    """Teach an instance by shots, instants or stretches; it is made when the name is new."""
    if not body.name.strip():
        raise InstanceError("a name cannot be empty")
    box = _checked(body.box)
    places = [_place(page, place, box) for place in body.places]
    known = {item.id for item in page.library.instances.all()}
    state = rows.REJECTED if body.negative else rows.CONFIRMED
    instance = page.library.instances.teach(body.name, places, category=body.category, state=state)
    return Named(
        instance=_shown(page, instance.id),
        created=instance.id not in known,
        examples=_at(page, instance, places),
    )


@router.get("/instances", summary="All named things")
def list_instances(page: PageOf) -> responses.Listing[responses.Instance]:
    """In order of name."""
    return responses.Listing(items=presenters.show_instances(page, page.library.instances.all()))


@router.get(
    "/instances/export",
    summary="Instances with pictures of their examples, as one file",
    response_class=FileResponse,
    responses={200: {"content": {"application/json": {}}, "description": "The file."}},
)
def export_instances(
    page: PageOf, ids: Annotated[list[requests.Id] | None, Query(description="Which; none means all.")] = None
) -> FileResponse:
    """For another library; see ``/api/instances/import``."""
    names = [page.instance(number).name for number in ids or []]
    with tempfile.NamedTemporaryFile(suffix=".json", delete=False) as file:
        path = Path(file.name)
    page.library.instances.export_file(path, names or None)
    away = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, filename="instances.json", media_type="application/json", background=away)


@router.post("/instances/import", summary="Take instances from a file")
async def import_instances(
    page: PageOf, file: Annotated[UploadFile, File(description="What the export gave.")]
) -> Imported:
    """Those of the same name are joined; what was decided here stays."""
    body = await read_upload(file, FILE_BYTES)

    def read() -> list[str]:
        with tempfile.TemporaryDirectory(prefix="thisismy-") as folder:
            path = Path(folder) / "instances.json"
            path.write_bytes(body)
            try:
                return page.library.instances.import_file(path)
            except InstanceError as error:
                raise InstanceError(str(error).replace(str(path), "the file")) from error

    return Imported(names=await run_in_threadpool(read))


@router.get("/instances/{instance_id}", summary="One named thing")
def show_instance(page: PageOf, instance_id: InstanceId) -> responses.InstanceDetails:
    """With what was learned of it."""
    instance = page.instance(instance_id)
    table = schema.instances
    with page.library.store.read() as connection:
        made = table.select().where(table.c.id == instance_id)
        created_at = connection.execute(made).one().created_at
    about = page.library.learning.about().get(instance.name)
    return responses.InstanceDetails(
        **_shown(page, instance_id).model_dump(),
        created_at=created_at,
        concept=responses.Concept(**about) if about else None,
    )


@router.patch("/instances/{instance_id}", summary="Rename, say what it is, set its aliases")
def change_instance(
    page: PageOf, instance_id: InstanceId, body: requests.InstanceChange
) -> responses.Instance:
    """All of it or, when a name is taken, nothing."""
    page.instance(instance_id)
    page.library.instances.change(instance_id, name=body.name, category=body.category, aliases=body.aliases)
    return _shown(page, instance_id)


@router.delete("/instances/{instance_id}", summary="Delete a named thing for good")
def delete_instance(page: PageOf, instance_id: InstanceId) -> Deleted:
    """With its examples, the photos kept for them, and what was learned of it."""
    instance = page.instance(instance_id)
    page.library.instances.delete(instance.name)
    return Deleted(deleted=instance.name)


@router.post("/instances/{instance_id}/merge", summary="Make two named things one")
def merge(page: PageOf, instance_id: InstanceId, body: requests.Merge) -> responses.Instance:
    """The names of the other become aliases of this one."""
    page.library.instances.merge(page.instance(instance_id).name, page.instance(body.other).name)
    return _shown(page, instance_id)


@router.post("/instances/{instance_id}/split", summary="Move examples to a new named thing")
def split(page: PageOf, instance_id: InstanceId, body: requests.Split) -> responses.Instance:
    """Gives the new one."""
    page.library.instances.split(page.instance(instance_id).name, body.name, body.example_ids)
    return _shown(page, page.library.instances.get(body.name).id)


@router.get("/instances/{instance_id}/examples", summary="Where it is seen")
def list_examples(
    page: PageOf,
    instance_id: InstanceId,
    state: Annotated[responses.State | None, Query(description="Only in this state.")] = None,
    offset: Offset = 0,
    limit: Limit = 100,
) -> responses.Window[responses.Example]:
    """Oldest first; proposed ones best first."""
    instance = page.instance(instance_id)
    with page.library.store.read() as connection:
        every = rows.examples_of(connection, instance, state)
    if state == rows.PROPOSED:
        every.sort(key=lambda example: -(example.score or 0.0))
    shown = presenters.show_examples(page, instance, every[offset : offset + limit])
    return responses.Window(total=len(every), offset=offset, items=shown)


@router.post("/instances/{instance_id}/examples", summary="Confirm, reject or forget examples")
def decide(page: PageOf, instance_id: InstanceId, body: requests.ExampleDecision) -> Decided:
    """No job changes that again. Sending ``before`` back as ``states`` undoes it, except forgetting."""
    page.instance(instance_id)
    states: dict[int, str] = dict(body.states)
    if body.state is not None:
        states |= dict.fromkeys(body.example_ids, body.state)
    if not states:
        raise InstanceError("nothing to decide: give example_ids with a state, or states")
    before = page.library.instances.decide(instance_id, states)
    return Decided.model_validate({"instance": _shown(page, instance_id), "before": before})


@router.post("/instances/{instance_id}/photos", summary="Drop photos onto a named thing")
async def add_photos(
    page: PageOf,
    instance_id: InstanceId,
    photos: Annotated[list[UploadFile], File(description="JPEG, PNG, WebP or HEIC, 20 MB each at most.")],
) -> Taken:
    """They become confirmed examples; a reduced copy is kept, without what the camera wrote into the file."""
    instance = await run_in_threadpool(page.instance, instance_id)
    if len(photos) > PHOTOS:
        raise TooLargeError(f"{len(photos)} photos at once: drop at most {PHOTOS}")
    places: list[Place] = []
    failed: list[Rejected] = []
    for photo in photos:
        try:
            places.append(await place_of_upload(page, photo))
        except (BadTypeError, TooLargeError, MediaError, MissingExtraError) as error:
            failed.append(Rejected(name=photo.filename or "photo", error=str(error)))
    if places:
        await run_in_threadpool(page.library.instances.teach, instance.name, places)
    examples = await run_in_threadpool(_at, page, instance, places)
    return Taken(
        instance=await run_in_threadpool(_shown, page, instance_id), examples=examples, failed=failed
    )


@router.get("/instances/{instance_id}/candidates", summary="Shots that may show it, best first")
def list_candidates(
    page: PageOf,
    instance_id: InstanceId,
    offset: Offset = 0,
    limit: Limit = 100,
    unlabelled: Annotated[bool, Query(description="Leave out what is decided.")] = True,
    order: Annotated[str, Query(max_length=40, description="Of an earlier window.")] = "",
) -> responses.Candidates:
    """Every shot of the library by its likeness to the confirmed examples."""
    page.instance(instance_id)
    whole = page.ranking(order) if order.startswith(f"{instance_id}-") else None
    if whole is None:
        order = f"{instance_id}-{secrets.token_hex(4)}"
        whole = page.library.instances.candidates(instance_id, unlabelled=unlabelled)
        page.remember(order, whole)
    here = slice(offset, offset + limit)
    window = list(zip(whole.shot_ids[here].tolist(), whole.scores[here].tolist(), strict=True))
    states = page.library.instances.labels(instance_id, [shot_id for shot_id, _ in window])
    shots = {shot.id: shot for shot in page.library.files.shots([shot_id for shot_id, _ in window])}
    items = [
        responses.Candidate.model_validate(
            {**presenters.shot_fields(page, shots[number]), "score": score, "state": states.get(number)}
        )
        for number, score in window
        if number in shots
    ]
    return responses.Candidates(total=len(whole), offset=offset, items=items, order=order)


@router.post("/instances/{instance_id}/labels", summary="Label shots")
def label(page: PageOf, instance_id: InstanceId, body: requests.Labels) -> Labelled:
    """Sending ``before`` back undoes it."""
    page.instance(instance_id)
    before = page.library.instances.label(instance_id, {item.shot_id: item.state for item in body.labels})
    return Labelled.model_validate(
        {
            "instance": _shown(page, instance_id),
            "before": [{"shot_id": number, "state": state} for number, state in before.items()],
        }
    )


@router.get("/instances/{instance_id}/pace", summary="How many examples a person decided about")
def show_pace(page: PageOf, instance_id: InstanceId) -> responses.Pace:
    """Counts; how fast is for whoever asks to say."""
    instance = page.instance(instance_id)
    with page.library.store.read() as connection:
        decided = [e.state for e in rows.examples_of(connection, instance) if e.decided_by == rows.USER]
    counts = Counter(decided)
    return responses.Pace(
        labelled=len(decided), confirmed=counts[rows.CONFIRMED], rejected=counts[rows.REJECTED]
    )


@router.get("/instances/{instance_id}/occurrences", summary="Where in time it appears")
def list_occurrences(
    page: PageOf,
    instance_id: InstanceId,
    limit: Annotated[int, Query(ge=1, le=2000, description="Shots at most, surest first.")] = 500,
) -> responses.Occurrences:
    """Confirmed shots, and those that what was learned is sure of; by date, then file and time."""
    instance = page.instance(instance_id)
    scores: dict[int, float] = {}
    try:
        scores = {hit.shot_id: hit.score for hit in page.library.search.occurrences(instance_id, limit)}
        learned = True
    except VocabularyError:
        learned = False
    with page.library.store.read() as connection:
        confirmed = rows.examples_of(connection, instance, rows.CONFIRMED)
        covering = browsing.shots_covering(connection, [(e.content_hash, e.span) for e in confirmed])
    sure = {number for number in covering if number is not None}
    shots = page.library.files.shots(list(dict.fromkeys([*sure, *scores])))
    shots.sort(key=lambda shot: (shot.created is None, shot.created or "", shot.path, shot.span.start))
    items = [
        responses.Occurrence(
            **presenters.shot_fields(page, shot), score=scores.get(shot.id), confirmed=shot.id in sure
        )
        for shot in shots
    ]
    counted = Counter(shot.created[:7] if shot.created else None for shot in shots)
    months = [
        responses.Month(month=month, count=number)
        for month, number in sorted(counted.items(), key=lambda item: (item[0] is None, item[0] or ""))
    ]
    return responses.Occurrences(items=items, learned=learned, months=months)


@router.post("/instances/{instance_id}/propose", summary="Propose shots of other videos as examples")
def propose(page: PageOf, instance_id: InstanceId, body: requests.Propose) -> Proposed:
    """Nothing is confirmed."""
    instance = page.instance(instance_id)
    found = page.library.instances.propose(instance.name, body.limit)
    return Proposed(examples=presenters.show_examples(page, instance, [item.example for item in found]))


@router.get("/methods", summary="Ways to learn")
def list_methods(page: PageOf) -> responses.Methods:
    """By the names that a job of kind "learn" takes; all instances are learned in the same way."""
    from thisismy.personalization.registry import ABOUT

    about = page.library.learning.description()
    items = [responses.Method(name=name, about=line) for name, line in ABOUT.items()]
    return responses.Methods(items=items, used=about["method"] if about else None)


@router.get("/vocabulary", summary="What was learned last")
def show_vocabulary(page: PageOf) -> responses.Vocabulary:
    """Method, arguments and names; null before anything was learned."""
    about = page.library.learning.description()
    if about is None:
        return responses.Vocabulary(method=None, arguments=None, encoder_id=None, seed=None, names=[])
    return responses.Vocabulary(
        method=about["method"],
        arguments=about["arguments"],
        encoder_id=about["encoder"],
        seed=about["seed"],
        names=[item["name"] for item in about["concepts"]],
    )


def _shown(page: Page, number: int) -> responses.Instance:
    return presenters.show_instances(page, [page.instance(number)])[0]


def _checked(box: Any) -> tuple[float, float, float, float] | None:
    if box is None:
        return None
    left, top, right, bottom = box
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise InstanceError("a box is left, top, right, bottom as shares from 0 to 1, and not empty")
    return left, top, right, bottom


def _place(page: Page, place: requests.PlaceOf, box: tuple[float, float, float, float] | None) -> Place:
    """What a place of a request points at.

    Raises:
        InstanceError: it says nothing, or lies outside of its media.
        NotFoundError: there is no such shot or media.
    """
    if place.shot_id is not None:
        if not page.library.files.shots([place.shot_id]):
            raise NotFoundError(f"there is no shot {place.shot_id} any more: look for it again")
        return page.library.instances.place_of_shot(place.shot_id, box, place.time)
    if place.media_id is None or (place.time is None and (place.start is None or place.end is None)):
        raise InstanceError("a place is a shot_id, or a media_id with a time or with start and end")
    with page.library.store.read() as connection:
        row = connection.execute(schema.media.select().where(schema.media.c.id == place.media_id)).first()
        if row is None:
            raise NotFoundError(f"there is no video or photo number {place.media_id}")
        around = None if place.time is None else browsing.shot_at(connection, place.media_id, place.time)
        digest = catalog.hash_of(connection, place.media_id)
    if row.kind == "photo":
        return Place(digest, Span(0, 0), box=box)
    if place.start is not None and place.end is not None:
        if not place.start < min(place.end, row.duration):
            raise InstanceError(f"nothing is shown from {place.start} to {place.end} s")
        span = Span(place.start, min(place.end, row.duration))
        time = span.middle if place.time is None else place.time
        return Place(digest, span, box=box, box_time=time if box else None)
    if around is None:
        raise InstanceError("this video has no shots yet: wait until it is indexed")
    return page.library.instances.place_of_shot(around, box, place.time)


def _at(page: Page, instance: Instance, places: list[Place]) -> list[responses.Example]:
    """The examples that stand at some places now."""
    with page.library.store.read() as connection:
        every = rows.examples_of(connection, instance)
    wanted = {(place.content_hash, place.span) for place in places}
    own: list[Example] = [example for example in every if (example.content_hash, example.span) in wanted]
    return presenters.show_examples(page, instance, own)
