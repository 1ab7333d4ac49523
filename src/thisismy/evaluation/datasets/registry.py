"""The datasets by the names they have on the command line and in the file of a study.

Everything that is said about a dataset is said here once: the commands of ``thisismy evaluate``, its
``--list``, the file of a study and the guide are made from it. Nothing heavy is imported until a dataset is
read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thisismy.core.errors import BenchmarkError
from thisismy.core.progress import Progress, silent

if TYPE_CHECKING:
    from thisismy.encoders.base import Encoder
    from thisismy.evaluation.datasets.base import Benchmark
    from thisismy.evaluation.features import FeatureFile


@dataclass(frozen=True)
class Option:
    """An option of a reader, on the command line and in the file of a study.

    Attributes:
        name: the reader's argument.
        help: one sentence.
        choices: the values there are; empty where any value of the default's type will do.
        default: what it is where nothing is given. An option with the default None takes a folder.
        in_studies: whether the file of a study can give it; False where a setting of the protocol has the
            same name there.
    """

    name: str
    help: str
    choices: tuple[str, ...] = ()
    default: str | int | None = None
    in_studies: bool = True


@dataclass(frozen=True)
class Published:
    """A row that others printed, x100; None where they gave no value."""

    method: str
    source: str
    generic_map: float | None = None
    generic_mrr: float | None = None
    contextual_mrr: float | None = None
    contextual_r5: float | None = None


@dataclass(frozen=True)
class Dataset:
    """One dataset.

    Attributes:
        name: on the command line, and the ``kind`` in the file of a study.
        title: what the command's help says, one sentence.
        about: what ``--list`` says, one line.
        argument: name of the path that the command takes.
        argument_help: what it is.
        needs: what has to be in its folder, for the guide.
        reader: ``module:function`` below `thisismy.evaluation`; takes the path and the options.
        options: of the reader.
        settings: the settings of the protocol that make sense for it.
        defaults: settings whose value is not the protocol's own but that of the dataset's authors.
        setting_help: help of settings that mean something particular here.
        published: rows that others printed.
        indexed: whether reading it takes the encoder and the features file, because shots are found first.
    """

    name: str
    title: str
    about: str
    argument: str
    argument_help: str
    needs: str
    reader: str
    options: tuple[Option, ...] = ()
    settings: tuple[str, ...] = ("examples", "query")
    defaults: Mapping[str, int] = field(default_factory=dict)
    setting_help: Mapping[str, str] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
    indexed: bool = False

    def study_options(self) -> tuple[str, ...]:
        """Names of the options that the file of a study can give."""
        return tuple(option.name for option in self.options if option.in_studies)

    def check(self, options: Mapping[str, Any]) -> None:
        """Check the values of options.

        Raises:
            BenchmarkError: an option cannot have that value.
        """
        for option in self.options:
            value = options.get(option.name, option.default)
            if option.choices and value not in option.choices:
                raise BenchmarkError(
                    f"{self.name}: {option.name} is one of {', '.join(option.choices)}, not {value!r}"
                )

    def read(
        self,
        path: Path,
        options: Mapping[str, Any],
        encoder: Encoder | None = None,
        file: FeatureFile | None = None,
        progress: Progress = silent,
    ) -> Benchmark:
        """The benchmark in a folder or file.

        Args:
            path: of the dataset.
            options: of its reader, by name.
            encoder: frozen; needed where the dataset is ``indexed``.
            file: where features of the shots that are found go; needed where the dataset is ``indexed``.
            progress: told what is found.

        Raises:
            BenchmarkError: it is incomplete, or an option cannot have that value.
        """
        self.check(options)
        reader = _function(self.reader)
        if self.indexed:
            return reader(path, encoder, file, progress=progress, **options)
        return reader(path, **options)


def _function(where: str) -> Callable[..., Benchmark]:
    module, name = where.split(":")
    found: Callable[..., Benchmark] = getattr(import_module(f"thisismy.evaluation.{module}"), name)
    return found


IMAGES = "The folder with {}."
SPLIT = Option("split", "The part of the dataset that is read.", ("validation", "test"), "test")
DETECTORS = ("adaptive", "transnet", "windows", "truth")
SHOTS = Option("shots", "How shots are found.", DETECTORS, "adaptive")
YEH = "Yeh et al., 2023"
COHEN = "Cohen et al., 2022"

DATASETS: Mapping[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            "photos",
            title="Your own photos with captions (thisismy-photos/1).",
            about="your own photos with captions, described by one JSON file (thisismy-photos/1)",
            argument="benchmark",
            argument_help="The JSON file, or its folder.",
            needs="`benchmark.json` and the photos it names",
            reader="datasets.photos:read",
            settings=("examples", "query", "corpus", "deal"),
        ),
        Dataset(
            "vlogs",
            title="Narrated videos (vlog-gt-1), from the video files: indexing, mining, learning, retrieval.",
            about="narrated videos with full truth (vlog-gt-1): indexing, mining, learning and retrieval",
            argument="folder",
            argument_help="With the videos and their truth.",
            needs="`instances.json`, `queries.json`, and `NAME.mp4`, `NAME.srt`, `NAME.json` for each video",
            reader="protocols.vlog_pipeline:read_and_index",
            options=(
                SHOTS,
                Option(
                    "examples_from",
                    "True examples, or those mined from the narration.",
                    ("given", "mined"),
                    "mined",
                ),
            ),
            settings=("examples", "query", "pooling", "deal"),
            setting_help={"deal": "Only things with so many examples, drawn by the seed."},
            indexed=True,
        ),
        Dataset(
            "this-is-my",
            title="This-Is-My, the paper's benchmark; from clips, videos or a features file.",
            about="the paper's benchmark: 15 instances of 10 channels, 30 captions, 4,976 segments",
            argument="folder",
            argument_help="With the released CSV and JSON files.",
            needs="`segments.csv`, `this-is-my_test-set.json`, `this-is-my_eval-captions.csv`; "
            "`clips/SEGMENT_ID.mp4` or `videos/VIDEO_ID*.mp4`, or a features file",
            reader="datasets.this_is_my:read",
            settings=("examples", "query", "pooling", "corpus"),
            published=(
                Published("CLIP (language)", YEH, 16.6, 44.2, 30.8, 36.7),
                Published("CLIP (visual)", YEH, 48.0, 75.0, 10.3, 12.0),
                Published("CLIP (V+L)", YEH, 51.7, 81.9, 20.9, 23.3),
                Published("meta-personalization", YEH, 56.4, 87.4, 42.0, 50.7),
            ),
        ),
        Dataset(
            "deepfashion2",
            title="PerVL-DeepFashion2: garments worn in captioned photos.",
            about="PerVL-DeepFashion2: 50 garments, 221 captioned photos",
            argument="folder",
            argument_help="The PerVL repository, or its annotations/deep_fashion.",
            needs="`SPLIT_captions.csv`, `SPLIT_fsl_train.txt`, `train_coarse_grained_names.csv`, "
            "`shortened_deepfashion2_captions.csv`; photos as `IMAGES/train/image/NNNNNN.jpg`",
            reader="datasets.deepfashion2:read",
            options=(
                Option("images", IMAGES.format("train/image")),
                SPLIT,
                Option("captions", "Captions of about 8 or about 12 words.", ("short", "detailed"), "short"),
            ),
            defaults={"examples": 5},
            setting_help={"examples": "Photos a garment is learned from."},
            published=(
                Published("CLIP (language)", YEH, 8.3, 16.9, 21.2, 25.3),
                Published("CLIP (visual)", YEH, 20.6, 43.7, 14.2, 17.3),
                Published("CLIP (V+L)", YEH, 20.5, 42.8, 20.8, 25.4),
                Published("Adapter", COHEN, contextual_mrr=5.9),
                Published("COLLIE", COHEN, contextual_mrr=7.9),
                Published("PALAVRA", COHEN, contextual_mrr=28.4, contextual_r5=39.2),
                Published("meta-personalization, ViT-B/32", YEH, 40.0, 69.3, 34.4, 45.2),
                Published("meta-personalization", YEH, 53.4, 77.7, 38.4, 51.4),
                Published("pi-map", "Korbar, thesis, 2025", 54.7, 78.2, 38.5, 51.8),
            ),
        ),
        Dataset(
            "ytvos",
            title="PerVL-YTVOS: objects of YouTube-VOS scenes.",
            about="PerVL-YTVOS: 252 objects of YouTube-VOS scenes",
            argument="folder",
            argument_help="The PerVL repository, or its annotations/ytvos.",
            needs="`cleaned_captions_ytvos_SPLIT.csv`, `ytvos_personalization_meta.yaml`; "
            "`IMAGES/JPEGImages/SCENE/FRAME.jpg` and `IMAGES/Annotations/SCENE/FRAME.png`",
            reader="datasets.ytvos:read",
            options=(Option("images", IMAGES.format("JPEGImages and Annotations")), SPLIT),
            defaults={"examples": 5},
            setting_help={"examples": "Frames an object is learned from."},
            published=(
                Published("Adapter", COHEN, contextual_mrr=5.3),
                Published("COLLIE", COHEN, contextual_mrr=6.2),
                Published("text only", COHEN, contextual_mrr=37.6),
                Published("mean image and text", COHEN, contextual_mrr=47.2),
                Published("PALAVRA", COHEN, contextual_mrr=61.2, contextual_r5=78.7),
            ),
        ),
        Dataset(
            "folder",
            title="A folder of photos per thing, without captions: generic retrieval only.",
            about="a folder of photos per thing, without captions: generic retrieval only",
            argument="path",
            argument_help="With one folder of photos per thing, such as dog__Biscuit.",
            needs="one folder per thing with two photos or more, such as `dog__Biscuit/1.jpg`",
            reader="datasets.image_folder:read",
            # In a study, `examples` is the protocol's: how many of these are learned from.
            options=(
                Option(
                    "examples", "Photos a thing is learned from, at most half.", default=5, in_studies=False
                ),
            ),
            settings=("query",),
        ),
    )
}
"""Name -> dataset, in the order of ``--list``."""
