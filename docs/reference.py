"""Write the two reference pages, docs/cli.md and docs/json.md, from the commands and the classes themselves.

Run ``python docs/reference.py``; with ``--check`` it writes nothing and exits with 1 when a page is not what
would be written.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer

from thisismy.cli.app import app

HERE = Path(__file__).parent

CLI_HEAD = """\
# The command line

`--library` and `--quiet` stand before the command. Every command takes `--help`, and those that answer take
`--json`, whose shapes are in [json.md](json.md). Exit codes: 0 done, 1 something failed and was said, 2 a
wrong option, 130 interrupted.
"""

JSON_HEAD = """\
# JSON

With `--json` a command prints one document on standard output and nothing else; progress and remarks go to
standard error. These shapes are kept: fields may be added, none is renamed or taken away within a major
version. Paths are absolute, times are seconds.
"""

SHAPES = (
    (
        "add",
        "An object:",
        "jobs.indexing:IndexReport",
        ("jobs.indexing:Failure", "jobs.indexing:Note"),
    ),
    ("ls", "A list of files, each:", "store.catalog:CatalogEntry", ()),
    (
        "show",
        'What `ls` prints for one file, and `"shots"`, each with `"start"`, `"end"` and `"frames"`.',
        "",
        (),
    ),
    ("rm", '`{"removed": n}`', "", ()),
    (
        "search",
        "An object:",
        "cli.search_json:Search",
        ("cli.search_json:Hit", "cli.search_json:Place", "cli.search_json:Evidence"),
    ),
    ("search --said", '`{"said": ..., "hits": [...]}`, a hit being:', "services.transcripts:PhraseHit", ()),
    (
        "export",
        '`{"query": ..., "hits": [...]}`, the hits as in `search`, and:',
        "retrieval.export:Saved",
        ("retrieval.export:ExportFailure",),
    ),
    (
        "segment",
        '`{"name": ..., "prompt": ..., "path": ..., "time": ..., "share": ..., "box": ..., "out": ..., '
        '"mask": ...}`; `time` is null for a photo, `share` the part of the picture that is marked, 0 to 1, '
        "`box` is left, top, right and bottom of it in pixels of `out`, `mask` is null without `--mask`.",
        "",
        (),
    ),
    ("transcribe", "An object:", "jobs.transcribing:TranscribeReport", ()),
    ("mine", '`{"mentions": [...]}`, a mention being:', "store.mentions:MentionRow", ()),
    ("name", "The instance:", "store.instances:Instance", ()),
    ("instances list", '`{"instances": [...]}`, as `name` prints one.', "", ()),
    (
        "instances show",
        '`{"instance": ..., "examples": [...]}`, an example being:',
        "services.instances:LocatedExample",
        ("store.instances:Example",),
    ),
    ("instances propose", '`{"proposals": [...]}`, as the examples of `instances show`.', "", ()),
    ("learn", "An object:", "services.learning:LearnReport", ("services.learning:LearnedInstance",)),
    ("doctor", '`{"checks": [...], "ok": true}`, a check being:', "diagnosis:Check", ()),
)


def main() -> None:
    """Write the pages, or say which one is out of step."""
    stale = []
    for name, page in {"cli.md": cli_page(), "json.md": json_page()}.items():
        path = HERE / name
        if "--check" not in sys.argv:
            path.write_text(page, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != page:
            stale.append(name)
    if stale:
        sys.exit(f"out of step: {', '.join(stale)}; run `python docs/reference.py`")


def cli_page() -> str:
    """Every command with its arguments and options."""
    lines = [CLI_HEAD]
    for name, command in _commands(typer.main.get_command(app), "thisismy"):
        lines += [f"## {name}", "", _paragraphs(command.help or ""), ""]
        rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            lines += ["| | |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def json_page() -> str:
    """What every command prints with ``--json``, from the classes behind it."""
    lines = [JSON_HEAD]
    for command, head, main_class, others in SHAPES:
        lines += [f"## {command}", "", head, ""]
        for number, where in enumerate(filter(None, (main_class, *others))):
            described = _class(where)
            if number:
                lines += [f"{described.__name__}:", ""]
            lines += ["| | |", "|---|---|"]
            lines += [f"| `{name}` | {text} |" for name, text in _attributes(described)]
            lines.append("")
    return "\n".join(lines)


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    for child, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _commands(inner, f"{name} {child}")


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = f"`{(parameter.metavar or parameter.name).upper()}`"
    else:
        name = ", ".join(f"`{option}`" for option in [*parameter.opts, *parameter.secondary_opts])
    text = " ".join((getattr(parameter, "help", None) or "").split())
    default = parameter.default
    if default not in (None, "", (), []) and not callable(default) and not isinstance(default, bool):
        text += f" Default: {default}."
    return f"| {name} | {_cell(text)} |"


def _class(where: str) -> type:
    module, name = where.split(":")
    found: type = getattr(importlib.import_module(f"thisismy.{module}"), name)
    return found


def _attributes(described: type) -> Iterator[tuple[str, str]]:
    """Fields with what the docstring says of them; one line may speak of several."""
    head, _, section = (inspect.getdoc(described) or "").partition("Attributes:\n")
    if not section:
        yield "`, `".join(field.name for field in fields(described)), _cell(" ".join(head.split()))
        return
    said: dict[str, str] = {}
    for entry in re.split(r"\n(?=    \S)", section):
        names, _, text = entry.strip().partition(": ")
        for name in names.split(", "):
            said[name] = " ".join(text.split())
    for field in fields(described):
        if field.name not in said:
            raise SystemExit(f"{described.__name__}.{field.name} is not described in its docstring")
        yield field.name, _cell(said[field.name])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
