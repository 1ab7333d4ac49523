from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder
from PIL import Image
from typer.testing import CliRunner

from thisismy.cli.evaluate import app
from thisismy.core.errors import BenchmarkError
from thisismy.encoders.base import unit
from thisismy.evaluation import config, tiny
from thisismy.evaluation.datasets import vlogs
from thisismy.evaluation.datasets.registry import DATASETS
from thisismy.evaluation.methods import current_label
from thisismy.evaluation.protocols import mined_examples
from thisismy.evaluation.protocols.retrieval import Protocol
from thisismy.evaluation.reports import docs_tables
from thisismy.evaluation.reports.render import latex, markdown, paired_markdown
from thisismy.evaluation.study import _with_contents, run_study, run_tiny, source_version
from thisismy.mining.categories import Category
from thisismy.mining.examples import Proposal
from thisismy.mining.mine import mine_video
from thisismy.mining.visual import Reference

ROOT = Path(__file__).parent.parent

ROWS = [
    {
        "method": "visual_only",
        "generic": {"map": 50.0, "mrr": 60.0},
        "contextual": None,
        "errors": {"generic": {"map": 1.25, "mrr": 0.0}, "contextual": None},
        "intervals": {"generic": {"map": [40, 60], "mrr": [50, 70]}, "contextual": None},
    },
    {
        "method": "default",
        "generic": {"map": 70.0, "mrr": 60.0},
        "contextual": None,
        "errors": {"generic": {"map": 0.5, "mrr": 0.0}, "contextual": None},
        "intervals": {"generic": {"map": [60, 80], "mrr": [50, 70]}, "contextual": None},
    },
]
PAIR = {
    "method": "default",
    "against": "visual_only",
    "kind": "generic",
    "metric": "map",
    "difference": 20.0,
    "interval": [10.0, 30.0],
    "p": 0.0021,
    "queries": 15,
}


