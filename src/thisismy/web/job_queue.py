"""Jobs, run one after the other in a thread of their own."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from threading import Condition, Thread
from typing import Any

from thisismy.core.errors import ThisIsMyError

KEPT = 50
"""How many finished jobs are remembered."""

EVERY = 0.2
"""Seconds between two reports of progress."""

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"

_log = logging.getLogger(__name__)


class Cancelled(BaseException):
    """Raised inside a job that is to stop; no ``except Exception`` may take it for a broken file."""


@dataclass
class Job:
    """One job.

    Attributes:
        id: number, rising.
        kind: "index", "transcribe", "mine", "learn" or "forget".
        title: for people.
        asked: the order; the same order while it waits is the same job.
        state: "waiting", "running", "done", "failed" or "cancelled".
        stage: what it is at.
        done: units of the stage done.
        total: units of the stage in all, None when not known.
        lines: remarks for people.
        result: what came of it.
        error: why it failed, one line.
        created_at: ISO 8601, and so for the other two.
        started_at: None before.
        finished_at: None before.
    """

    id: int
    kind: str
    title: str
    asked: Any
    state: str = WAITING
    stage: str = ""
    done: float = 0.0
    total: float | None = None
    lines: list[str] = field(default_factory=list)
    result: Any = None
    error: str | None = None
    created_at: str = field(default_factory=lambda: _now())
    started_at: str | None = None
    finished_at: str | None = None
    stopping: bool = False

    @property
    def finished(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.state in (DONE, FAILED, CANCELLED)


class Work:
    """What a running job uses to say how far it is; raises `Cancelled` when it is to stop."""

    def __init__(self, job: Job, tell: Callable[[Job], None]) -> None:
        self._job = job
        self._tell = tell
        self._told = 0.0

    def progress(self, stage: str, done: float, total: float | None, /) -> None:
        """Note how far a stage is."""
        if self._job.stopping:
            raise Cancelled
        new = stage != self._job.stage
        self._job.stage, self._job.done, self._job.total = stage, float(done), total
        now = time.monotonic()
        if new or now - self._told >= EVERY:
            self._told = now
            self._tell(self._job)

    def say(self, line: str) -> None:
        """Add a remark."""
        self._job.lines.append(line)
        self._tell(self._job)

    def pause(self, seconds: float) -> None:
        """Wait a moment for something outside this process; raises `Cancelled` when the job is to stop."""
        if self._job.stopping:
            raise Cancelled
        time.sleep(seconds)


Do = Callable[[Work], Any]
"""What a job does: gives its result as JSON, raises one of our errors when it fails."""


class Worker:
    """A queue of jobs and the thread that does them."""

    def __init__(self, tell: Callable[[Job], None]) -> None:
        self._tell = tell
        self._numbers = count(1)
        self._jobs: deque[Job] = deque()
        self._queue: deque[tuple[Job, Do]] = deque()
        self._changed = Condition()
        self._closing = False
        self._thread: Thread | None = None

    def submit(self, kind: str, title: str, asked: Any, do: Do) -> Job:
        """Queue a job; one that waits already with the same order is given back instead.

        Raises:
            ThisIsMyError: the server is stopping.
        """
        with self._changed:
            if self._closing:
                raise ThisIsMyError("the server is stopping")
            for job, _ in self._queue:
                if (job.kind, job.asked) == (kind, asked):
                    return job
            job = Job(next(self._numbers), kind, title, asked)
            self._jobs.append(job)
            self._queue.append((job, do))
            self._forget_old()
            if self._thread is None:
                # A thread that the interpreter does not wait for; `close` does, for as long as it is told.
                self._thread = Thread(target=self._run, name="thisismy-worker", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        self._tell(job)
        return job

    def jobs(self) -> list[Job]:
        """All jobs remembered, newest first."""
        with self._changed:
            return list(reversed(self._jobs))

    def find(self, number: int) -> Job | None:
        """The job of a number, None when there is none or it is forgotten."""
        return next((job for job in self.jobs() if job.id == number), None)

    def cancel(self, job: Job) -> None:
        """Stop a job; what it finished is kept."""
        with self._changed:
            waiting = next((item for item in self._queue if item[0] is job), None)
            if waiting is not None:
                self._queue.remove(waiting)
                _finish(job, CANCELLED)
            elif not job.finished:
                job.stopping = True
        self._tell(job)

    def close(self, timeout: float = 10.0) -> bool:
        """Stop everything; False when a job would not stop within ``timeout`` seconds."""
        with self._changed:
            self._closing = True
            self._queue.clear()
            for job in self._jobs:
                job.stopping = True
            self._changed.notify_all()
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _forget_old(self) -> None:
        over = [job for job in self._jobs if job.finished]
        for job in over[: max(0, len(self._jobs) - KEPT)]:
            self._jobs.remove(job)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closing)
                if self._closing:
                    return
                job, do = self._queue.popleft()
                job.state, job.started_at = RUNNING, _now()
            self._tell(job)
            self._do(job, do)
            self._tell(job)

    def _do(self, job: Job, do: Do) -> None:
        try:
            job.result = do(Work(job, self._tell))
        except Cancelled:
            _finish(job, CANCELLED)
        except ThisIsMyError as error:
            job.error = str(error)
            _finish(job, FAILED)
        except Exception as error:  # noqa: BLE001 - a defect in one job must not end the worker
            _log.exception("job %d (%s) failed", job.id, job.kind)
            job.error = f"{type(error).__name__}: {error}".splitlines()[0]
            _finish(job, FAILED)
        else:
            _finish(job, DONE)


def _finish(job: Job, state: str) -> None:
    job.state, job.finished_at = state, _now()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
