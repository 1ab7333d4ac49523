"""segment: the pixels of a named thing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thisismy.cli.output import clock, console, print_json


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(segment)


def segment(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help='A name, or words with it: "my dog Biscuit in the grass".')],
    place: Annotated[str, typer.Argument(help="VIDEO@1:23 or a photo.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="PNG of the picture with the thing marked.")
    ] = Path("mask.png"),
    mask: Annotated[
        Path | None, typer.Option("--mask", help="PNG of the mask alone: 255 where the thing is.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="Method that the picture's parts are scored by, such as pi-map.")
    ] = "prototype-context",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Mark a named thing in a frame or a photo, to the pixel.

    Something is always marked; whether the thing is there is for `thisismy search` to say.
    """
    from PIL import Image

    from thisismy.core.atomic_files import replacing
    from thisismy.core.errors import QueryError
    from thisismy.library import Library

    wrong = next((path for path in (out, mask) if path is not None and path.suffix.lower() != ".png"), None)
    if wrong is not None:
        raise QueryError(f"a mask is written as a .png file, not {wrong.name!r}")
    library = Library.open(context.obj.library)
    found = library.search.segment(query, place, method=method)
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as part:
        Image.fromarray(found.overlay()).save(part)
    if mask is not None:
        mask.parent.mkdir(parents=True, exist_ok=True)
        with replacing(mask) as part:
            Image.fromarray(found.mask.astype("uint8") * 255).save(part)
    if json:
        about = {"name": found.name, "prompt": found.prompt, "path": found.path.absolute()}
        where = {"time": found.time, "share": found.share, "box": found.box}
        print_json(about | where | {"out": out.absolute(), "mask": mask.absolute() if mask else None})
        return
    when = "" if found.time is None else f" at {clock(found.time)}"
    told = f"{found.name} in {found.path.name}{when}: {found.share:.0%} of the picture, {out}"
    console().print(told, markup=False)
