"""evaluate: methods compared on benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from thisismy.cli.output import console, print_json, progress_bar

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from thisismy.core.progress import Progress
    from thisismy.encoders.base import Encoder
    from thisismy.evaluation.datasets.base import Benchmark
    from thisismy.evaluation.protocols.retrieval import Protocol
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
Examples = Annotated[
    int | None,
    typer.Option("--examples", min=1, help="Examples an instance is learned from; all if not given."),
]
Ask = Annotated[
    Literal["text", "image"], typer.Option("--query", help="Ask by name, or by a picture held back.")
]
Pooling = Annotated[
    Literal["mean", "max"], typer.Option("--pooling", help="A shot is its mean, or its best frame.")
]
Corpus = Annotated[int | None, typer.Option("--corpus", min=1, help="Size of the gallery; all if not given.")]
Deal = Annotated[
    int | None,
    typer.Option(
        "--deal",
        min=1,
        help="Deal a thing's photos anew by the seed: so many to learn from, the rest to find.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

METHODS = "default,visual,product"


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
def photos(
    context: typer.Context,
    benchmark: Annotated[Path, typer.Argument(help="The JSON file, or its folder.")],
    methods: Methods = METHODS,
    seeds: Seeds = 5,
    encoder: EncoderName = "auto",
    features: FeatureFile = None,
    examples: Examples = None,
    query: Ask = "text",
    corpus: Corpus = None,
    deal: Deal = None,
    json: Json = False,
) -> None:
    """Your own photos with captions (thisismy-photos/1)."""
    from thisismy.evaluation.datasets import photos as reader
    from thisismy.evaluation.protocols.retrieval import Protocol

    protocol = Protocol(examples=examples, query=query, corpus=corpus, deal=deal)
    _run(context, reader.read(benchmark), methods, seeds, encoder, features, protocol, json)


@app.command()
def vlogs(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="With the videos and their truth.")],
    methods: Methods = METHODS,
    seeds: Seeds = 5,
    encoder: EncoderName = "auto",
    features: FeatureFile = None,
    shots: Annotated[
        Literal["adaptive", "transnet", "windows", "truth"], typer.Option(help="How shots are found.")
    ] = "adaptive",
    examples_from: Annotated[
        Literal["given", "mined"], typer.Option(help="True examples, or those mined from the narration.")
    ] = "mined",
    examples: Examples = None,
    query: Ask = "text",
    pooling: Pooling = "mean",
    deal: Annotated[
        int | None,
        typer.Option("--deal", min=1, help="Only things with so many examples, drawn by the seed."),
    ] = None,
    json: Json = False,
) -> None:
    """Narrated videos (vlog-gt-1), from the video files: indexing, mining, learning, retrieval."""
    from thisismy.encoders import load_encoder
    from thisismy.evaluation.datasets import vlogs as reader
    from thisismy.evaluation.protocols.retrieval import Protocol
    from thisismy.evaluation.protocols.vlog_pipeline import vlog_benchmark
    from thisismy.evaluation.runs import feature_file

    chosen, truth, loaded = _methods(methods), reader.read(folder), load_encoder(encoder)
    with _progress(context) as progress:
        file = feature_file(folder.resolve().name, loaded, features)
        built = vlog_benchmark(truth, loaded, file, detector=shots, examples=examples_from, progress=progress)
    protocol = Protocol(examples, query, pooling, deal=deal)
    _run(context, built, chosen, seeds, loaded, file.path, protocol, json)


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
    from thisismy.evaluation.protocols.mining import PATTERNS, TRANSCRIPTS, evaluate_mining, mining_table
    from thisismy.evaluation.runs import feature_file

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


@app.command("this-is-my")
def this_is_my(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="With the released CSV and JSON files.")],
    methods: Methods = METHODS,
    seeds: Seeds = 5,
    encoder: EncoderName = "auto",
    features: FeatureFile = None,
    examples: Examples = None,
    query: Ask = "text",
    pooling: Pooling = "mean",
    corpus: Corpus = None,
    json: Json = False,
) -> None:
    """This-Is-My, the paper's benchmark; from clips, videos or a features file."""
    from thisismy.evaluation.datasets import this_is_my as reader
    from thisismy.evaluation.protocols.retrieval import Protocol

    protocol = Protocol(examples, query, pooling, corpus)
    _run(context, reader.read(folder), methods, seeds, encoder, features, protocol, json)


