"""Mining a library, and what becomes of a mention that is accepted, through the library and the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeEncoder
from media_files import BLUE, GREEN, RED, write_video
from PIL import Image
from typer.testing import CliRunner

from thisismy.cli.app import app
from thisismy.library import Library
from thisismy.mining import MiningSettings
from thisismy.store.mentions import MentionRow

COSINE = MiningSettings(
    score="cosine", visual_threshold=0.5, prompts=("{}",), distance_penalty=0.0, trim_tolerance=9.0
)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Library:
    fake = FakeEncoder()
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: fake)
    (tmp_path / "in").mkdir()
    write_video(tmp_path / "in/walk.mp4", ((RED, 2.0), (GREEN, 2.0), (BLUE, 2.0)))
    Image.new("RGB", (16, 16), RED).save(tmp_path / "in/red.png")
    made = Library.create(tmp_path / "library")
    made.files.add([tmp_path / "in"], encoder="fake", detector="windows", window=2.0)
    return made


def say(library: Library, line: str) -> MentionRow:
    """What is mined when this is said at the beginning of the video."""
    file = library.store.folder.parent / "in/walk.srt"
    file.write_text(f"1\n00:00:00,200 --> 00:00:01,800\n{line}\n")
    (found,) = library.mentions.mine(settings=COSINE)
    return found


def command(library: Library, *arguments: object) -> str:
    done = CliRunner().invoke(app, ["--library", str(library.store.folder), *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_known_name_keeps_its_capital_when_it_is_said_again(library: Library, tmp_path: Path) -> None:
    assert say(library, "this is my red dog biscuit he").name == "my red dog biscuit"
    library.instances.name("my dog Biscuit", [str(tmp_path / "in/red.png")], category="dog")
    assert say(library, "this is my red dog biscuit he").name == "my red dog Biscuit"


def test_an_accepted_mention_goes_to_the_instance_its_name_means_in_a_search(
    library: Library, tmp_path: Path
) -> None:
    library.instances.name("my dog Biscuit", [str(tmp_path / "in/red.png")], category="dog")
    mention = say(library, "This is my red dog.")
    instance = library.mentions.accept(mention, "Biscuit")
    assert (instance.name, instance.confirmed) == ("my dog Biscuit", 2)
    library.mentions.undecide(library.mentions.all()[0])
    assert [item.name for item in library.instances.all()] == ["my dog Biscuit"]
    assert library.mentions.accept(library.mentions.all()[0], "my new dog").name == "my new dog"


def test_a_mention_of_what_was_deleted_is_not_offered_again(library: Library) -> None:
    library.mentions.accept(say(library, "This is my red dog."))
    library.instances.delete("my red dog")
    assert [mention.decision for mention in library.mentions.all()] == ["rejected"]
    again = say(library, "This is my red dog.")
    assert (again.decision, again.instance) == ("rejected", None)
    # Who changes their mind finds it among what was rejected.
    library.mentions.undecide(again)
    assert library.mentions.accept(library.mentions.all()[0]).name == "my red dog"


def test_the_command_accepts_into_the_instance_that_is_meant(library: Library, tmp_path: Path) -> None:
    library.instances.name("my red dog Biscuit", [str(tmp_path / "in/red.png")], category="dog")
    (tmp_path / "in/walk.srt").write_text("1\n00:00:00,200 --> 00:00:01,800\nThis is our red dog Biscuit.\n")
    library.instances.change("my red dog Biscuit", add_aliases=["our red dog Biscuit"])
    options = ("--set", "score=cosine", "--set", "visual_threshold=0.5", "--set", "prompts={}")
    mined = json.loads(command(library, "mine", "--accept-all", *options, "--json"))["mentions"]
    assert [(item["decision"], item["instance"]) for item in mined] == [("accepted", "my red dog Biscuit")]
