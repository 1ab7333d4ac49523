"""What is answered, field by field; the OpenAPI document is made from these classes."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")
State = Literal["confirmed", "proposed", "rejected"]
Box = Annotated[
    tuple[float, float, float, float],
    Field(description="Left, top, right, bottom as shares of the upright picture, 0 to 1."),
]


class Shape(BaseModel):
    """Base of requests and responses; unknown fields are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid")


class Problem(Shape):
    """Why a request failed."""

    error: str = Field(description="One line for people.")


class Window(Shape, Generic[Item]):
    """Part of a list."""

    total: int = Field(description="Length of the whole list.")
    offset: int = Field(description="Place of the first item in the whole list.")
    items: list[Item]


class Listing(Shape, Generic[Item]):
    """A whole list."""

    items: list[Item]


class Shot(Shape):
    """A span between two cuts, or a photo (then start and end are 0)."""

    shot_id: int
    media_id: int
    kind: Literal["video", "photo"]
    name: str = Field(description="File name.")
    path: str
    created: str | None = Field(description="When it was made, ISO 8601, as the file says.")
    start: float
    end: float
    time: float = Field(description="Seconds of the frame that stands for it.")
    picture: str = Field(description="URL of that frame.")
    preview: str | None = Field(description="URL for a muted video on hover; none for photos.")
    preview_start: float = Field(description="Second in the preview where the shot begins.")
    preview_end: float = Field(description="Second in the preview where the shot ends.")
    strip: str | None = Field(description="URL of 8 pictures of the shot side by side; none for photos.")


class Similar(Shape):
    """A near-duplicate that was folded into a hit."""

    media_id: int
    shot_id: int
    start: float
    end: float


class Evidence(Shape):
    """What one feature space says about one instance in a hit."""

    instance: str = Field(description="Name of the instance.")
    space: str = Field(description="Id of the feature space.")
    region: str = Field(description="Kind of region: the whole frame.")
    probability: float | None = Field(description="That the instance is seen there; null when not known.")
    log_odds: float | None = Field(description="Of that probability.")
    time: float = Field(description="Seconds; where the instance is seen best.")
    box: Box | None = Field(None, description="Where in the picture; null for the whole of it.")


class Hit(Shot):
    """A shot found."""

    rank: int = Field(description="1 is best.")
    score: float
    relevance: float = Field(description="How sure it is, from 0 to 1; `thisismy search` says what it means.")
    instance: float | None = Field(description="What the names brought to the score.")
    context: float | None = Field(description="What the other words brought to the score.")
    fits: float | None = Field(None, description="Share of the library that fits the other words less.")
    probability: float | None = Field(None, description="That it shows the names; null when not known.")
    box: Box | None = Field(None, description="Where in the picture they are; null for the whole of it.")
    evidence: list[Evidence] = Field([], description="For each name, why it is taken to be there.")
    why: str = Field(description="The same in words.")
    also: list[str] = Field(description="Other files with the same content.")
    similar: list[Similar]


class NamedIn(Shape):
    """An instance that was found in a query."""

    id: int
    name: str


class Answer(Shape):
    """What a search found."""

    query: str
    read: str = Field(description="How the query was understood.")
    names: list[NamedIn]
    remarks: list[str]
    searched: int = Field(description="Shots that were looked at.")
    milliseconds: float
    hits: list[Hit]
    nearest: list[Hit] = Field(
        description="The nearest misses, when nothing is good enough or they were asked for."
    )


class PhraseHit(Shape):
    """A place where something is said."""

    media_id: int
    name: str
    path: str
    start: float
    end: float
    text: str
    picture: str


class PhraseHits(Listing[PhraseHit]):
    """Where a phrase is said."""

    phrase: str


class Instance(Shape):
    """A named thing."""

    id: int
    name: str
    aliases: list[str]
    kind: Literal["thing", "person"]
    category: str
    category_by: Literal["user", "job"]
    confirmed: int
    proposed: int
    rejected: int
    learned: Literal["current", "stale", "never"]
    picture: str | None


class Concept(Shape):
    """What was learned of an instance."""

    method: str
    category: str
    examples: int


class InstanceDetails(Instance):
    """A named thing with all that is known of it."""

    created_at: str
    concept: Concept | None


class Completion(Shape):
    """An instance whose name begins as typed."""

    id: int
    name: str
    matched: str = Field(description="The name or alias that fits.")
    category: str
    picture: str | None


class Example(Shape):
    """Where an instance is seen, or (rejected) is not."""

    id: int
    instance_id: int
    state: State
    decided_by: Literal["user", "job"]
    origin: str
    score: float | None
    box: Box | None
    box_time: float | None
    start: float
    end: float
    media_id: int | None = Field(
        description="None for a photo kept with the library and for a file that is gone."
    )
    shot_id: int | None
    name: str | None
    kind: Literal["video", "photo"]
    picture: str
    crop: str | None = Field(description="The part of the picture inside the box.")
    preview: str | None
    preview_start: float
    preview_end: float


