"""What a library has learned: the chosen way stays, a file is whole or absent, a rank is honest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder
from PIL import Image
from safetensors.numpy import load, save

from thisismy.cli.app import run
from thisismy.core.errors import VocabularyError
from thisismy.library import Library
from thisismy.personalization.array_file import read_arrays, write_arrays
from thisismy.retrieval.options import SearchOptions

NAME = "my dog Rusty"
OTHER = "my cat Moss"
TOKENS = {"tokens": 2, "epochs": 3, "q": 8}

WITH_FAKE_ENCODER = """
import sys
from fakes import FakeEncoder
import thisismy.encoders
fake = FakeEncoder()
thisismy.encoders.load_encoder = lambda *a, **k: fake
from pathlib import Path
from thisismy.library import Library
library = Library.open(Path(sys.argv[1]))
"""


def run_beside(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Another process that runs some code, with the modules of the tests within reach."""
    paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Library:
    fake = FakeEncoder()
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: fake)
    (tmp_path / "in").mkdir()
    colours = {
        "red1": (255, 10, 10),
        "red2": (250, 60, 5),
        "green1": (10, 255, 10),
        "blue1": (10, 10, 255),
        "grey1": (90, 95, 90),
        "both": (200, 200, 10),
    }
    for name, colour in colours.items():
        Image.new("RGB", (16, 16), colour).save(tmp_path / "in" / f"{name}.png")
    made = Library.create(tmp_path / "library")
    made.files.add([tmp_path / "in"], encoder="fake")
    made.instances.name(NAME, [str(tmp_path / "in/red1.png"), str(tmp_path / "in/red2.png")], category="dog")
    made.instances.name(OTHER, [str(tmp_path / "in/green1.png")], category="cat")
    return made


def way(library: Library) -> tuple[str, int, int]:
    known = library.learning.vocabulary()
    return known.method, known.arguments.get("tokens", 0), known.seed


