"""The library as a whole: status, folders, settings, disk."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from importlib.util import find_spec

from fastapi import APIRouter

from thisismy.core.paths import path_bytes, path_text
from thisismy.web import requests, responses
from thisismy.web.job_kinds import folder_id
from thisismy.web.state import AppState, AppStateDep, job_shape

router = APIRouter(prefix="/api", tags=["library"])


class Freed(responses.Shape):
    """Bytes."""

    freed: int


@router.get("/status", summary="The library at a glance")
def status(app: AppStateDep) -> responses.Status:
    """What the page shows first."""
    return read_status(app)


@router.get("/library", summary="Folders, settings, disk use")
def show_library(app: AppStateDep) -> responses.LibraryDetails:
    """Failures are under ``/api/media?state=failed``."""
    from thisismy.personalization import METHODS
    from thisismy.shots import DETECTORS

    settings = app.library.settings
    entries = app.library.files.all()
    paths = [entry.path for entry in entries if entry.state != "missing"]
    folders = []
    for root in app.library.files.folders():
        name = path_text(path_bytes(root))
        inside = sum(path == name or path.startswith(name.rstrip("/") + "/") for path in paths)
        folders.append(responses.Folder(id=folder_id(root), path=name, exists=root.exists(), files=inside))
    states = dict.fromkeys(("indexed", "pending", "failed", "missing"), 0)
    for entry in entries:
        states[entry.state] += 1
    return responses.LibraryDetails(
        folder=str(app.library.folder),
        folders=folders,
        settings=responses.Settings(
            **{key: getattr(settings, key) for key in responses.Settings.model_fields}
        ),
        detectors=list(DETECTORS),
        methods=list(METHODS),
        states=responses.States(**states),
        disk=responses.Disk(**asdict(app.library.disk_use())),
    )


@router.post("/library/clear-cache", summary="Delete pictures and pieces that can be made again")
def clear_cache(app: AppStateDep, body: requests.Nothing) -> Freed:
    """The vectors that are searched are kept."""
    return Freed(freed=app.artifacts.clear())


def read_status(app: AppState) -> responses.Status:
    """Counts, encoder, and jobs that are not over."""
    settings = app.library.settings
    counts = app.library.files.counts()
    return responses.Status(
        version=version("thisismy"),
        library=str(app.library.folder),
        generation=app.library.generation,
        encoder=settings.encoder,
        encoder_id=settings.encoder_id,
        **asdict(counts),
        instances=app.library.instances.count(),
        open_mentions=app.library.mentions.count_open(),
        folders_allowed=app.local,
        speech=find_spec("faster_whisper") is not None,
        jobs=[job_shape(job) for job in app.worker.jobs() if not job.finished],
    )
