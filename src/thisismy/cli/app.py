"""The commands together, and what happens when one fails."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from thisismy.cli import (
    demo,
    doctor,
    evaluate,
    index,
    instances,
    learn,
    meta_train,
    naming,
    search,
    segment,
    serve,
    train_inversion,
)
from thisismy.cli.output import say
from thisismy.core.errors import ThisIsMyError

# The parser's class of everything that is wrong with a command line; typer gives no other name to it.
_UsageError: Any = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="thisismy",
    help="Find your own named things in your own videos. Everything stays on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@dataclass(frozen=True)
class Options:
    """What all commands share."""

    library: Path
    quiet: bool


def default_library() -> Path:
    """THISISMY_LIBRARY, else a folder of this program among the user's application data."""
    named = os.environ.get("THISISMY_LIBRARY")
    return Path(named) if named else Path(typer.get_app_dir("thisismy")) / "library"


def _version(shown: bool) -> None:
    if shown:
        from importlib.metadata import version

        typer.echo(f"thisismy {version('thisismy')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    library: Annotated[
        Path | None,
        typer.Option(
            "--library", "-L", help="Folder of the library [env: THISISMY_LIBRARY]", show_default=False
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no remarks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options that come before the command."""
    context.obj = Options(library or default_library(), quiet)


index.register(app)
search.register(app)
segment.register(app)
serve.register(app)
naming.register(app)
instances.register(app)
learn.register(app)
meta_train.register(app)
doctor.register(app)
app.add_typer(evaluate.app, name="evaluate")
demo.register(app)
train_inversion.register(app)


class Interrupted(BaseException):
    """The user pressed Ctrl-C, or the system asked the program to end."""


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise Interrupted


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code: 0 done, 1 failed, 2 misused, 130 interrupted."""
    # An exception of our own, because the command line parser has its own idea of a KeyboardInterrupt.
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = app(args=list(arguments), prog_name="thisismy", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except _UsageError as error:
        # Without a command the help has been shown, and there is nothing to say.
        message = " ".join(error.format_message().split())
        if message:
            where = error.ctx.command_path if error.ctx else "thisismy"
            say(f"thisismy: {message.rstrip('.')} (see `{where} --help`)")
        return 2
    except typer.Abort:
        return 1
    except ThisIsMyError as error:
        say(f"thisismy: {error}")
        return 1
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 0
    except Interrupted:
        say("thisismy: stopped; what was finished is kept, and the same command resumes from there")
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except OSError as error:
        # Whatever the system refuses (a folder that is not there, a full disk) is not a fault of the program.
        if error.strerror is None:
            raise
        where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        say(f"thisismy: {where}{error.strerror}")
        return 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main() -> None:
    """Run the command line; the entry point of ``thisismy``."""
    sys.exit(run(sys.argv[1:]))
