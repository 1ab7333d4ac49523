"""train-inversion: what PALAVRA and pi-map need to have learned about an encoder before they see a thing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from thisismy.cli.output import progress_bar
from thisismy.cli.settings import read_settings
from thisismy.cli.training import Json, Out, Seed, Settings, print_report


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("train-inversion")(train_inversion)


def train_inversion(
    context: typer.Context,
    method: Annotated[Literal["palavra", "pi-map"], typer.Argument(help="What it is for.")],
    folder: Annotated[
        Path | None,
        typer.Argument(help="Pictures with captions or in folders named after what they show."),
    ] = None,
    out: Out = Path("inversion.safetensors"),
    encoder: Annotated[
        str, typer.Option("--encoder", help="auto, embedded, a folder, or a model of the hub.")
    ] = "auto",
    source: Annotated[
        Literal["classes", "texts"] | None,
        typer.Option(
            "--from", help="Without a folder: the embedded encoder's classes, or texts in place of pictures."
        ),
    ] = None,
    settings: Settings = None,
    half: Annotated[bool, typer.Option("--half", help="Keep the weights in half precision.")] = False,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Train PALAVRA's set encoder or pi-map's map for an encoder; if interrupted, the same command resumes.

    Give the file to the method: `set_encoder` of palavra, `picture_map` of pi-map.
    """
    from thisismy.encoders import load_encoder
    from thisismy.services.inversion import train_inversion as train

    with progress_bar(not context.obj.quiet) as progress:
        report = train(
            method,
            out,
            load_encoder(encoder, allow_download=encoder != "auto", progress=progress),
            folder=folder,
            source=source,
            settings=read_settings(settings or []),
            half=half,
            seed=seed,
            progress=progress,
        )
    about = ", ".join(f"{key} {value}" for key, value in report.source.items())
    print_report(report, f"trained on {about}: {report.path}", json)