@pytest.fixture(scope="module")
def tiny_path(tmp_path_factory):
    return tiny.write(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    return tmp_path_factory.mktemp("features") / "tiny.safetensors"


def call(*words):
    result = CliRunner().invoke(app, [str(w) for w in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def study(**changes):
    raw = {"name": "try", "encoder": "embedded", "seeds": 2, "methods": ["random", "visual"]} | changes
    return config.parse(raw, Path(), "try.toml")


def test_markdown_marks_the_best_and_gives_errors():
    assert markdown(ROWS) == (
        "| method | generic mAP | generic MRR |\n"
        "|---|---:|---:|\n"
        "| visual_only | 50.0 ± 1.2 | **60.0** |\n"
        "| default | **70.0 ± 0.5** | **60.0** |"
    )


def test_latex_escapes_and_marks_the_best():
    text = latex(ROWS, "100 % of it")
    assert r"visual\_only & 50.0\,$\pm$\,1.2 & \textbf{60.0} \\" in text
    assert r"\caption{100 \% of it}" in text


def test_paired_markdown():
    assert "| default - visual_only | generic mAP | +20.0 | +10.0 to +30.0 | 0.0021 |" in paired_markdown(
        [PAIR]
    )
    assert paired_markdown([]) == ""


def test_evaluate_photos_prints_the_shape(tiny_path, features):
    out = call(
        "photos",
        tiny_path,
        "--methods",
        "visual,random",
        "--seeds",
        2,
        "--encoder",
        "embedded",
        "--features",
        features,
        "--json",
    )
    document = json.loads(out)
    assert {"rows", "paired", "provenance"} == set(document)
    for row in document["rows"]:
        assert {"map", "mrr"} == set(row["generic"])
        assert {"mrr", "r5"} == set(row["contextual"])
        assert set(row["intervals"]) == {"generic", "contextual"}
    assert [row["method"] for row in document["rows"]] == ["visual", "random"]
    assert document["rows"][0]["generic"]["map"] > document["rows"][1]["generic"]["map"]
    origin = document["provenance"]
    assert origin["encoder"].startswith("embedded")
    assert origin["seeds"] == [0, 1]
    assert {"data", "version", "commit", "date", "protocol", "seconds"} <= set(origin)


def test_evaluate_photos_for_people(tiny_path, features):
    out = call(
        "photos",
        tiny_path,
        "--methods",
        "visual",
        "--seeds",
        1,
        "--encoder",
        "embedded",
        "--features",
        features,
    )
    assert "generic mAP" in out
    assert "visual" in out


def test_evaluate_splits_photos_again(tiny_path, features):
    words = ("photos", tiny_path, "--methods", "visual", "--seeds", "3", "--encoder", "embedded")
    words = (*words, "--features", features, "--deal", "3")
    document = json.loads(call(*words, "--examples", "1", "--json"))
    assert document["provenance"]["facts"]["dealt"] == {"photos": 3, "things": 4, "left out": []}
    assert document["provenance"]["protocol"]["deal"] == 3
    assert "3 examples of each thing, split again by each seed; 4 things" in call(*words)
    with pytest.raises(BenchmarkError, match="no thing has 4 photos to learn from and one to find"):
        call(*words[:-1], "4")


def test_a_study_that_splits_photos_says_so_in_its_names_and_draws_its_panels(tiny_path, tmp_path):
    tasks = [{"kind": "photos", "path": str(tiny_path), "deal": deal, "examples": [1, 2]} for deal in (2, 3)]
    document = run_study(study(benchmarks=tasks), tmp_path, features=tmp_path)
    names = [result["name"] for result in document["results"]]
    assert names == [f"tiny-examples-{n}-deal-{deal}" for deal in (2, 3) for n in (1, 2)]
    tables = (tmp_path / "tables.md").read_text()
    assert "3 examples of each thing, split again by each seed; 4 things" in tables
    with Image.open(tmp_path / "examples.png") as image:
        assert image.height > 1000


def test_evaluate_folder_has_no_contextual_column(tmp_path):
    pictures = tiny.write(tmp_path / "all").parent
    for name in ("ruby", "emmy"):
        (tmp_path / "things" / name).mkdir(parents=True)
        for number in range(4):
            shutil.copy(pictures / f"{name}-{number}.png", tmp_path / "things" / name)
    out = call(
        "folder",
        tmp_path / "things",
        "--methods",
        "visual",
        "--seeds",
        1,
        "--encoder",
        "embedded",
        "--features",
        tmp_path / "f",
        "--json",
    )
    row = json.loads(out)["rows"][0]
    assert row["contextual"] is None
    assert row["generic"]["map"] > 50


def test_evaluate_vlogs_from_the_video_files(dev_data, tmp_path):
    names = {"alex_01", "alex_03"}
    subjects = json.loads((dev_data / "vlogs-dev" / "instances.json").read_text())
    kept = {k: v for k, v in subjects.items() if k in ("dog", "teapot")}
    for about in kept.values():
        about["positives"] = [p for p in about["positives"] if p["video"] in names]
    queries = json.loads((dev_data / "vlogs-dev" / "queries.json").read_text())
    for query in queries:
        query["targets"] = [t for t in query["targets"] if t["video"] == "alex_03"]
    queries = [q for q in queries if q["instance"] in kept and q["targets"]]
    (tmp_path / "instances.json").write_text(json.dumps(kept))
    (tmp_path / "queries.json").write_text(json.dumps(queries))
    for name in names:
        for suffix in ("mp4", "json", "srt"):
            (tmp_path / f"{name}.{suffix}").symlink_to(dev_data / "vlogs-dev" / f"{name}.{suffix}")
    words = (
        "vlogs",
        tmp_path,
        "--methods",
        "visual",
        "--seeds",
        1,
        "--encoder",
        "embedded",
        "--features",
        tmp_path / "f",
        "--examples-from",
        "given",
        "--json",
    )
    first = json.loads(call(*words))
    assert first["provenance"]["facts"]["shots by"] == "adaptive"
    assert first["rows"][0]["generic"]["mrr"] > 50
    again = json.loads(call(*words))
    assert again["rows"][0]["generic"] == first["rows"][0]["generic"]
    assert again["provenance"]["data"] == first["provenance"]["data"]


def test_evaluate_list_names_methods_and_benchmarks():
    out = call("--list")
    assert all(
        name in out
        for name in ("visual", "product", "photos", "vlogs", "this-is-my", "deepfashion2", "ytvos", "folder")
    )
    assert set(json.loads(call("--list", "--json"))) == {"methods", "benchmarks"}


def test_evaluate_refuses_what_it_does_not_know(tiny_path, tmp_path):
    with pytest.raises(Exception, match="no method called 'best'"):
        call("photos", tiny_path, "--methods", "best", "--encoder", "embedded")
    with pytest.raises(BenchmarkError, match="cannot read"):
        call("photos", tmp_path / "none.json", "--encoder", "embedded")
    with pytest.raises(BenchmarkError, match="a study needs a TOML file"):
        call("study")


def test_a_tiny_study_writes_everything_and_resumes(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    seen: list[tuple[float, float | None]] = []
    document = run_tiny(
        study(), tmp_path, lambda stage, done, total: seen.append((done, total)) if stage == "cells" else None
    )
    assert seen[-1] == (8, 8)
    assert [r["name"] for r in document["results"]] == ["tiny-examples-1", "tiny-examples-2"]
    written = {p.name for p in tmp_path.iterdir()}
    assert {
        "results.json",
        "tables.md",
        "tables.tex",
        "examples.png",
        "queries-tiny-examples-1.png",
    } <= written
    assert len(list((tmp_path / "cells").iterdir())) == 8

    next((tmp_path / "cells").iterdir()).write_text("{ cut off")
    runs = []
    from thisismy.evaluation import study as module

    real = module.run
    monkeypatch.setattr(module, "run", lambda *a, **k: runs.append(1) or real(*a, **k))
    again = run_tiny(study(), tmp_path)
    assert len(runs) == 1
    for one, two in zip(document["results"], again["results"], strict=True):
        assert [r["generic"] for r in one["rows"]] == [r["generic"] for r in two["rows"]]


def test_a_study_from_its_file(tmp_path):
    tiny.write(tmp_path / "photos")
    path = tmp_path / "study.toml"
    path.write_text(
        'name = "mine"\nencoder = "embedded"\nseeds = 1\nmethods = ["visual"]\n'
        '[variants."lot"]\nmethod = "random"\n'
        '[[benchmarks]]\nkind = "photos"\npath = "photos"\nquery = ["text", "image"]\nexamples = 1\n'
    )
    wanted = config.read(path)
    assert wanted.tasks[0].protocols == (Protocol(1, "text"), Protocol(1, "image"))
    document = run_study(wanted, tmp_path / "out", features=tmp_path / "features")
    assert [r["name"] for r in document["results"]] == ["tiny-query-text", "tiny-query-image"]
    assert [row["method"] for row in document["results"][0]["rows"]] == ["visual", "lot"]
    assert document["config"]["name"] == "mine"
    assert not (tmp_path / "out" / "examples.png").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"methods": ["best"]}, "no method 'best'"),
        ({"methods": []}, "needs methods"),
        ({"seeds": 0}, "not 0"),
        ({"speed": 1}, "no key 'speed'"),
        ({"benchmarks": [{"kind": "films", "path": "x"}]}, "not 'films'"),
        ({"benchmarks": [{"kind": "photos", "path": "x", "split": "test"}]}, "no key 'split'"),
    ],
)
def test_a_study_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(BenchmarkError, match=message):
        study(**changes)