class Candidate(Shot):
    """A shot that may show an instance."""

    score: float
    state: State | None


class Candidates(Window[Candidate]):
    """Candidates, best first."""

    order: str = Field(description="Send it back to get further windows of the same ranking.")


class Pace(Shape):
    """How many examples a person decided about."""

    labelled: int
    confirmed: int
    rejected: int


class Occurrence(Shot):
    """A shot in which an instance appears."""

    score: float | None
    confirmed: bool


class Month(Shape):
    """How often something appears in a month; None: the files do not say when."""

    month: str | None
    count: int


class Occurrences(Listing[Occurrence]):
    """Where in time an instance appears."""

    learned: bool = Field(description="False: only what was confirmed is listed.")
    months: list[Month]


class FurtherShot(Shape):
    """Another shot of the video that shows what a mention names."""

    start: float
    end: float
    similarity: float
    picture: str | None


class Mention(Shape):
    """A place in a transcript that names something."""

    id: int
    media_id: int | None
    name_of_file: str | None
    path: str | None
    start: float
    end: float
    sentence: str
    name: str
    category: str
    verdict: str
    reason: str
    score: float | None
    decision: Literal["accepted", "rejected"] | None
    instance_id: int | None
    instance: str | None
    shot: Shot | None
    examples: list[FurtherShot]


class Mentions(Window[Mention]):
    """Mentions, with how many there are of each."""

    open: int
    accepted: int
    rejected: int


class File(Shape):
    """A file of the library."""

    file_id: int
    media_id: int | None
    path: str
    name: str
    state: Literal["indexed", "pending", "failed", "missing"]
    error: str | None
    kind: str | None
    duration: float | None
    width: int | None
    height: int | None
    frame_rate: str | None
    rotation: int | None
    video_codec: str | None
    audio_codec: str | None
    created: str | None
    notes: list[str]
    shots: int
    picture: str | None


class Play(Shape):
    """How a browser plays a media; see docs/api.md."""

    how: Literal["file", "photo", "segments"]
    url: str | None = None
    type: str | None = None
    seconds: float | None = None
    count: int | None = None
    duration: float | None = None
    template: Annotated[str | None, Field(description="URL of piece n: put its number for {n}.")] = None


class Media(File):
    """One video or photo."""

    hash: str
    transcribed: bool
    play: Play
    play_fallback: Play | None = Field(description="Pieces that any browser plays, should the file not.")
    previous: int | None
    next: int | None


class Word(Shape):
    """A spoken word."""

    text: str
    start: float
    end: float
    probability: float | None


class Segment(Shape):
    """A stretch of a transcript."""

    start: float
    end: float
    text: str
    speaker: str | None
    words: list[Word]


class Transcript(Shape):
    """What is said in a video."""

    language: str | None
    source: str
    segments: list[Segment]


class Sprites(Shape):
    """Tiny pictures for a time line: picture i shows second ``i * interval``."""

    interval: float
    width: int
    height: int
    columns: int
    rows: int
    count: int
    sheets: list[str]


class NamedHere(Shape):
    """An example in one media."""

    instance_id: int
    name: str
    example_id: int
    state: State
    start: float
    end: float
    box: Box | None
    box_time: float | None


class Job(Shape):
    """Long work."""

    id: int
    kind: Literal["index", "transcribe", "mine", "learn", "forget"]
    title: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    stage: str
    done: float
    total: float | None
    lines: list[str]
    result: dict[str, Any] | None
    error: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None


class Status(Shape):
    """The library at a glance."""

    version: str
    library: str
    generation: int
    encoder: str
    encoder_id: str | None
    videos: int
    photos: int
    shots: int
    instances: int
    open_mentions: int
    failed: int
    folders_allowed: bool = Field(description="Whether a folder may be typed on this page.")
    speech: bool = Field(description="Whether speech can be transcribed.")
    jobs: list[Job]


class Folder(Shape):
    """A folder or file that was added."""

    id: str
    path: str
    exists: bool
    files: int


class Settings(Shape):
    """How the library is indexed."""

    encoder: str
    encoder_id: str | None
    detector: str
    window: float
    rate: float
    at_least: int
    at_most: int


class States(Shape):
    """Files in each state."""

    indexed: int
    pending: int
    failed: int
    missing: int


class Disk(Shape):
    """Bytes."""

    media: int = Field(description="Of the videos and photos themselves, which are elsewhere.")
    database: int
    cache: int
    vocabulary: int
    free: int


class LibraryDetails(Shape):
    """The library with its folders and settings."""

    folder: str
    folders: list[Folder]
    settings: Settings
    detectors: list[str]
    methods: list[str]
    states: States
    disk: Disk


class Method(Shape):
    """A way to learn."""

    name: str
    about: str = Field(description="One line for people.")


class Methods(Listing[Method]):
    """Ways to learn, the default first."""

    used: str = Field(description="How the library learns now.")


class Vocabulary(Shape):
    """What was learned last; all empty before."""

    method: str | None
    arguments: dict[str, Any] | None
    encoder_id: str | None
    seed: int | None
    names: list[str]
