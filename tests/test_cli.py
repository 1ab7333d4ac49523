"""The command line as a user types it, on the demonstration library and the embedded encoder."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from thisismy.demo import VIDEOS
from thisismy.media.probe import probe

COMMAND = [sys.executable, "-c", "from thisismy.cli.app import main; main()"]


def run(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    (folder / "said.json").write_text(run("demo", folder, "--json").stdout)
    return folder


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Path:
    """A copy of the demonstration library, to spoil."""
    shutil.copytree(made / "library", tmp_path / "library")
    return tmp_path / "library"


def search(library: Path, *arguments: object) -> dict:
    return json.loads(run("--library", library, "search", *arguments, "--json").stdout)


def test_the_demo_finds_what_it_shows_and_says_what_it_does_not(made: Path) -> None:
    said = json.loads((made / "said.json").read_text())
    assert said["added"]["added"] == len(VIDEOS) + 1
    hits = {result["query"]: result["hits"] for result in said["results"]}
    names = {query: [Path(hit["path"]).stem for hit in found] for query, found in hits.items()}
    assert said["named"] == ["my cat Chelsea", "my motorcycle Betty"]
    # Nobody says the names outside of "hello".
    assert {"hello", "evening", "garden"} == set(names["my cat Chelsea"])
    assert names["my cat Chelsea in green grass"][0] == "evening"
    assert {"hello", "away", "table"} == set(names["my motorcycle Betty"])
    assert set(names["a cup of coffee on a table"][:2]) == {"table", "hello"}
    assert names["a rocket launch"][0] == "away"
    assert hits["a submarine under the ice"] == []
    for sheet in said["sheets"]:
        with Image.open(sheet) as image:
            assert image.width > 300


def test_the_shape_of_a_search(library: Path) -> None:
    result = search(library, "a motorcycle", "-k", 2)
    assert result["query"] == "a motorcycle"
    assert [hit["rank"] for hit in result["hits"]] == list(range(1, len(result["hits"]) + 1))
    first = result["hits"][0]
    assert {"rank", "path", "start", "end", "score", "relevance", "time", "kind"} <= set(first)
    assert first["start"] < first["end"] <= 22
    assert first["start"] <= first["time"] < first["end"]


def test_a_photo_as_query(library: Path, made: Path) -> None:
    result = search(library, "--image", made / "media/garden.jpg", "--by", "frame", "-k", 3)
    assert result["hits"][0]["path"].endswith("garden.jpg")
    assert result["hits"][1]["path"].endswith("hello.mp4")


def test_the_shape_of_an_add(library: Path, made: Path) -> None:
    report = json.loads(run("--library", library, "add", made / "media", "--json").stdout)
    assert (report["added"], report["unchanged"], report["failed"]) == (0, 5, [])
    assert len(report["skipped"]) == 4


def test_a_broken_file_exits_with_1_and_is_named(library: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("this is not a video")
    done = run("--library", library, "add", tmp_path / "text.mp4", "--json", code=1)
    failure = json.loads(done.stdout)["failed"][0]
    assert failure["path"] == str(tmp_path / "text.mp4")
    assert failure["stage"] == "probe"
    assert "text file" in failure["error"]
    assert "failed" in run("--library", library, "ls").stdout


def test_ls_show_rm(library: Path, made: Path) -> None:
    entries = json.loads(run("-L", library, "ls", "--json").stdout)
    assert [Path(entry["path"]).name for entry in entries] == [
        "away.mp4",
        "evening.mp4",
        "garden.jpg",
        "hello.mp4",
        "table.mp4",
    ]
    shown = json.loads(run("-L", library, "show", made / "media/hello.mp4", "--json").stdout)
    assert [round(shot["start"]) for shot in shown["shots"]] == [0, 4, 9, 13, 18]
    assert json.loads(run("-L", library, "rm", made / "media/hello.mp4", "--json").stdout) == {"removed": 1}
    assert all("hello" not in hit["path"] for hit in search(library, "a cat", "--cutoff", 0)["hits"])
    assert (made / "media/hello.mp4").is_file()


def test_export(library: Path, tmp_path: Path) -> None:
    saved = json.loads(
        run(
            *("-L", library, "export", "a cup of coffee", "-k", 2, "--exact", "--json"),
            *("--clips", tmp_path / "clips", "--sheet", tmp_path / "s.png", "--list", tmp_path / "l.csv"),
        ).stdout
    )
    assert saved["failed"] == []
    clips = sorted((tmp_path / "clips").iterdir())
    assert len(clips) == len(saved["hits"]) == 2
    hit = saved["hits"][0]
    assert probe(clips[0]).duration == pytest.approx(hit["end"] - hit["start"], abs=0.1)
    rows = list(csv.DictReader((tmp_path / "l.csv").open()))
    assert [row["path"] for row in rows] == [hit["path"] for hit in saved["hits"]]
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.format == "PNG"
    run("-L", library, "export", "a cup of coffee", "--list", tmp_path / "l.edl")
    assert "FROM CLIP NAME" in (tmp_path / "l.edl").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search"], "nothing to look for"),
        (["search", "x", "--image", "nowhere.jpg"], "nowhere.jpg"),
        (["search", "x", "--after", "soon"], "is not a day"),
        (["show", "nowhere.mp4"], "not in the library"),
        (["rm", "nowhere.mp4"], "not in the library"),
        (["export", "x"], "nothing to save"),
        (["export", "x", "--list", "hits.doc"], "not hits.doc"),
        (["add", "--detector", "psychic"], "no shot detector is called 'psychic'"),
    ],
)
def test_one_clear_line_for_what_makes_no_sense(library: Path, arguments: list[str], message: str) -> None:
    said = run("-L", library, *arguments, code=1).stderr
    assert message in said
    assert len(said.strip().splitlines()) == 1


def test_a_transcript_is_saved_of_one_video_only(library: Path, made: Path, tmp_path: Path) -> None:
    said = run("-L", library, "transcribe", made / "media", "--save", tmp_path / "a.srt", code=2).stderr
    assert "name the one video" in said
    assert len(said.splitlines()) == 1
    run("-L", library, "transcribe", made / "media/hello.mp4", "--save", tmp_path / "a.srt")
    assert "this is" in (tmp_path / "a.srt").read_text().lower()


def test_a_library_that_is_not_there(tmp_path: Path) -> None:
    said = run("-L", tmp_path / "none", "search", "x", code=1).stderr
    assert "no library in" in said
    assert not (tmp_path / "none").exists()


def test_misuse_exits_with_2() -> None:
    run("search", "x", "--nonsense", code=2)


def test_an_unreachable_model_is_one_clear_line(library: Path, made: Path) -> None:
    said = run("-L", library, "add", made / "media", "--encoder", "./no-such-folder", code=1).stderr
    assert "no-such-folder" in said
    assert search(library, "a cat")["hits"]


def test_doctor(library: Path) -> None:
    checks = json.loads(run("-L", library, "doctor", "--json").stdout)
    assert checks["ok"]
    assert {"python", "encoder", "library", "video decoding"} <= {check["name"] for check in checks["checks"]}


def test_interrupted_adding_goes_on(made: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "-L", str(tmp_path / "library"), "add", str(made / "media")],
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode in (130, 0)
    assert "Traceback" not in said
    assert process.returncode == 0 or "resumes from there" in said
    report = json.loads(run("-L", tmp_path / "library", "add", made / "media", "--json").stdout)
    assert report["added"] + report["updated"] + report["unchanged"] == 5
