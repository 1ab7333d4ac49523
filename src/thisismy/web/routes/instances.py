"""Named things: teaching them, their examples, candidates to label, where in time they appear."""

from __future__ import annotations

import secrets
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Query, UploadFile
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from thisismy.core.errors import InstanceError, MediaError, MissingExtraError, VocabularyError
from thisismy.services.places import Shares
from thisismy.store.examples import MediaSpan
from thisismy.store.instances import Example
from thisismy.web import presenters, requests, responses
from thisismy.web.error_handlers import BadTypeError, TooLargeError
from thisismy.web.requests import InstanceId
from thisismy.web.routes.media import Limit, Offset
from thisismy.web.state import AppState, AppStateDep
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
    """A photo that was refused."""

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
    """The name of what was deleted."""

    deleted: str


class Imported(responses.Shape):
    """The names of what was imported."""

    names: list[str]


@router.post("/name", summary="This is my ...")
def name(app: AppStateDep, body: requests.Naming) -> Named:
    """Say where something is seen, by shots, instants or stretches.

    A name means what it means in a search; one that means nothing yet makes a new instance.
    """
    places = [_place(app, place, body.box) for place in body.places]
    named = app.library.instances.name(
        body.name, places, category=body.category, kind=body.kind, negative=body.negative
    )
    return Named(
        instance=_shown(app, named.instance.id),
        created=named.created,
        examples=presenters.show_examples(app, named.instance, named.examples),
    )


@router.get("/instances", summary="All named things")
def list_instances(app: AppStateDep) -> responses.Listing[responses.Instance]:
    """In order of name."""
    return responses.Listing(items=presenters.show_instances(app, app.library.instances.all()))


@router.get(
    "/instances/export",
    summary="Instances with pictures of their examples, as one file",
    response_class=FileResponse,
    responses={200: {"content": {"application/json": {}}, "description": "The file."}},
)
def export_instances(
    app: AppStateDep,
    ids: Annotated[list[requests.Id] | None, Query(description="Which; none means all.")] = None,
) -> FileResponse:
    """For another library; see ``/api/instances/import``."""
    names = [app.instance(number).name for number in ids or []]
    with tempfile.NamedTemporaryFile(suffix=".json", delete=False) as file:
        path = Path(file.name)
    app.library.instances.export_file(path, names or None)
    away = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, filename="instances.json", media_type="application/json", background=away)


@router.post("/instances/import", summary="Take instances from a file")
async def import_instances(
    app: AppStateDep, file: Annotated[UploadFile, File(description="What the export gave.")]
) -> Imported:
    """Those of the same name are joined; what was decided here stays."""
    body = await read_upload(file, FILE_BYTES)

    def read() -> list[str]:
        with tempfile.TemporaryDirectory(prefix="thisismy-") as folder:
            path = Path(folder) / "instances.json"
            path.write_bytes(body)
            try:
                return app.library.instances.import_file(path)
            except InstanceError as error:
                raise InstanceError(str(error).replace(str(path), "the file")) from error

    return Imported(names=await run_in_threadpool(read))


@router.get("/instances/{instance_id}", summary="One named thing")
def show_instance(app: AppStateDep, instance_id: InstanceId) -> responses.InstanceDetails:
    """With what was learned of it."""
    instance = app.instance(instance_id)
    created_at = app.library.instances.created_at(instance_id)
    about = app.library.learning.about().get(instance.name)
    return responses.InstanceDetails(
        **_shown(app, instance_id).model_dump(),
        created_at=created_at,
        concept=responses.Concept(**about) if about else None,
    )


@router.patch("/instances/{instance_id}", summary="Change its name, category, kind or aliases")
def change_instance(
    app: AppStateDep, instance_id: InstanceId, body: requests.InstanceChange
) -> responses.Instance:
    """All of it or, where a name is taken, nothing."""
    app.instance(instance_id)
    app.library.instances.change(
        instance_id, name=body.name, category=body.category, kind=body.kind, aliases=body.aliases
    )
    return _shown(app, instance_id)


@router.delete("/instances/{instance_id}", summary="Delete a named thing for good")
def delete_instance(app: AppStateDep, instance_id: InstanceId) -> Deleted:
    """With its examples, the photos kept for them, and what was learned of it."""
    app.instance(instance_id)
    return Deleted(deleted=app.library.instances.delete(instance_id).name)