def test_files_of_a_study_lie_beside_it_and_cells_depend_on_what_is_in_them(tmp_path):
    path, features = tmp_path / "study.toml", tmp_path / "text.safetensors"
    path.write_text('[variants.words]\nmethod = "meta-tokens"\ncategory_features = "text.safetensors"\n')
    with pytest.raises(BenchmarkError, match=r"no file .*text.safetensors for 'category_features'"):
        config.read(path, tmp_path / "elsewhere")
    features.write_bytes(b"one")
    _, arguments = config.read(path, tmp_path / "elsewhere").methods["words"]
    assert arguments == {"category_features": str(features)}
    keys = [_with_contents({"tokens": 1, "set_encoder": "", **arguments})]
    features.write_bytes(b"two")
    keys.append(_with_contents({"tokens": 1, "set_encoder": "", **arguments}))
    assert keys[0] != keys[1]
    assert all(key["tokens"] == 1 and key["set_encoder"] == "" for key in keys)


def test_a_study_without_benchmarks_is_refused(tmp_path):
    with pytest.raises(BenchmarkError, match="has no benchmark"):
        run_study(study(), tmp_path)


def test_cells_depend_on_the_source():
    assert source_version() == source_version()
    assert len(source_version()) == 12


def checkout(folder):
    results = folder / "benchmarks" / "results"
    results.mkdir(parents=True)
    origin = {"seeds": [0, 1], "encoder": "e", "data": "d"}
    result = {"name": "photos", "rows": ROWS, "paired": [PAIR], "provenance": origin}
    (results / "dev.json").write_text(json.dumps({"results": [result]}))
    page = folder / "README.md"
    page.write_text(
        "# x\n<!-- table:dev/photos -->\nold\n<!-- /table -->\n"
        "text\n<!-- table:dev/photos/paired -->\n<!-- /table -->\n"
    )
    return page


