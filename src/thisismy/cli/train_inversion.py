"""train-inversion: what PALAVRA and pi-map need to have learned about an encoder before they see a thing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from thisismy.cli.output import console, print_json, progress_bar, say
from thisismy.cli.settings import read_settings


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
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")] = Path(
        "inversion.safetensors"
    ),
    encoder: Annotated[
        str, typer.Option("--encoder", help="auto, embedded, a folder, or a model of the hub.")
    ] = "auto",
    source: Annotated[
        Literal["classes", "texts"] | None,
        typer.Option(
            "--from", help="Without a folder: the embedded encoder's classes, or texts in place of pictures."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A setting, such as epochs=20; may be repeated.")
    ] = None,
    half: Annotated[bool, typer.Option("--half", help="Keep the weights in half precision.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same weights.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train PALAVRA's set encoder or pi-map's map for an encoder; interrupted, the same command goes on.

    Give the file to the method: `set_encoder` of palavra, `picture_map` of pi-map.
    """
    from thisismy.encoders import load_encoder
    from thisismy.verbs.inversion import train_inversion as train

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
    if json:
        print_json(report)
        return
    for path, reason in report.failed.items():
        say(f"left out: {path}: {reason}")
    about = ", ".join(f"{key} {value}" for key, value in report.source.items())
    last = report.history[-1] if report.history else {}
    out_ = console()
    out_.print(f"trained on {about}: {report.path}", markup=False)
    losses = [f"{k} {v:.3f}" for k, v in last.items() if k not in {"epoch", "learning_rate"}]
    out_.print(f"losses at the end: {', '.join(losses) or 'none'}", markup=False)
    if report.curves is not None:
        out_.print(f"curves: {report.curves}", markup=False)
