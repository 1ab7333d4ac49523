"""evaluate: methods compared on benchmarks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from thisismy.cli.output import console, print_json, progress_bar
from thisismy.evaluation.datasets.registry import DATASETS, Dataset, Option

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from thisismy.core.progress import Progress
    from thisismy.personalization.base import Method

app = typer.Typer(
    help="Compare methods on benchmarks, with intervals and paired tests.",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Methods = Annotated[
    str,
    typer.Option(
        "--methods",
        help="Names from --list with commas between; arguments as NAME?ARGUMENT=VALUE&ARGUMENT=VALUE.",
    ),
]
Seeds = Annotated[int, typer.Option("--seeds", min=1, max=1000, help="Runs of every method.")]
EncoderName = Annotated[
    str, typer.Option("--encoder", help="auto, embedded, a folder, or a model of the hub.")
]
FeatureFile = Annotated[
    Path | None, typer.Option("--features", help="File to keep features in, or to take them from.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

METHODS = "default,clip-visual,product"

SETTINGS: dict[str, tuple[Any, Any, str]] = {
    "examples": (int, None, "Examples an instance is learned from; all if not given."),
    "query": (Literal["text", "image"], "text", "Ask by name, or by a picture held back."),
    "pooling": (Literal["mean", "max"], "mean", "A shot is its mean, or its best frame."),
    "corpus": (int, None, "Size of the gallery; all if not given."),
    "deal": (
        int,
        None,
        "Split a thing's photos again by the seed: this many to learn from, the rest to find.",
    ),
}
"""Settings of the protocol: type, default and help of their options."""


@app.callback()
def evaluate(
    context: typer.Context,
    listed: Annotated[bool, typer.Option("--list", help="Name the methods and the benchmarks.")] = False,
    json: Json = False,
) -> None:
    """Compare methods on benchmarks, with intervals and paired tests."""
    if listed:
        _print_list(json)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


@app.command()
def mining(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="With the videos, their subtitles and their truth.")],
    encoder: EncoderName = "auto",
    patterns: Annotated[
        str, typer.Option(help="Pattern sets: paper, wide, pos-nouns, ner, paper+ner.", show_default="all")
    ] = "",
    transcripts: Annotated[
        str,
        typer.Option(
            help="srt: true subtitles, vtt: automatic captions, asr: recognised here.", show_default="all"
        ),
    ] = "",
    shots: Annotated[
        Literal["adaptive", "transnet", "windows", "truth"], typer.Option(help="How shots are found.")
    ] = "adaptive",
    variants: Annotated[
        bool, typer.Option("--variants", help="Also other settings, such as the paper's own thresholds.")
    ] = False,
    features: FeatureFile = None,
    json: Json = False,
) -> None:
    """Mining on narrated videos (vlog-gt-1): what is spotted, kept, and gathered, against the truth."""
    from thisismy.encoders import load_encoder
    from thisismy.evaluation.datasets import vlogs as reader
    from thisismy.evaluation.features import feature_file
    from thisismy.evaluation.protocols.mining import PATTERNS, TRANSCRIPTS, evaluate_mining
    from thisismy.evaluation.reports.render import mining_table

    truth, loaded = reader.read(folder), load_encoder(encoder)
    with _progress(context) as progress:
        document = evaluate_mining(
            truth,
            loaded,
            feature_file(folder.resolve().name, loaded, features),
            patterns=_names(patterns) or PATTERNS,
            transcripts=_names(transcripts) or TRANSCRIPTS,
            detector=shots,
            variants=variants,
            progress=progress,
        )
    if json:
        print_json(document)
        return
    console().print(mining_table(document))


@app.command()
def segmentation(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(help="The PerVL repository, or its annotations/ytvos; none with --tiny."),
    ] = None,
    images: Annotated[Path | None, typer.Option(help="The folder with JPEGImages and Annotations.")] = None,
    split: Literal["validation", "test"] = "test",
    methods: Methods = "palavra,palavra?epochs=0,pi-map,default,clip-visual,language",
    seeds: Seeds = 5,
    encoder: EncoderName = "auto",
    features: FeatureFile = None,
    examples: Annotated[int, typer.Option(min=1, help="Frames an object is learned from.")] = 10,
    ask: Annotated[
        Literal["name", "caption"], typer.Option(help="Look for the name alone, or for the frame's caption.")
    ] = "name",
    tiny: Annotated[bool, typer.Option("--tiny", help="Drawn pictures with known masks.")] = False,
    json: Json = False,
) -> None:
    """Pixels of named things in YouTube-VOS frames (PerVL-YTVOS): overlap with the true masks."""
    import tempfile

    from thisismy.core.errors import BenchmarkError
    from thisismy.encoders import load_encoder
    from thisismy.evaluation.datasets import ytvos as reader
    from thisismy.evaluation.protocols.segmentation import evaluate_segmentation
    from thisismy.evaluation.reports.render import segmentation_tables
    from thisismy.evaluation.tiny import write_scenes

    if folder is None and not tiny:
        raise BenchmarkError(f"segmentation needs a folder, or --tiny; {reader.SOURCE}")
    with tempfile.TemporaryDirectory() as scratch, _progress(context) as progress:
        drawn = write_scenes(Path(scratch)) if folder is None else reader.read(folder, images, split=split)
        document = evaluate_segmentation(
            drawn,
            load_encoder(encoder),
            _methods(methods),
            seeds=range(seeds),
            examples=examples,
            ask=ask,
            features=Path(scratch) / "drawn.safetensors" if folder is None else features,
            progress=progress,
        )
    if json:
        print_json(document)
        return
    for part in segmentation_tables(document):
        console().print(part)


@app.command()
def study(
    context: typer.Context,
    config: Annotated[Path | None, typer.Argument(help="A TOML file; none with --tiny: all methods.")] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for results, tables, plot and sheets.")
    ] = Path("study"),
    data: Annotated[
        Path | None,
        typer.Option(help="Folder that paths of benchmarks are relative to; the file's if not given."),
    ] = None,
    features: Annotated[Path | None, typer.Option(help="Folder for features files.")] = None,
    tiny: Annotated[
        bool, typer.Option("--tiny", help="Drawn pictures and two seeds: ends in seconds.")
    ] = False,
    json: Json = False,
) -> None:
    """Run a whole study from a file; run the same command again to resume an interrupted one."""
    from thisismy.core.errors import BenchmarkError
    from thisismy.evaluation.config import parse, read
    from thisismy.evaluation.study import run_study, run_tiny
    from thisismy.personalization.registry import METHODS as REGISTRY

    if config is None and not tiny:
        raise BenchmarkError("a study needs a TOML file, or --tiny to try all methods on drawn pictures")
    everything = {"name": "tiny", "encoder": "embedded", "seeds": 1, "methods": list(REGISTRY)}
    wanted = parse(everything, Path(), "tiny") if config is None else read(config, data)
    with _progress(context) as progress:
        if tiny:
            document = run_tiny(wanted, out, progress)
        else:
            document = run_study(wanted, out, features=features, progress=progress)
    if json:
        print_json(document)
        return
    for result in document["results"]:
        _print(result, json=False)
    typer.echo(f"written to {out}")


def dataset_command(dataset: Dataset) -> Callable[..., None]:
    """The command of a dataset: its path, the options of its reader, and its settings of the protocol."""

    def command(**given: Any) -> None:
        from thisismy.encoders import load_encoder
        from thisismy.encoders.caching import CachingEncoder
        from thisismy.evaluation.features import feature_file
        from thisismy.evaluation.protocols.retrieval import Protocol
        from thisismy.evaluation.runs import evaluate as run

        path, features = given[dataset.argument], given["features"]
        methods = _methods(given["methods"])
        options = {option.name: given[option.name] for option in dataset.options}
        # What is missing is said before an encoder is loaded, where that is possible.
        benchmark = None if dataset.indexed else dataset.read(path, options)
        encoder = CachingEncoder(load_encoder(given["encoder"]))
        with _progress(given["context"]) as progress:
            if benchmark is None:
                file = feature_file(path.resolve().name, encoder, features)
                benchmark, features = dataset.read(path, options, encoder, file, progress), file.path
            document = run(
                benchmark,
                encoder,
                methods,
                seeds=range(given["seeds"]),
                protocol=Protocol(**{name: given[name] for name in dataset.settings}),
                features=features,
                progress=progress,
            )
        _print(document, given["json"])

    parameters = [
        _parameter("context", typer.Context),
        _parameter(dataset.argument, Annotated[Path, typer.Argument(help=dataset.argument_help)]),
        *(_reader_option(option) for option in dataset.options),
        _parameter("methods", Methods, METHODS),
        _parameter("seeds", Seeds, 5),
        _parameter("encoder", EncoderName, "auto"),
        _parameter("features", FeatureFile, None),
        *(_setting_option(dataset, name) for name in dataset.settings),
        _parameter("json", Json, default=False),
    ]
    command.__doc__ = dataset.title
    command.__name__ = dataset.name
    # Typer reads the options of a command from its signature.
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _reader_option(option: Option) -> inspect.Parameter:
    """An option of a reader: one of its choices, a number, or a folder."""
    if option.choices:
        return _parameter(
            option.name, Annotated[Literal[option.choices], typer.Option(help=option.help)], option.default
        )
    if isinstance(option.default, int):
        return _parameter(option.name, Annotated[int, typer.Option(min=1, help=option.help)], option.default)
    return _parameter(option.name, Annotated[Path | None, typer.Option(help=option.help)], None)


def _setting_option(dataset: Dataset, name: str) -> inspect.Parameter:
    """An option for a setting of the protocol, with the dataset's own default and help where it has them."""
    kind, default, text = SETTINGS[name]
    text, default = dataset.setting_help.get(name, text), dataset.defaults.get(name, default)
    if kind is not int:
        return _parameter(name, Annotated[kind, typer.Option(help=text)], default)
    whole = int | None if default is None else int
    return _parameter(name, Annotated[whole, typer.Option(min=1, help=text)], default)


for _dataset in DATASETS.values():
    app.command(_dataset.name)(dataset_command(_dataset))


def _progress(context: typer.Context) -> AbstractContextManager[Progress]:
    return progress_bar(not getattr(context.obj, "quiet", False))


def _methods(names: str) -> dict[str, Method]:
    from thisismy.evaluation.methods import methods_of

    return methods_of(_names(names))


def _names(names: str) -> list[str]:
    return [name for name in (part.strip() for part in names.split(",")) if name]


def _print(document: dict[str, Any], json: bool) -> None:
    if json:
        print_json(document)
        return
    from thisismy.evaluation.reports.render import rich_tables

    screen = console()
    for part in rich_tables(document):
        screen.print(part)


def _print_list(json: bool) -> None:
    from thisismy.personalization.registry import describe_methods

    methods = describe_methods()
    benchmarks = {dataset.name: dataset.about for dataset in DATASETS.values()}
    if json:
        print_json({"methods": methods, "benchmarks": benchmarks})
        return
    for title, what in (("methods", methods), ("benchmarks", benchmarks)):
        typer.echo(f"{title}:")
        for name, line in what.items():
            typer.echo(f"  {name:20} {line}")