def test_tables_are_generated_into_pages_and_checked(tmp_path, capsys):
    page = checkout(tmp_path)
    assert docs_tables.main([str(tmp_path), "--check"]) == 1
    assert "old" in page.read_text()
    assert docs_tables.main([str(tmp_path)]) == 0
    text = page.read_text()
    assert "old" not in text
    assert "| prototype-context | **70.0 ± 0.5** |" in text
    assert "+10.0 to +30.0" in text
    assert text.startswith("# x\n")
    assert "\ntext\n" in text
    assert docs_tables.main([str(tmp_path), "--check"]) == 0
    capsys.readouterr()


def test_a_table_of_nothing_is_refused(tmp_path, capsys):
    page = checkout(tmp_path)
    page.write_text("<!-- table:dev/vlogs -->\n<!-- /table -->\n")
    assert docs_tables.main([str(tmp_path)]) == 1
    assert "has no result 'vlogs'; it has: photos" in capsys.readouterr().err


def test_rows_with_intervals_and_results_by_number_of_examples(tmp_path, capsys):
    page = checkout(tmp_path)
    page.write_text("<!-- table:dev/photos/visual/intervals -->\n<!-- /table -->\n")
    assert docs_tables.main([str(tmp_path)]) == 0
    assert "| visual_only | 50.0 ± 1.2 (40–60) | 60.0 (50–70) |" in page.read_text()
    assert "95 % intervals over queries" in page.read_text()
    origin = {"seeds": [0], "encoder": "e", "data": "d"}
    origin["facts"] = {"dealt": {"photos": 3, "things": 2, "left out": ["x"]}}
    results = [
        {
            "name": f"photos-examples-{n}-deal-3",
            "rows": [{**row, "generic": {"map": 10.0 * n, "mrr": 1.0}} for row in ROWS],
            "paired": [],
            "provenance": {**origin, "protocol": {"examples": n}},
        }
        for n in (2, 1)
    ]
    path = tmp_path / "benchmarks" / "results" / "examples.json"
    path.write_text(json.dumps({"results": results}))
    page.write_text("<!-- table:examples/photos-deal-3/by-examples -->\n<!-- /table -->\n")
    assert docs_tables.main([str(tmp_path)]) == 0
    text = page.read_text()
    assert "| method | generic mAP, 1 | 2 | contextual MRR, 1 | 2 |" in text
    assert "| visual_only | 10.0 ± 1.2 | 20.0 ± 1.2 |  |  |" in text
    assert "(3 examples of each thing, split again by each seed; 2 things, 1 with too few left out)" in text
    page.write_text("<!-- table:examples/other/by-examples -->\n<!-- /table -->\n")
    assert docs_tables.main([str(tmp_path)]) == 1
    assert "has no results 'other' with numbers of examples" in capsys.readouterr().err


