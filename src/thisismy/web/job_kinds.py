"""What each kind of job does, as one call of a service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thisismy.core.errors import LibraryError, QueryError
from thisismy.web.error_handlers import NotAllowedError, NotFoundError

if TYPE_CHECKING:
    from thisismy.web.job_queue import Do, Work
    from thisismy.web.requests import JobOrder
    from thisismy.web.state import AppState

FIELDS = {
    "index": {"paths", "settings"},
    "transcribe": {"speech", "language"},
    "mine": set[str](),
    "learn": {"instances", "method"},
    "forget": {"file_ids", "folder_ids", "missing"},
}
"""What an order of each kind may say."""


def prepare(app: AppState, order: JobOrder) -> tuple[str, Do]:
    """Title and work of an order; a wrong order is refused before it is queued.

    Raises:
        QueryError: a field does not belong to the kind.
        NotAllowedError: folders are typed on a page that other machines can open.
        NotFoundError: a number means nothing.
        LibraryError: a folder does not exist.
    """
    given = {key for key, value in order.model_dump().items() if value is not None} - {"kind"}
    wrong = sorted(given - FIELDS[order.kind])
    if wrong:
        raise QueryError(f"a job of kind {order.kind!r} does not take {', '.join(wrong)}")
    return {
        "index": _index,
        "transcribe": _transcribe,
        "mine": _mine,
        "learn": _learn,
        "forget": _forget,
    }[order.kind](app, order)


def _index(app: AppState, order: JobOrder) -> tuple[str, Do]:
    paths = _typed_paths(app, order.paths) if order.paths else None
    changes = order.settings.model_dump(exclude_none=True) if order.settings else {}
    if "encoder" in changes and not app.local:
        # Its name may be a folder, or be fetched from a hub.
        raise NotAllowedError("the encoder is chosen on the machine itself: `thisismy add --encoder NAME`")
    _check_settings(app, changes)

    def do(work: Work) -> Any:
        _wait_for_others(app, work)
        return asdict(app.library.files.add(paths, progress=work.progress, tell=work.say, **changes))

    return f"Index {', '.join(map(str, paths)) if paths else 'all folders'}", do


def _transcribe(app: AppState, order: JobOrder) -> tuple[str, Do]:
    speech = order.speech is not False

    def do(work: Work) -> Any:
        report = app.library.transcripts.transcribe(
            speech=speech, language=order.language, progress=work.progress
        )
        return asdict(report)

    return "Transcribe speech" if speech else "Read transcripts beside the videos", do


def _mine(app: AppState, _order: JobOrder) -> tuple[str, Do]:
    def do(work: Work) -> Any:
        _wait_for_others(app, work)
        found = app.library.mentions.mine(progress=work.progress)
        kept = [mention for mention in found if mention.verdict == "kept"]
        return {"mentions": len(found), "open": sum(mention.decision is None for mention in kept)}

    return "Find what people name", do


def _learn(app: AppState, order: JobOrder) -> tuple[str, Do]:
    from thisismy.personalization.registry import method_id

    known = {item.id: item.name for item in app.library.instances.all()}
    missing = [str(number) for number in order.instances or () if number not in known]
    if missing:
        raise NotFoundError(f"there is no instance number {', '.join(missing)}")
    names = [known[number] for number in order.instances] if order.instances else None
    method = None if order.method is None else method_id(order.method)

    def do(work: Work) -> Any:
        # Arguments that were given in a terminal stay until another method is chosen.
        other = method if method != app.library.learning.choice.method else None
        return asdict(app.library.learning.learn(names, method=other, progress=work.progress))

    return f"Learn {', '.join(names) if names else 'what changed'}", do


def _forget(app: AppState, order: JobOrder) -> tuple[str, Do]:
    paths: list[Path] = []
    for number in order.file_ids or ():
        path = app.library.files.path_of(number)
        if path is None:
            raise NotFoundError(f"there is no file number {number}")
        paths.append(path)
    folders = {folder_id(path): path for path in app.library.files.folders()}
    for key in order.folder_ids or ():
        if key not in folders:
            raise NotFoundError(f"there is no folder {key!r}")
        paths.append(folders[key])
    if not paths and not order.missing:
        raise QueryError("nothing to forget: give file_ids, folder_ids, or missing")

    def do(work: Work) -> Any:
        _wait_for_others(app, work)
        return {"removed": app.library.files.remove(paths, missing=bool(order.missing))}

    return f"Forget {len(paths)} files or folders" if paths else "Forget files that are gone from disk", do


def folder_id(path: Path) -> str:
    """A short name for a folder that was added, so that its path never has to come from a client."""
    import hashlib

    from thisismy.core.paths import path_bytes

    return hashlib.blake2b(path_bytes(path), digest_size=4).hexdigest()


def _typed_paths(app: AppState, typed: Sequence[str]) -> list[Path]:
    """The one place where a path comes from the page: what its user wants to add, on this machine only."""
    if not app.local:
        raise NotAllowedError("folders are added on the machine itself: `thisismy add FOLDER`")
    paths = [Path(text.strip()).expanduser() for text in typed]
    for path in paths:
        if "\0" in str(path) or not path.is_absolute():
            raise LibraryError(
                f"{str(path)!r} is not an absolute path: write it from the root, such as /home/me/Videos"
            )
        if not path.exists():
            raise LibraryError(f"{path} does not exist")
    return paths


def _check_settings(app: AppState, changes: dict[str, Any]) -> None:
    from dataclasses import replace

    from thisismy.jobs.shot_stage import make_detector

    make_detector(replace(app.library.settings, **changes))


def _wait_for_others(app: AppState, work: Work) -> None:
    """Wait until no other program indexes this library, and say so; it can be cancelled meanwhile."""
    said = False
    while app.library.is_indexed_elsewhere():
        if not said:
            work.say("another program is indexing this library: waiting for it")
            said = True
        work.pause(0.5)
