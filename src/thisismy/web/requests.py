"""What may be sent in requests, with its limits."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from thisismy.web.responses import Box, Shape

Name = Annotated[str, Field(min_length=1, max_length=200)]
Category = Annotated[str, Field(max_length=80)]
Id = Annotated[int, Field(ge=0, le=2**53)]
Seconds = Annotated[float, Field(ge=0, le=10**7, allow_inf_nan=False)]
MediaId = Annotated[int, Path(ge=0, le=2**53, description="Number of the video or photo.")]
InstanceId = Annotated[int, Path(ge=0, le=2**53, description="Number of the instance.")]
RowId = Annotated[int, Path(ge=0, le=2**53, description="Its number.")]
PieceNumber = Annotated[int, Path(ge=0, le=10**6, description="Which one, from 0.")]
Decision = Literal["confirmed", "rejected", "proposed"]


class Nothing(Shape):
    """An empty object."""


class SearchFields(Shape):
    """What to look for and where; at least ``q`` or ``like``."""

    q: str = Field("", max_length=1000, description="Words and names; <#3> is the instance with id 3.")
    k: int = Field(60, ge=1, le=500, description="Hits wanted.")
    by: Literal["shot", "frame"] = Field("shot", description="Score the mean of a shot or its best frame.")
    cutoff: float = Field(
        0.95, ge=0, le=1, description="Share of unrelated pairs a hit must beat; 0 shows all."
    )
    fold: bool = Field(True, description="Fold near-duplicates into the best of them.")
    misses: int = Field(0, ge=0, le=50, description="Nearest misses wanted below the hits as well.")
    sort: Literal["score", "date"] = Field("score", description="Order of the hits.")
    path: str = Field(
        "", max_length=500, description="Text the path must contain, or a glob. Nothing is opened."
    )
    after: str = Field("", max_length=10, description="First day: 2024, 2024-07 or 2024-07-31.")
    before: str = Field("", max_length=10, description="First day that no longer counts.")
    min_duration: Seconds | None = Field(None, description="Seconds of the video at least.")
    max_duration: Seconds | None = Field(None, description="Seconds of the video at most.")
    kind: Literal["video", "photo"] | None = Field(None, description="Only videos, or only photos.")
    media: Id | None = Field(None, description="Only this media.")
    like: list[Id] = Field([], max_length=50, description="Shots to find more like.")
    unlike: list[Id] = Field([], max_length=50, description="Shots that are not wanted.")


class Feedback(Shape):
    """Whether a shot shows an instance."""

    instance_id: Id
    shot_id: Id
    state: Literal["confirmed", "rejected"] | None


class Export(Shape):
    """Hits to save."""

    query: str = Field("", max_length=1000)
    what: Literal["clips", "sheet", "csv", "edl"]
    shots: list[Id] = Field(min_length=1, max_length=200)
    exact: bool = Field(False, description="Cut clips at the exact frame, which encodes them again.")


class PlaceOf(Shape):
    """A shot; or a media with an instant (the shot around it) or a stretch."""

    shot_id: Id | None = None
    media_id: Id | None = None
    time: Seconds | None = None
    start: Seconds | None = None
    end: Seconds | None = None


class Naming(Shape):
    """This is my ..."""

    name: Name
    category: Category = ""
    kind: Literal["thing", "person"] | None = Field(None, description="Null leaves it; a new one is a thing.")
    places: list[PlaceOf] = Field(min_length=1, max_length=200)
    box: Box | None = None
    negative: bool = Field(False, description="The places do not show it.")


class InstanceChange(Shape):
    """What to change; what is left out stays."""

    name: Name | None = None
    category: Category | None = None
    kind: Literal["thing", "person"] | None = None
    aliases: list[Name] | None = Field(None, max_length=50, description="All aliases there shall be.")


class Merge(Shape):
    """The instance to be merged into this one."""

    other: Id


class Split(Shape):
    """The new instance and the examples that go to it."""

    name: Name
    example_ids: list[Id] = Field(min_length=1, max_length=10_000)


class ExampleDecision(Shape):
    """What to decide: the same for several examples, or one state each."""

    example_ids: list[Id] = Field([], max_length=10_000)
    state: Literal["confirmed", "rejected", "proposed", "removed"] | None = None
    states: dict[int, Literal["confirmed", "rejected", "proposed"]] = Field(
        {}, max_length=10_000, description="State by example; what was answered as `before` undoes."
    )


class Label(Shape):
    """What a person says about a shot; null takes it back."""

    shot_id: Id
    state: Decision | None


class Labels(Shape):
    """Labels of shots for one instance."""

    labels: list[Label] = Field(min_length=1, max_length=1000)


class Propose(Shape):
    """How many."""

    limit: int = Field(20, ge=1, le=500)


class Acceptance(Shape):
    """Corrections of what was mined."""

    name: Annotated[str, Field(max_length=200)] = ""
    category: Category = ""


class SettingsChange(Shape):
    """How to index from now on; what is left out stays."""

    encoder: Annotated[str, Field(max_length=200)] | None = None
    detector: Annotated[str, Field(max_length=40)] | None = None
    window: Annotated[float, Field(ge=0.5, le=3600)] | None = None
    rate: Annotated[float, Field(gt=0, le=60)] | None = None
    at_least: Annotated[int, Field(ge=1, le=1000)] | None = None
    at_most: Annotated[int, Field(ge=1, le=1000)] | None = None


class JobOrder(Shape):
    """A job to run; fields that do not belong to its kind are refused."""

    kind: Literal["index", "transcribe", "mine", "learn", "forget"]
    paths: list[Annotated[str, Field(min_length=1, max_length=4096)]] | None = Field(
        None, max_length=100, description="index: files and folders; accepted only from this machine."
    )
    settings: SettingsChange | None = Field(None, description="index: how, from now on.")
    speech: bool | None = Field(
        None, description="transcribe: recognise speech where no subtitle file lies beside the video."
    )
    language: Annotated[str, Field(max_length=10)] | None = Field(
        None, description="transcribe: what is spoken."
    )
    instances: list[Id] | None = Field(None, max_length=10_000, description="learn: just these.")
    method: Annotated[str, Field(max_length=40)] | None = Field(None, description="learn: how.")
    file_ids: list[Id] | None = Field(None, max_length=10_000, description="forget: these files.")
    folder_ids: list[str] | None = Field(None, max_length=1000, description="forget: these folders.")
    missing: bool | None = Field(None, description="forget: files that are gone from disk.")