@pytest.mark.parametrize("trouble", ["corrupted", "cut short", "deleted", "half of an old pair"])
def test_a_search_after_trouble_with_the_file_keeps_the_chosen_way(library: Library, trouble: str) -> None:
    library.learning.learn(method="meta-tokens", arguments=TOKENS, seed=5, judge=False)
    path = library.learning.path
    data = path.read_bytes()
    if trouble == "corrupted":
        path.write_bytes(data[:-40] + bytes(40))
    elif trouble == "cut short":
        path.write_bytes(data[: len(data) // 2])
    elif trouble == "deleted":
        path.unlink()
    else:
        path.write_bytes(save(load(data)))
    assert library.search.find(NAME, options=SearchOptions(k=1)).hits
    assert way(library) == ("meta-tokens", 2, 5)


def test_the_choice_is_kept_by_the_library_until_another_is_made(library: Library, tmp_path: Path) -> None:
    assert library.learning.choice.method == "prototype-context"
    library.learning.learn(method="meta-tokens", arguments=TOKENS, seed=5, judge=False)
    again = Library.open(tmp_path / "library")
    again.instances.name(OTHER, [str(tmp_path / "in/both.png")])
    again.search.find(OTHER)
    assert way(again) == ("meta-tokens", 2, 5)
    assert again.learning.learn(judge=False).unchanged == [OTHER, NAME]
    again.learning.learn(arguments={"tokens": 3}, judge=False)
    assert (*way(again), again.learning.vocabulary().arguments["epochs"]) == ("meta-tokens", 3, 5, 3)
    again.learning.learn(method="visual", judge=False)
    assert (again.learning.choice.method, again.learning.choice.arguments) == ("clip-visual", {})


def test_the_choice_outlives_a_switch_of_encoders(
    library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library.learning.learn(method="meta-tokens", arguments=TOKENS, seed=5, judge=False)
    other = FakeEncoder()
    other.id = "fake-colours-2"
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: other)
    changed = Library.open(tmp_path / "library")
    changed.files.add([tmp_path / "in"], encoder="fake2")
    assert changed.search.find(NAME, options=SearchOptions(k=1)).hits
    assert way(changed) == ("meta-tokens", 2, 5)
    assert changed.learning.vocabulary().encoder.id == "fake-colours-2"


def test_what_cannot_be_learned_chooses_nothing(library: Library) -> None:
    library.learning.learn(method="clip-visual", judge=False)
    before = library.learning.path.read_bytes()
    for method, arguments in (
        ("prototype-context", {"slope": "x"}),
        ("prototype-context", {"middle": float("nan")}),
        ("prototype-context", {"rivalry": None}),
        ("magic", {}),
    ):
        with pytest.raises(VocabularyError):
            library.learning.learn(method=method, arguments=arguments)
    assert library.learning.choice.method == "clip-visual"
    assert library.learning.path.read_bytes() == before


def test_the_command_refuses_a_wrong_argument_in_one_line(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for spec in ('default?slope="x"', "default?middle=NaN", "default?rivalry=null"):
        assert run(["--library", str(tmp_path / "library"), "learn", "--method", spec]) == 1
        said = capsys.readouterr().err.strip()
        assert "of 'prototype-context' is a number" in said
        assert "Traceback" not in said
    assert not library.learning.path.exists()


def test_a_library_of_an_earlier_version_keeps_its_way(library: Library) -> None:
    """Two files, the old ids, the old names of arguments, and no choice among the settings."""
    from thisismy.store.settings import put_setting

    library.learning.learn(method="meta-tokens", arguments=TOKENS, seed=5, judge=False)
    arrays, about = read_arrays(library.learning.path, "thisismy-vocabulary/1")
    about["arguments"]["n_w"] = about["arguments"].pop("tokens")
    _write_pair(library.learning.path, arrays, about)
    with library.store.write() as connection:
        put_setting(connection, "learning", None)
    assert library.learning.states() == {NAME: "current", OTHER: "current"}
    assert way(library) == ("meta-tokens", 2, 5)
    assert library.learning.learn(judge=False).unchanged == [OTHER, NAME]
    assert not library.learning.path.with_name("concepts.safetensors.json").exists()


def test_vocabularies_are_read_under_their_old_ids(library: Library) -> None:
    for old, new in (("default", "prototype-context"), ("visual", "clip-visual"), ("vl", "clip-vl")):
        library.learning.learn(method=new, judge=False)
        arrays, about = read_arrays(library.learning.path, "thisismy-vocabulary/1")
        _write_pair(library.learning.path, arrays, about | {"method": old})
        assert library.learning.vocabulary().method == new
        assert library.learning.about()[NAME]["method"] == new


def _write_pair(path: Path, arrays: dict[str, np.ndarray], about: dict[str, object]) -> None:
    import hashlib

    data = save(arrays)
    path.write_bytes(data)
    text = json.dumps(about | {"sha256": hashlib.sha256(data).hexdigest()})
    path.with_name(f"{path.name}.json").write_text(text)


def test_threads_learn_and_search_at_once(library: Library) -> None:
    library.learning.learn(judge=False)

    def work(number: int) -> list[str]:
        if number % 3 == 0:
            library.learning.learn([NAME], judge=False)
        return [
            Path(hit.path).stem
            for hit in library.search.find(NAME, options=SearchOptions(k=2, cutoff=0, fold=False)).hits
        ]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(24)))
    assert found == [found[0]] * 24
    assert set(library.learning.vocabulary().concepts) == {NAME, OTHER}


def test_another_process_reads_whole_vocabularies_while_one_learns(library: Library, tmp_path: Path) -> None:
    library.learning.learn(judge=False)
    code = WITH_FAKE_ENCODER + textwrap.dedent("""
        import time
        until = time.monotonic() + 2
        reads = 0
        while time.monotonic() < until:
            known = library.learning.vocabulary()
            assert set(known.concepts) == {"my dog Rusty", "my cat Moss"}, known.concepts
            assert known.method in {"clip-visual", "prototype-context"}
            assert library.learning.states() == {"my dog Rusty": "current", "my cat Moss": "current"}
            reads += 1
        print(reads)
    """)
    reader = run_beside(code, str(tmp_path / "library"))
    turns = 0
    while reader.poll() is None:
        library.learning.learn(method=("clip-visual", "prototype-context")[turns % 2], judge=False)
        turns += 1
    assert reader.stdout is not None
    assert reader.returncode == 0
    assert int(reader.stdout.read()) > 20
    assert turns > 5


def test_two_processes_learn_one_after_the_other(library: Library, tmp_path: Path) -> None:
    code = WITH_FAKE_ENCODER + textwrap.dedent("""
        for _ in range(5):
            library.learning.learn([sys.argv[2]], judge=False)
    """)
    both = [run_beside(code, str(tmp_path / "library"), name) for name in (NAME, OTHER)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert set(library.learning.vocabulary().concepts) == {NAME, OTHER}


def test_killed_while_learning_nothing_is_lost(library: Library, tmp_path: Path) -> None:
    library.learning.learn(method="clip-visual", judge=False)
    code = WITH_FAKE_ENCODER + textwrap.dedent("""
        print("ready", flush=True)
        while True:
            for method in ("product", "clip-visual"):
                library.learning.learn(method=method, judge=False)
    """)
    rng = np.random.default_rng(0)
    for _ in range(4):
        learner = run_beside(code, str(tmp_path / "library"))
        assert learner.stdout is not None
        assert learner.stdout.readline() == "ready\n"
        time.sleep(float(rng.uniform(0.05, 0.4)))
        os.kill(learner.pid, signal.SIGKILL)
        learner.wait()
        assert set(library.learning.vocabulary().concepts) == {NAME, OTHER}
        assert library.search.find(NAME, options=SearchOptions(k=1)).hits
        assert library.learning.vocabulary().method == library.learning.choice.method
    assert not list(library.learning.path.parent.glob(".part-*"))


def test_a_planted_look_alike_shows_in_the_rank(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Eleven pictures of another thing that looks more like each example than the other example does."""
    fake = FakeEncoder()
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: fake)
    (tmp_path / "in").mkdir()
    pictures = {"mine1": (255, 0, 0), "mine2": (200, 140, 0)}
    pictures |= {f"twin{n:02}": (250, 75, 6 * n) for n in range(11)}
    pictures |= {f"other{n:02}": (5 * n, 120 + 5 * n, 200) for n in range(20)}
    for name, colour in pictures.items():
        Image.new("RGB", (16, 16), colour).save(tmp_path / "in" / f"{name}.png")
    library = Library.create(tmp_path / "library")
    library.files.add([tmp_path / "in"], encoder="fake")
    mine = [str(tmp_path / "in" / f"mine{n}.png") for n in (1, 2)]
    library.instances.name("my mug", mine[:1], category="mug")
    hits = library.search.find("my mug", options=SearchOptions(k=40, cutoff=0, fold=False)).hits
    seen = 1 + [Path(hit.path).stem for hit in hits if Path(hit.path).stem != "mine1"].index("mine2")
    library.instances.name("my mug", mine[1:])
    report = library.learning.learn(method="clip-visual")
    (item,) = report.learned
    assert seen == 12
    assert item.tried == 2
    assert item.mean_rank == pytest.approx(12, abs=0.5)
    assert item.found == 0
    assert item.others == 31


def test_near_duplicates_of_an_example_do_not_count_and_are_told(library: Library, tmp_path: Path) -> None:
    for number in range(2):
        Image.new("RGB", (16, 16), (255, 10, 11 + number)).save(tmp_path / "in" / f"copy{number}.png")
    library.files.add([tmp_path / "in"])
    report = library.learning.learn()
    item = next(item for item in report.learned if item.name == NAME)
    assert (item.found, item.mean_rank) == (1.0, 1.0)
    assert report.notes == ["2 shots are nearly the same as an example and not counted against it"]


def test_arrays_come_back_as_they_were_and_damage_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(0, np.int64)}
    about = {"format": "test/1", "text": "ä", "nested": {"list": [1, 2.5, None]}}
    write_arrays(path, arrays, about)
    back, told = read_arrays(path, "test/1")
    assert told == about
    assert {name: row.tolist() for name, row in back.items()} == {n: r.tolist() for n, r in arrays.items()}
    data = path.read_bytes()
    for at in range(8, len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x04
        path.write_bytes(changed)
        with pytest.raises(VocabularyError):
            read_arrays(path, "test/1")
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(VocabularyError):
            read_arrays(path, "test/1")
