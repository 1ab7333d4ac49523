from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thisismy.core.errors import MissingExtraError
from thisismy.core.span import Span
from thisismy.mining.mention import Mention
from thisismy.mining.patterns import PATTERN_SETS
from thisismy.mining.spotting import spot_mentions
from thisismy.transcripts import Segment, Transcript, Word, read_transcript


def talk(*lines: str, seconds: float = 4.0, gap: float = 0.0) -> Transcript:
    return Transcript(
        tuple(
            Segment(Span(i * (seconds + gap), i * (seconds + gap) + seconds), line)
            for i, line in enumerate(lines)
        )
    )


def only(transcript: Transcript, patterns: str = "paper") -> Mention:
    (mention,) = spot_mentions(transcript, patterns)
    return mention


@pytest.mark.parametrize("owner", ["my", "our", "his", "her", "their"])
@pytest.mark.parametrize("start", ["this is", "these are", "This Is,", "THESE ARE"])
def test_the_ten_patterns(start: str, owner: str) -> None:
    mention = only(talk(f"Well {start} {owner} blue bikes."))
    assert (mention.owner, mention.candidate) == (owner, "blue bikes")
    assert mention.kind == ("own" if owner in ("my", "our") else "others")


@pytest.mark.parametrize(
    ("line", "candidate"),
    [
        ("This is my dog Biscuit.", "dog Biscuit"),
        ("this is, um, my dog, uh, Biscuit", "dog Biscuit"),
        ("this is like my my dog biscuit he turned three", "dog biscuit he turned"),
        ("This is my dog, Biscuit, and he is old.", "dog Biscuit"),
        ("This is my dog, he is old.", "dog"),
        ("This is my dog. Biscuit is elsewhere.", "dog"),
        ("this is our, my dog", "dog"),
        ("This's my dog.", "dog"),
        ("These\u2019re my shoes!", "shoes"),
        ("this is [Music] my dog", "dog"),
        ("this is... my dog", "dog"),
        ("This is my new sneaker, well, one of the two.", "new sneaker"),
        ("this is my rubber duck captain quack from the bath", "rubber duck captain quack"),
        ("this is my friend Dr. Brown.", "friend Dr Brown"),
    ],
)
def test_spoken_forms(line: str, candidate: str) -> None:
    assert only(talk(line)).candidate == candidate


@pytest.mark.parametrize(
    "lines",
    [
        ("Look, this", "is my", "dog Biscuit."),
        ("Look, this is my dog", "Biscuit."),
        ("this is", "", "my dog Biscuit"),
    ],
)
def test_phrases_split_over_lines(lines: tuple[str, ...]) -> None:
    assert only(talk(*lines)).candidate == "dog Biscuit"


@pytest.mark.parametrize(
    "line",
    [
        "I know this. Is my dog here?",
        "This is mine.",
        "this is myself",
        "Christhis is my dog".replace("Christhis", "Christhis"),
        "that is my dog",
        "Here's my dog",
        "this is the dog",
        "This is her.",
        "this is my",
    ],
)
def test_what_is_no_mention(line: str) -> None:
    assert spot_mentions(talk(line)) == []


def test_merged_lines_give_every_mention() -> None:
    line = "And this is, this is my dog Biscuit, and these are our cats. This is my opinion."
    assert [m.candidate for m in spot_mentions(talk(line))] == ["dog Biscuit", "cats", "opinion"]


def test_a_long_pause_ends_a_sentence_without_punctuation() -> None:
    assert only(talk("this is my dog", "we walk a lot", gap=2.0)).candidate == "dog"
    assert only(talk("this is my dog", "we walk a lot", gap=0.1)).candidate == "dog we walk a"


def test_estimated_times_are_no_pauses() -> None:
    assert only(talk("this is my dog Biscuit", seconds=60)).candidate == "dog Biscuit"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("This is my dog.", "own"),
        ("This is not my dog.", "negated"),
        ("That one there is not my dog, no.", "negated"),
        ("This isn't my dog.", "negated"),
        ("these aren\u2019t really our bikes", "negated"),
        ("I don't think this is my dog.", "negated"),
        ("This is her dog Rex.", "others"),
        ("This is my neighbour's dog.", "others"),
        ("This is my friends\u2019 house.", "others"),
        ("This is my dog's bed.", "own"),
        ("This is my dog?", "question"),
        ("I wonder if this is my bag.", "question"),
        ("This is my dog Biscuit, isn't he cute?", "own"),
    ],
)
def test_whose_thing_it_is(line: str, kind: str) -> None:
    assert only(talk(line)).kind == kind


@pytest.mark.parametrize(
    ("lines", "called"),
    [
        (("This is my dog, he's called Biscuit.",), "Biscuit"),
        (("This is my dog.", "His name is Biscuit."), "Biscuit"),
        (("this is my dog named biscuit",), "biscuit"),
        (("This is my boat and we call her Old Mary.",), "Old Mary"),
        (("This is my dog.", "It is called a terrier."), None),
        (("This is my dog.",), None),
    ],
)
def test_names_given_elsewhere(lines: tuple[str, ...], called: str | None) -> None:
    assert only(talk(*lines)).called == called