@router.post("/instances/{instance_id}/merge", summary="Make two named things one")
def merge(app: AppStateDep, instance_id: InstanceId, body: requests.Merge) -> responses.Instance:
    """The names of the other become aliases of this one."""
    app.library.instances.merge(app.instance(instance_id).id, app.instance(body.other).id)
    return _shown(app, instance_id)


@router.post("/instances/{instance_id}/split", summary="Move examples to a new named thing")
def split(app: AppStateDep, instance_id: InstanceId, body: requests.Split) -> responses.Instance:
    """Answers with the new one."""
    made = app.library.instances.split(app.instance(instance_id).id, body.name, body.example_ids)
    return _shown(app, made.id)


@router.get("/instances/{instance_id}/examples", summary="Where it is seen")
def list_examples(
    app: AppStateDep,
    instance_id: InstanceId,
    state: Annotated[responses.State | None, Query(description="Only in this state.")] = None,
    offset: Offset = 0,
    limit: Limit = 100,
) -> responses.Window[responses.Example]:
    """Oldest first; proposed ones best first."""
    instance = app.instance(instance_id)
    every = [item.example for item in app.library.instances.examples(instance_id, state)]
    shown = presenters.show_examples(app, instance, every[offset : offset + limit])
    return responses.Window(total=len(every), offset=offset, items=shown)


@router.post("/instances/{instance_id}/examples", summary="Confirm, reject or forget examples")
def decide(app: AppStateDep, instance_id: InstanceId, body: requests.ExampleDecision) -> Decided:
    """No job changes that again. Sending ``before`` back as ``states`` undoes it, except forgetting."""
    app.instance(instance_id)
    states: dict[int, str] = dict(body.states)
    if body.state is not None:
        states |= dict.fromkeys(body.example_ids, body.state)
    if not states:
        raise InstanceError("nothing to decide: give example_ids with a state, or states")
    before = app.library.instances.decide(instance_id, states)
    return Decided.model_validate({"instance": _shown(app, instance_id), "before": before})


@router.post("/instances/{instance_id}/photos", summary="Drop photos onto a named thing")
async def add_photos(
    app: AppStateDep,
    instance_id: InstanceId,
    photos: Annotated[list[UploadFile], File(description="JPEG, PNG, WebP or HEIC, 20 MB each at most.")],
) -> Taken:
    """They become confirmed examples; a reduced copy is kept, without what the camera wrote into the file."""
    instance = await run_in_threadpool(app.instance, instance_id)
    if len(photos) > PHOTOS:
        raise TooLargeError(f"{len(photos)} photos at once: drop {PHOTOS} at most")
    places: list[MediaSpan] = []
    failed: list[Rejected] = []
    for photo in photos:
        try:
            places.append(await place_of_upload(app, photo))
        except (BadTypeError, TooLargeError, MediaError, MissingExtraError) as error:
            failed.append(Rejected(name=photo.filename or "photo", error=str(error)))
    examples: list[Example] = []
    if places:
        examples = (await run_in_threadpool(app.library.instances.name, instance_id, places)).examples
    return Taken(
        instance=await run_in_threadpool(_shown, app, instance_id),
        examples=await run_in_threadpool(presenters.show_examples, app, instance, examples),
        failed=failed,
    )


@router.get("/instances/{instance_id}/candidates", summary="Shots that may show it, best first")
def list_candidates(
    app: AppStateDep,
    instance_id: InstanceId,
    offset: Offset = 0,
    limit: Limit = 100,
    unlabelled: Annotated[bool, Query(description="Leave out what is decided.")] = True,
    order: Annotated[str, Query(max_length=40, description="Of an earlier window.")] = "",
) -> responses.Candidates:
    """Every shot of the library by its likeness to the confirmed examples."""
    app.instance(instance_id)
    whole = app.ranking(order) if order.startswith(f"{instance_id}-") else None
    if whole is None:
        order = f"{instance_id}-{secrets.token_hex(4)}"
        whole = app.library.instances.candidates(instance_id, unlabelled=unlabelled)
        app.remember(order, whole)
    here = slice(offset, offset + limit)
    window = list(zip(whole.shot_ids[here].tolist(), whole.scores[here].tolist(), strict=True))
    states = app.library.instances.labels(instance_id, [shot_id for shot_id, _ in window])
    shots = {shot.id: shot for shot in app.library.files.shots([shot_id for shot_id, _ in window])}
    items = [
        responses.Candidate.model_validate(
            {**presenters.shot_fields(app, shots[number]), "score": score, "state": states.get(number)}
        )
        for number, score in window
        if number in shots
    ]
    return responses.Candidates(total=len(whole), offset=offset, items=items, order=order)


