"""What a command prints: tables and progress for people, JSON for programs, one line for an error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thisismy.core.progress import Progress, silent

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """Where tables go: standard output; plain text when it is not a terminal."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def say(message: str) -> None:
    """A remark to a person, on standard error so that it never mixes with results."""
    sys.stderr.write(message + "\n")


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)


def short_path(path: str) -> str:
    """A path as people read it: from the working directory when it lies below, else whole."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path


def clock(seconds: float) -> str:
    """Seconds as people read them: 83.5 is "1:23.5", 3725 is "1:02:05.0"."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{rest // 10:02d}.{rest % 10}"


@contextmanager
def progress_bar(shown: bool) -> Iterator[Progress]:
    """Bars with a rate and the time left on standard error; nothing when not shown or no terminal."""
    if not shown or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        ProgressColumn,
        Task,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Done(ProgressColumn):
        """How much is done, of how much if that is known, and the rate as soon as there is one."""

        def render(self, task: Task) -> Text:
            total = "" if task.total is None else f"/{task.total:.0f}"
            rate = "" if task.speed is None else f"  {task.speed:.1f}/s"
            return Text(f"{task.completed:.0f}{total}{rate}")

    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        Done(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    tasks: dict[str, TaskID] = {}

    def tell(stage: str, done: float, total: float | None, /) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total)
        bars.update(tasks[stage], completed=done, total=total)

    with bars:
        yield tell