@pytest.mark.parametrize(
    ("line", "candidate"),
    [
        ("Here's my dog Biscuit.", "dog Biscuit"),
        ("Here are our bikes.", "bikes"),
        ("There is my car.", "car"),
        ("Meet my cat Mango.", "cat Mango"),
        ("Say hi to my sister.", "sister"),
        ("Say hello to our puppy Pip!", "puppy Pip"),
        ("That's my guitar.", "guitar"),
        ("Those are my shoes.", "shoes"),
        ("These guys are our chickens.", "chickens"),
        ("this little one is my robot", "robot"),
        ("This is also my bike.", "bike"),
        ("My dog Biscuit is.", "dog Biscuit is"),
        ("Let me show you my teapot.", "teapot"),
    ],
)
def test_the_wide_set(line: str, candidate: str) -> None:
    assert only(talk(line), "wide").candidate == candidate
    assert spot_mentions(talk(line), "paper") == []


@pytest.mark.parametrize(
    "line", ["This is in our garden.", "This is just our garden.", "This is like my garden."]
)
def test_only_a_name_can_stand_before_the_thing(line: str) -> None:
    assert all(mention.called is None for mention in spot_mentions(talk(line), "wide"))


def test_a_denial_is_none_of_the_wide_set() -> None:
    assert [m.kind for m in spot_mentions(talk("This is not our garden."), "wide")] == ["negated"]


def test_the_wide_set_reads_names_before_the_thing() -> None:
    mention = only(talk("Everyone, this is Biscuit, my dog."), "wide")
    assert (mention.candidate, mention.called) == ("dog", "Biscuit")


@pytest.mark.parametrize("line", ["my dog park is nice", "My first Tuesday was fine.", "In my view it is so"])
def test_the_wide_set_wants_a_capitalised_name_before_the_verb(line: str) -> None:
    assert [
        m
        for m in spot_mentions(talk(line), "wide")
        if "NAME" in m.pattern and m.candidate != "first Tuesday was fine"
    ] == []


def test_times_come_from_the_words() -> None:
    words = tuple(
        Word(text, Span(start, start + 0.3))
        for text, start in [("this", 5.0), ("is", 5.4), ("my", 5.8), ("dog.", 6.2)]
    )
    mention = only(Transcript((Segment(Span(5, 9), "this is my dog.", words),)))
    assert mention.span == Span(5.0, 6.5)
    assert mention.words == (Word("dog", Span(6.2, 6.5)),)
    assert mention.sentence == "this is my dog."


def test_the_sentence_is_the_context() -> None:
    mention = only(talk("We are home. So, first of all, this is my dog", "Biscuit, who is old. Bye."))
    assert mention.sentence == "So, first of all, this is my dog Biscuit, who is old."


def test_unknown_sets_are_refused() -> None:
    with pytest.raises(ValueError, match="'deep'; there are paper, wide"):
        spot_mentions(talk("x"), "deep")


def test_empty_transcripts_have_no_mentions() -> None:
    assert spot_mentions(Transcript(())) == []
    assert spot_mentions(talk("", "")) == []


def test_letters_that_grow_when_lowered_do_not_shift_places() -> None:
    assert only(talk("\u0130\u0130\u0130\u0130 this is my dog Biscuit.")).candidate == "dog Biscuit"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "this",
                "is",
                "my",
                "dog",
                "um,",
                "these",
                "are",
                "our",
                "This",
                "Biscuit.",
                "not",
                "[x]",
                "\u2026",
                ",",
                "her",
            ]
        ),
        max_size=25,
    ),
    st.integers(1, 25),
)
def test_where_lines_break_does_not_matter(words: list[str], width: int) -> None:
    def spotted(lines: list[str]) -> list[tuple[str, str]]:
        # Without gaps between the lines no pause ends a sentence.
        return [(m.candidate, m.kind) for m in spot_mentions(talk(*lines), "wide")]

    lines = [" ".join(words[i : i + width]) for i in range(0, len(words), width)]
    assert spotted(lines) == spotted([" ".join(words)])


@pytest.mark.parametrize("ending", [".srt", ".auto.vtt"])
@pytest.mark.parametrize("patterns", sorted(PATTERN_SETS))
def test_every_planted_mention_is_spotted_and_nothing_else(
    dev_data: Path, ending: str, patterns: str
) -> None:
    for file in sorted((dev_data / "vlogs-dev").glob("*_0?.json")):
        planted = json.loads(file.read_text())["mentions"]
        found = spot_mentions(read_transcript(file.with_suffix(ending)), patterns)
        assert len(found) == len(planted)
        for mention, truth in zip(found, planted, strict=True):
            assert mention.span.overlap(Span(truth["start"], truth["end"])) > 0
            assert (mention.kind == "negated") == (truth["kind"] == "negated")
            assert (mention.kind == "others") == (truth["kind"] == "someone_elses")


def test_a_thousand_hours_take_seconds() -> None:
    line = "so we went to the market and this time that was all there is in my view of it"
    hour = talk(*[line] * 460, "This is my dog Biscuit.", seconds=7.8)
    begin = time.perf_counter()
    for _ in range(20):
        assert len(spot_mentions(hour)) == 1
    assert (time.perf_counter() - begin) / 20 * 1000 < 60


def test_grammar_alternatives() -> None:
    pytest.importorskip("spacy", reason="needs the extra 'language'")
    transcript = talk("So this is my friend Anna Smith from London.", "This is my old bicycle.")
    try:
        nouns = {m.candidate for m in spot_mentions(transcript, "pos-nouns")}
    except MissingExtraError as error:
        pytest.skip(str(error))
    assert "old bicycle" in nouns
    assert any("London" in name for name in nouns)
    assert {"London"} <= {m.candidate for m in spot_mentions(transcript, "ner")}
    assert [m.words[0].text for m in spot_mentions(transcript, "paper+ner")] == ["friend"]
