"""The state of the application: one library, one worker, the events, the cached pictures."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from thisismy.core.errors import ThisIsMyError
from thisismy.library import Library
from thisismy.services.candidates import Candidates
from thisismy.store.instances import Instance
from thisismy.web import responses
from thisismy.web.artifact_cache import ArtifactCache
from thisismy.web.error_handlers import NotFoundError
from thisismy.web.events import Events
from thisismy.web.job_queue import Job, Worker

Made = TypeVar("Made")

RANKINGS = 32
"""Rankings of candidates that are remembered, so that labelling does not shuffle what is on screen."""


@dataclass
class AppState:
    """Everything a request needs.

    Attributes:
        library: the library.
        events: who listens.
        worker: long work.
        artifacts: pictures and pieces of videos.
        local: whether only this machine can ask; then a folder may be typed.
        rankings: orders of candidates by key: the instance and its shots.
        playable: whether a browser plays a media, by content.
    """

    library: Library
    events: Events
    worker: Worker
    artifacts: ArtifactCache
    local: bool = True
    rankings: OrderedDict[str, Candidates] = field(default_factory=OrderedDict)
    playable: dict[str, bool] = field(default_factory=dict)
    guard: Lock = field(default_factory=Lock)

    @classmethod
    def open(cls, folder: Path, *, local: bool) -> AppState:
        """Open a library for a server, making it where there is none.

        Raises:
            LibraryError: it cannot be opened.
        """
        library = Library.create(folder)
        events = Events()

        def tell(job: Job) -> None:
            events.publish("job", job_shape(job).model_dump())

        return cls(library, events, Worker(tell), ArtifactCache(library.cache / "page"), local)

    async def make(self, do: Callable[[], Made]) -> Made:
        """Decode or encode something in a thread that searches do not need."""
        return await asyncio.get_running_loop().run_in_executor(self.artifacts.makers, do)

    def instance(self, number: int) -> Instance:
        """The instance of a number in a request.

        Raises:
            NotFoundError: there is none.
        """
        found = next((item for item in self.library.instances.all() if item.id == number), None)
        if found is None:
            raise NotFoundError(f"there is no instance number {number}")
        return found

    def ranking(self, key: str) -> Candidates | None:
        """A ranking that was remembered, None when it is forgotten."""
        with self.guard:
            return self.rankings.get(key)

    def remember(self, key: str, ranking: Candidates) -> None:
        """Keep a ranking for the windows that are asked for next."""
        with self.guard:
            self.rankings[key] = ranking
            while len(self.rankings) > RANKINGS:
                self.rankings.popitem(last=False)

    def warm(self) -> None:
        """Load what the first search needs; what goes wrong is said by that search."""
        with suppress(ThisIsMyError):
            if self.library.settings.encoder_id is not None:
                self.library.context.warm()

    def close(self) -> None:
        """Stop all work and let go of the library."""
        self.worker.close()
        self.artifacts.close()
        self.library.close()


def _of_request(request: Request) -> AppState:
    state: AppState = request.app.state.app_state
    return state


AppStateDep = Annotated[AppState, Depends(_of_request)]
"""What an endpoint asks for to get the state of its application."""


def job_shape(job: Job) -> responses.Job:
    """A job as it goes over the wire."""
    known = {key: value for key, value in asdict(job).items() if key in responses.Job.model_fields}
    return responses.Job(**known)