def test_some_rows_of_a_result_and_places_for_what_is_not_measured(tmp_path, capsys):
    page = checkout(tmp_path)
    page.write_text("<!-- table:dev/photos/visual -->\n<!-- /table -->\n")
    assert docs_tables.main([str(tmp_path)]) == 0
    assert "| visual_only | 50.0 ± 1.2 | 60.0 |" in page.read_text()
    assert "prototype-context" not in page.read_text()
    page.write_text("<!-- table:dev/photos/best -->\n<!-- /table -->\n")
    assert docs_tables.main([str(tmp_path)]) == 1
    assert "no row of 'photos' begins with 'best'" in capsys.readouterr().err
    for name in ("dev/vlogs?", "later/photos?", "dev/photos/best?"):
        page.write_text(f"<!-- table:{name} -->\nkept\n<!-- /table -->\n")
        assert docs_tables.main([str(tmp_path), "--check"]) == 0
    page.write_text("<!-- table:dev/photos? -->\n<!-- /table -->\n")
    assert docs_tables.main([str(tmp_path)]) == 0
    assert "| prototype-context |" in page.read_text()


def test_times_of_learning_are_a_table():
    text = docs_tables.make_table("learning/rows", ROOT / "benchmarks" / "results")
    assert text.startswith("| 15 things from 105 shots | seconds of the processor |")
    assert len(re.findall(r"^\| .* \| \d+\.\d \|$", text, flags=re.MULTILINE)) == len(docs_tables.LEARNED)


def test_the_tables_of_this_project_are_those_of_its_result_files():
    assert sorted(str(path) for path in docs_tables.stale_pages(ROOT)) == []


def test_mined_examples_of_vlogs_belong_to_their_instances(dev_data):
    truth = vlogs.read(dev_data / "vlogs-dev")
    shots = vlogs.true_shots(truth)
    encoder = FakeEncoder()
    rng = np.random.default_rng(0)
    features = {name: unit(rng.random((len(spans), 4), np.float32)) for name, spans in shots.items()}

    def everything_kept(*args, **kwargs):
        return [
            replace(
                found,
                verdict="kept",
                reference=Reference(3, 9.0, 9.0, (3,)),
                examples=(Proposal(4, 0.9),),
                category=Category("thing", 1.0, False),
            )
            for found in mine_video(*args, **kwargs)
        ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mined_examples, "mine_video", everything_kept)
        examples, categories = mined_examples.mined_examples(truth, shots, features, encoder)
    assert examples["dog"] == [("alex_01", 3), ("alex_01", 4)]
    assert categories["dog"] == "thing"
    assert set(examples) == {subject.id for subject in truth.subjects}
    naming = {s.id: s.naming_videos for s in truth.subjects}
    assert all(video in naming[key] for key, found in examples.items() for video, _ in found)


def test_every_dataset_of_the_registry_is_a_command_a_kind_and_a_row_of_the_guide():
    listed = json.loads(call("--list", "--json"))["benchmarks"]
    guide = docs_tables.make_table("datasets/folders", ROOT)
    commands = call("--help")
    assert list(listed) == list(DATASETS)
    for name, dataset in DATASETS.items():
        assert name in commands
        assert f"| `{name}` |" in guide
        assert "--seeds" in call(name, "--help")
        given = {o.name: o.default for o in dataset.options if o.in_studies and o.default is not None}
        task = study(benchmarks=[{"kind": name, "path": "x", **given}]).tasks[0]
        assert task.protocols[0].examples == dataset.defaults.get("examples")
    with pytest.raises(BenchmarkError, match="split is one of validation, test, not 'train'"):
        study(benchmarks=[{"kind": "ytvos", "path": "x", "split": "train"}])


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.toml")), ids=lambda path: path.stem)
def test_the_committed_studies_can_be_read(path, monkeypatch):
    monkeypatch.setattr(config, "FILE_ARGUMENTS", frozenset())
    assert config.read(path).tasks


def test_tables_show_the_current_ids_of_methods():
    assert current_label("vl") == "clip-vl"
    assert current_label("default, no rivals") == "prototype-context, no rivals"
    assert current_label("palavra?epochs=0") == "palavra?epochs=0"