@app.command()
def deepfashion2(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The PerVL repository, or its annotations/deep_fashion.")],
    images: Annotated[Path | None, typer.Option(help="The folder with train/image.")] = None,
    split: Literal["validation", "test"] = "test",
    captions: Literal["short", "detailed"] = "short",
    methods: Methods = METHODS,
    seeds: Seeds = 5,
    encoder: EncoderName = "auto",
    features: FeatureFile = None,
    examples: Annotated[int, typer.Option(min=1, help="Photos a garment is learned from.")] = 5,
    query: Ask = "text",
    json: Json = False,
) -> None:
    """PerVL-DeepFashion2: garments worn in captioned photos."""
    from thisismy.evaluation.datasets import deepfashion2 as reader
    from thisismy.evaluation.protocols.retrieval import Protocol

    found = reader.read(folder, images, split=split, captions=captions)
    _run(context, found, methods, seeds, encoder, features, Protocol(examples, query), json)


@app.command()
def ytvos(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The PerVL repository, or its annotations/ytvos.")],
    images: Annotated[Path | None, typer.Option(help="The folder with JPEGImages and Annotations.")] = None,
    split: Literal["validation", "test"] = "test",
    methods: Methods = METHODS,
    seeds: Seeds = 5,
    encoder: EncoderName = "auto",
    features: FeatureFile = None,
    examples: Annotated[int, typer.Option(min=1, help="Frames an object is learned from.")] = 5,
    query: Ask = "text",
    json: Json = False,
) -> None:
    """PerVL-YTVOS: objects of YouTube-VOS scenes."""
    from thisismy.evaluation.datasets import ytvos as reader
    from thisismy.evaluation.protocols.retrieval import Protocol

    found = reader.read(folder, images, split=split)
    _run(context, found, methods, seeds, encoder, features, Protocol(examples, query), json)


@app.command()
def segmentation(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(help="The PerVL repository, or its annotations/ytvos; none with --tiny."),
    ] = None,
    images: Annotated[Path | None, typer.Option(help="The folder with JPEGImages and Annotations.")] = None,
    split: Literal["validation", "test"] = "test",
    methods: Methods = "palavra,palavra?epochs=0,pi-map,default,visual,language",
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
def folder(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="With one folder of photos per thing, such as dog__Biscuit.")],
    methods: Methods = METHODS,
    seeds: Seeds = 5,
    encoder: EncoderName = "auto",
    features: FeatureFile = None,
    examples: Annotated[int, typer.Option(min=1, help="Photos a thing is learned from, at most half.")] = 5,
    query: Ask = "text",
    json: Json = False,
) -> None:
    """A folder of photos per thing, without captions: generic retrieval only."""
    from thisismy.evaluation.datasets import image_folder as reader
    from thisismy.evaluation.protocols.retrieval import Protocol

    found = reader.read(path, examples=examples)
    _run(context, found, methods, seeds, encoder, features, Protocol(query=query), json)


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
    """Run a whole study from a file; if interrupted, the same command resumes."""
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


def _run(
    context: typer.Context,
    benchmark: Benchmark,
    methods: str | dict[str, Method],
    seeds: int,
    encoder: str | Encoder,
    features: Path | None,
    protocol: Protocol,
    json: bool,
) -> None:
    from thisismy.encoders import load_encoder
    from thisismy.encoders.caching import CachingEncoder
    from thisismy.evaluation.runs import evaluate as run

    chosen = _methods(methods) if isinstance(methods, str) else methods
    with _progress(context) as progress:
        document = run(
            benchmark,
            CachingEncoder(load_encoder(encoder) if isinstance(encoder, str) else encoder),
            chosen,
            seeds=range(seeds),
            protocol=protocol,
            features=features,
            progress=progress,
        )
    _print(document, json)


def _progress(context: typer.Context) -> AbstractContextManager[Progress]:
    return progress_bar(not getattr(context.obj, "quiet", False))


def _methods(names: str) -> dict[str, Method]:
    from thisismy.personalization.registry import make_method, parse_method

    return {spec: make_method(*parse_method(spec)) for spec in _names(names)}


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
    from thisismy.evaluation.datasets import BENCHMARKS
    from thisismy.personalization.registry import METHODS as REGISTRY

    first_lines = {name: (method.__doc__ or "").strip().split("\n")[0] for name, method in REGISTRY.items()}
    if json:
        print_json({"methods": first_lines, "benchmarks": BENCHMARKS})
        return
    for title, what in (("methods", first_lines), ("benchmarks", BENCHMARKS)):
        typer.echo(f"{title}:")
        for name, line in what.items():
            typer.echo(f"  {name:17} {line}")