@router.post("/instances/{instance_id}/labels", summary="Label shots")
def label(app: AppStateDep, instance_id: InstanceId, body: requests.Labels) -> Labelled:
    """Sending ``before`` back undoes it."""
    app.instance(instance_id)
    before = app.library.instances.label(instance_id, {item.shot_id: item.state for item in body.labels})
    return Labelled.model_validate(
        {
            "instance": _shown(app, instance_id),
            "before": [{"shot_id": number, "state": state} for number, state in before.items()],
        }
    )


@router.get("/instances/{instance_id}/pace", summary="How many examples a person decided about")
def show_pace(app: AppStateDep, instance_id: InstanceId) -> responses.Pace:
    """For showing how fast labelling goes."""
    app.instance(instance_id)
    counts = app.library.instances.decided(instance_id)
    return responses.Pace(labelled=counts.total(), confirmed=counts["confirmed"], rejected=counts["rejected"])


@router.get("/instances/{instance_id}/occurrences", summary="Where in time it appears")
def list_occurrences(
    app: AppStateDep,
    instance_id: InstanceId,
    limit: Annotated[int, Query(ge=1, le=2000, description="Shots at most, surest first.")] = 500,
) -> responses.Occurrences:
    """Confirmed shots, and those that what was learned is sure of; by date, then file and time."""
    app.instance(instance_id)
    scores: dict[int, float] = {}
    try:
        scores = {hit.shot_id: hit.score for hit in app.library.search.occurrences(instance_id, limit)}
        learned = True
    except VocabularyError:
        learned = False
    examples = [item.example for item in app.library.instances.examples(instance_id, "confirmed")]
    covering = app.library.files.shots_covering([(item.content_hash, item.span) for item in examples])
    sure = {shot.id for shot in covering if shot is not None}
    shots = app.library.files.shots(list(dict.fromkeys([*sure, *scores])))
    shots.sort(key=lambda shot: (shot.created is None, shot.created or "", shot.path, shot.span.start))
    items = [
        responses.Occurrence(
            **presenters.shot_fields(app, shot), score=scores.get(shot.id), confirmed=shot.id in sure
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
def propose(app: AppStateDep, instance_id: InstanceId, body: requests.Propose) -> Proposed:
    """Nothing is confirmed."""
    instance = app.instance(instance_id)
    found = app.library.instances.propose(instance_id, body.limit)
    return Proposed(examples=presenters.show_examples(app, instance, [item.example for item in found]))


@router.get("/methods", summary="Ways to learn")
def list_methods(app: AppStateDep) -> responses.Methods:
    """By the names that a job of kind "learn" takes; all instances are learned in the same way."""
    from thisismy.personalization.registry import describe_methods

    items = [responses.Method(name=name, about=line) for name, line in describe_methods().items()]
    return responses.Methods(items=items, used=app.library.learning.choice.method)


@router.get("/vocabulary", summary="What was learned last")
def show_vocabulary(app: AppStateDep) -> responses.Vocabulary:
    """Method, arguments and names; null before anything was learned."""
    about = app.library.learning.description()
    if about is None:
        return responses.Vocabulary(method=None, arguments=None, encoder_id=None, seed=None, names=[])
    return responses.Vocabulary(
        method=about["method"],
        arguments=about["arguments"],
        encoder_id=about["encoder"],
        seed=about["seed"],
        names=[item["name"] for item in about["concepts"]],
    )


def _shown(app: AppState, number: int) -> responses.Instance:
    return presenters.show_instances(app, [app.instance(number)])[0]


def _place(app: AppState, place: requests.PlaceOf, box: Shares | None) -> MediaSpan:
    """What a place of a request points at.

    Raises:
        InstanceError: it says nothing, or lies outside of its media.
        UnknownPlaceError: there is no such shot or media.
    """
    library = app.library.instances
    if place.shot_id is not None:
        return library.place_of_shot(place.shot_id, time=place.time, box=box)
    span = None if place.start is None or place.end is None else (place.start, place.end)
    if place.media_id is None or (place.time is None and span is None):
        raise InstanceError("a place is a shot_id, or a media_id with a time or with start and end")
    return library.place_in_media(place.media_id, time=place.time, span=span, box=box)
