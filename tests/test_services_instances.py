"""Teaching, learning and asking by name, with an encoder whose answers can be seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeEncoder
from PIL import Image
from typer.testing import CliRunner

from thisismy.cli.app import app
from thisismy.core.errors import InstanceError, LibraryError, QueryError, VocabularyError
from thisismy.library import Library
from thisismy.retrieval.options import SearchOptions

PICTURES = {
    "red1": (255, 10, 10),
    "red2": (250, 30, 5),
    "red3": (240, 15, 40),
    "green1": (10, 255, 10),
    "green2": (20, 240, 30),
    "blue1": (10, 10, 255),
    "blue2": (40, 20, 250),
    "grey1": (90, 95, 90),
    "grey2": (120, 118, 121),
    "both": (200, 200, 10),
}


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Library:
    fake = FakeEncoder()
    monkeypatch.setattr("thisismy.encoders.load_encoder", lambda *_a, **_k: fake)
    (tmp_path / "in").mkdir()
    for name, colour in PICTURES.items():
        Image.new("RGB", (16, 16), colour).save(tmp_path / "in" / f"{name}.png")
    made = Library.create(tmp_path / "library")
    made.files.add([tmp_path / "in"], encoder="fake")
    return made


@pytest.fixture
def named(library: Library, tmp_path: Path) -> Library:
    library.instances.name("my dog Rusty", [str(tmp_path / "in/red1.png")], category="dog")
    library.instances.name("my cat Moss", [str(tmp_path / "in/green1.png")], category="cat")
    return library


def stems(library: Library, text: str, k: int = 2, cutoff: float = 0.0) -> list[str]:
    options = SearchOptions(k=k, cutoff=cutoff, fold=False)
    return [Path(hit.path).stem for hit in library.search.find(text, options=options).hits]


def test_what_was_named_is_found_at_once(named: Library) -> None:
    assert stems(named, "my dog Rusty", k=3)[0] == "red1"
    assert set(stems(named, "my dog Rusty", k=3)) == {"red1", "red2", "red3"}
    assert set(stems(named, "Moss asleep".replace("Moss", "<my cat Moss>"))) == {"green1", "green2"}


def test_the_cut_off_is_learned(named: Library) -> None:
    found = {
        Path(hit.path).stem
        for hit in named.search.find("my dog Rusty", options=SearchOptions(k=10, fold=False)).hits
    }
    assert {"red1", "red2", "red3"} <= found
    # What is half red may pass; what is not red at all may not.
    assert found <= {"red1", "red2", "red3", "both"}


def test_a_query_says_how_it_was_read(named: Library) -> None:
    result = named.search.find("a photo of my dog Rusty on grass")
    assert result.names == ("my dog Rusty",)
    assert "'a photo of * on grass'" in result.read
    hit = result.hits[0]
    assert hit.instance is not None
    assert hit.score == pytest.approx(hit.instance + (hit.context or 0), abs=1e-5)


def test_two_names_are_both_required(named: Library) -> None:
    assert stems(named, "my dog Rusty and my cat Moss", k=1) == ["both"]


def test_another_example_is_learned_without_being_asked(named: Library, tmp_path: Path) -> None:
    before = (
        named.search.find("my dog Rusty", options=SearchOptions(k=1)).hits and named.learning.vocabulary()
    )
    other = before.concepts["my dog Rusty"].example_ids
    named.instances.name("my dog Rusty", [str(tmp_path / "in/red3.png")])
    named.search.find("my dog Rusty")
    assert len(named.learning.vocabulary().concepts["my dog Rusty"].example_ids) == len(other) + 1


def test_learning_one_moves_no_other(named: Library, tmp_path: Path) -> None:
    named.learning.learn()
    moss = named.learning.vocabulary().concepts["my cat Moss"].arrays
    named.instances.name("my dog Rusty", [str(tmp_path / "in/red2.png")])
    report = named.learning.learn()
    assert [item.name for item in report.learned] == ["my dog Rusty"]
    assert report.unchanged == ["my cat Moss"]
    after = named.learning.vocabulary().concepts["my cat Moss"].arrays
    assert all((moss[key] == after[key]).all() for key in moss)


def test_what_is_said_not_to_be_it_is_never_shown(named: Library, tmp_path: Path) -> None:
    named.instances.name("my dog Rusty", [str(tmp_path / "in/red2.png")], negative=True)
    assert "red2" not in stems(named, "my dog Rusty", k=10)
    assert "red2" in stems(named, "red", k=3)


def test_a_photo_outside_of_the_library(library: Library, tmp_path: Path) -> None:
    photo = tmp_path / "elsewhere.jpg"
    Image.new("RGB", (40, 30), (0, 0, 255)).save(photo)
    instance = library.instances.name("my ball Sky", [str(photo)], category="ball").instance
    assert instance.confirmed == 1
    photo.unlink()
    assert set(stems(library, "my ball Sky")) == {"blue1", "blue2"}
    assert len(library.files.all()) == len(PICTURES)


def test_deleting_forgets_the_concept(named: Library) -> None:
    named.learning.learn()
    named.instances.delete("my dog Rusty")
    named.learning.learn()
    assert list(named.learning.vocabulary().concepts) == ["my cat Moss"]


def test_export_and_import(named: Library, tmp_path: Path) -> None:
    named.instances.change("my dog Rusty", add_aliases=["Rusty"])
    named.instances.name("my dog Rusty", [str(tmp_path / "in/green2.png")], negative=True)
    file = tmp_path / "named.json"
    assert named.instances.export_file(file) == 2
    other = Library.create(tmp_path / "other")
    assert other.instances.import_file(file) == ["my cat Moss", "my dog Rusty"]
    rusty = other.instances.get("rusty")
    assert (rusty.category, rusty.confirmed, rusty.rejected) == ("dog", 1, 1)
    assert other.instances.import_file(file) == ["my cat Moss", "my dog Rusty"]
    assert other.instances.get("rusty").confirmed == 1
    other.files.add([tmp_path / "in"], encoder="fake")
    assert set(stems(other, "Rusty", k=2)) <= {"red1", "red2", "red3"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "thisismy-instances/1", "instances": [{}]}'])
def test_files_that_hold_no_instances(library: Library, tmp_path: Path, text: str) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(text)
    with pytest.raises(InstanceError, match=r"wrong\.json"):
        library.instances.import_file(file)
    assert library.instances.all() == []


def test_renamed_files_and_other_sampling_keep_what_was_taught(named: Library, tmp_path: Path) -> None:
    (tmp_path / "in/red1.png").rename(tmp_path / "in/crimson.png")
    named.files.add(rate=2.0)
    assert named.instances.get("my dog Rusty").confirmed == 1
    assert stems(named, "my dog Rusty", k=1) == ["crimson"]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("nowhere.mp4@0:10", "not in the library"),
        ("nowhere.mp4", "when is it seen"),
        ("nowhere.jpg", r"nowhere\.jpg"),
    ],
)
def test_places_that_do_not_exist(library: Library, place: str, message: str) -> None:
    with pytest.raises(Exception, match=message) as raised:
        library.instances.name("my thing", [place])
    assert raised.type.__module__.startswith("thisismy")
    assert library.instances.all() == []


def test_what_cannot_be_done(named: Library, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="a photo or the name 'my dog Rusty', not both"):
        named.search.find("my dog Rusty", images=[tmp_path / "in/red1.png"])
    with pytest.raises(InstanceError, match="did you mean 'my dog Rusty'"):
        named.learning.learn(["my dog Rustie"])
    with pytest.raises(VocabularyError, match="no method called 'magic'"):
        named.learning.learn(method="magic")
    with pytest.raises(InstanceError, match="where is"):
        named.instances.name("my x", [])
    with pytest.raises(LibraryError, match="no transcript yet"):
        named.transcripts.get(tmp_path / "in/red1.png")


def test_an_instance_without_examples_is_explained(named: Library, tmp_path: Path) -> None:
    named.instances.name("my bird Kiwi", [str(tmp_path / "in/blue1.png")], category="bird", negative=True)
    with pytest.raises(InstanceError, match="no confirmed example"):
        named.search.find("my bird Kiwi")
    assert named.learning.learn().skipped == {"my bird Kiwi": "no confirmed example that can be seen"}


def test_unknown_names_are_remarked_on(named: Library) -> None:
    result = named.search.find("my dog Rustie on a bed")
    assert result.remarks == ("no instance is called 'Rustie'; did you mean 'my dog Rusty'?",)


def command(library: Library, *arguments: object) -> str:
    done = CliRunner().invoke(app, ["--library", str(library.store.folder), *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("short", ["Rusty", "rusty", "dog Rusty", "MY dog  rusty"])
def test_naming_means_what_searching_means(named: Library, tmp_path: Path, short: str) -> None:
    result = named.instances.name(short, [str(tmp_path / "in/red2.png")])
    assert (result.instance.name, result.instance.confirmed, result.created) == ("my dog Rusty", 2, False)
    assert named.search.find(short).names == ("my dog Rusty",)
    assert len(named.instances.all()) == 2


def test_a_short_form_of_two_instances_means_neither(named: Library, tmp_path: Path) -> None:
    named.instances.name("my cat Rusty", [str(tmp_path / "in/green2.png")], category="cat")
    result = named.instances.name("Rusty", [str(tmp_path / "in/blue1.png")], category="ball")
    assert (result.instance.name, result.created) == ("Rusty", True)
    assert [example.content_hash for example in result.examples] == [
        shown.example.content_hash for shown in named.instances.examples("Rusty")
    ]


def test_the_command_says_which_instance_it_added_to(named: Library, tmp_path: Path) -> None:
    said = command(named, "name", "Rusty", tmp_path / "in/red2.png")
    assert said == "added to my dog Rusty (dog): 2 confirmed, 0 rejected\n"
    said = command(named, "name", "my ball Sky", tmp_path / "in/blue1.png", "--category", "ball")
    assert said == "new: my ball Sky (ball): 1 confirmed, 0 rejected\n"


def test_imported_instances_join_those_their_names_mean(named: Library, tmp_path: Path) -> None:
    file = tmp_path / "named.json"
    named.instances.change("my dog Rusty", name="Rusty")
    named.instances.export_file(file, ["Rusty"])
    named.instances.change("Rusty", name="my dog Rusty")
    assert named.instances.import_file(file) == ["my dog Rusty"]
    assert len(named.instances.all()) == 2


def test_rejected_proposals_make_room_for_others(library: Library, tmp_path: Path) -> None:
    for number in range(30):
        Image.new("RGB", (16, 16), (255, number % 6, number // 6)).save(tmp_path / f"in/like{number}.png")
    library.files.add()
    library.instances.name("my dog Rusty", [str(tmp_path / "in/red1.png")], category="dog")
    first = library.instances.propose("my dog Rusty", 20)
    assert len(first) == 20
    library.instances.decide("Rusty", {shown.example.id: "rejected" for shown in first})
    rejected = {shown.path for shown in first}
    second = library.instances.propose("Rusty", 8)
    assert len(second) == 8
    assert rejected.isdisjoint(shown.path for shown in second)
    library.instances.decide("Rusty", {shown.example.id: "confirmed" for shown in second})
    left = json.loads(command(library, "instances", "propose", "Rusty", "--json"))["proposals"]
    assert 0 < len(left) <= 20
    assert (rejected | {shown.path for shown in second}).isdisjoint(shown["path"] for shown in left)


def test_instances_go_by_name_alias_or_row(named: Library, tmp_path: Path) -> None:
    number = named.instances.get("my dog Rusty").id
    named.instances.change(number, add_aliases=["the boss"])
    for instance in (number, "the boss", "Rusty"):
        assert named.instances.get(instance).id == number
        assert len(named.instances.examples(instance)) == 1
    assert named.instances.name(number, [str(tmp_path / "in/red2.png")]).instance.confirmed == 2
    moss = named.instances.get("Moss").id
    assert named.instances.merge("the boss", moss).id == number
    example = named.instances.examples(number)[-1].example
    assert named.instances.split(number, "my cat", [example.id]).name == "my cat"
    assert named.instances.delete(number).name == "my dog Rusty"
    with pytest.raises(InstanceError, match=f"no instance number {number}"):
        named.instances.name(number, [str(tmp_path / "in/red2.png")])


def test_a_change_is_made_as_a_whole_or_not_at_all(named: Library) -> None:
    with pytest.raises(InstanceError, match="taken"):
        named.instances.change("my dog Rusty", category="wolf", name="my wolf", add_aliases=["my cat Moss"])
    assert named.instances.get("my dog Rusty").category == "dog"
    changed = named.instances.change("my dog Rusty", name="my wolf", category="wolf", aliases=["Boss", "Red"])
    assert (changed.name, changed.category, changed.aliases) == ("my wolf", "wolf", ("Boss", "Red"))
    assert named.instances.change("my wolf", aliases=["Boss"], add_aliases=["King"]).aliases == (
        "Boss",
        "King",
    )


def test_decisions_about_examples_are_made_as_a_whole_and_undone(named: Library, tmp_path: Path) -> None:
    named.instances.name("Rusty", [str(tmp_path / "in/red2.png")])
    first, second = (shown.example.id for shown in named.instances.examples("Rusty"))
    with pytest.raises(InstanceError, match="has no example 99"):
        named.instances.decide("Rusty", {first: "rejected", 99: "rejected"})
    with pytest.raises(InstanceError, match="not 'maybe'"):
        named.instances.decide("Rusty", {first: "rejected", second: "maybe"})
    assert named.instances.get("Rusty").confirmed == 2
    before = named.instances.decide("Rusty", {first: "rejected", second: "removed"})
    assert before == {first: "confirmed", second: "confirmed"}
    assert (named.instances.get("Rusty").confirmed, named.instances.get("Rusty").rejected) == (0, 1)
    named.instances.decide("Rusty", {first: before[first]})
    assert named.instances.get("Rusty").confirmed == 1


def test_people_are_a_kind_of_their_own(library: Library, tmp_path: Path) -> None:
    photo = tmp_path / "in/red1.png"
    assert command(library, "name", "my sister Anna", photo, "--person").startswith(
        "new: my sister Anna (person)"
    )
    assert (
        library.instances.name("my mug", [str(tmp_path / "in/blue1.png")], category="cup").instance.kind
        == "thing"
    )
    assert library.instances.name("Anna", [str(tmp_path / "in/red2.png")]).instance.kind == "person"
    file = tmp_path / "named.json"
    library.instances.export_file(file)
    other = Library.create(tmp_path / "other")
    other.instances.import_file(file)
    assert {item.name: item.kind for item in other.instances.all()} == {
        "my mug": "thing",
        "my sister Anna": "person",
    }
    command(library, "instances", "kind", "Anna", "thing")
    listed = json.loads(command(library, "instances", "list", "--json"))["instances"]
    assert [item["kind"] for item in listed] == ["thing", "thing"]
    with pytest.raises(InstanceError, match="not 'dog'"):
        library.instances.change("Anna", kind="dog", category="wolf")
    assert library.instances.get("Anna").category == "person"
