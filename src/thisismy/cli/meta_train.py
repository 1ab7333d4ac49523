"""meta-train: what the things of a category have in common, before any of them is named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thisismy.cli.output import progress_bar
from thisismy.cli.settings import read_settings
from thisismy.cli.training import Json, Out, Seed, Settings, print_report

if TYPE_CHECKING:
    from thisismy.library import Library


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("meta-train")(meta_train)


def meta_train(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(help="Pictures in folders named after what they show; none: the library's things."),
    ] = None,
    out: Out = Path("categories.safetensors"),
    text: Annotated[
        bool,
        typer.Option(
            "--text", help="Without any picture: from phrases such as 'a furry black dog' of each category."
        ),
    ] = False,
    category: Annotated[
        list[str] | None,
        typer.Option(
            "--category",
            help="With --text: instead of the categories of the library's things; 'coco' for the 80 of COCO.",
        ),
    ] = None,
    encoder: Annotated[
        str,
        typer.Option(
            "--encoder", help="For a folder or --category: auto, embedded, a folder, or a model of the hub."
        ),
    ] = "auto",
    settings: Settings = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Learn category features for the method meta-tokens; if interrupted, the same command resumes.

    Then: `thisismy learn --method meta-tokens --set category_features=FILE`.
    """
    from thisismy.encoders import load_encoder
    from thisismy.library import Library
    from thisismy.services.meta_training import meta_train as train

    if (category and not text) or (text and folder is not None):
        raise typer.BadParameter(
            "--category goes with --text, and --text with no folder", param_hint="--text, --category"
        )
    library = Library.open(context.obj.library) if folder is None and not category else None
    with progress_bar(not context.obj.quiet) as progress:
        loaded = None
        if library is None:
            loaded = load_encoder(encoder, allow_download=encoder != "auto", progress=progress)
        report = train(
            out,
            learning=None if library is None else library.learning,
            folder=folder,
            categories=_categories(category or (), library) if text else None,
            encoder=loaded,
            settings=read_settings(settings or []),
            seed=seed,
            progress=progress,
        )
    about = ", ".join(f"{name} ({count})" for name, count in report.categories.items())
    print_report(report, f"{report.rounds} rounds on {about}: {report.path}", json)


def _categories(given: Sequence[str], library: Library | None) -> list[str]:
    """The categories asked for, or those of the library's things."""
    from thisismy.mining.categories import COCO_CATEGORIES

    if library is not None:
        return [thing.category for thing in library.learning.corpus()]
    return [name for one in given for name in (COCO_CATEGORIES if one.lower() == "coco" else (one,))]
