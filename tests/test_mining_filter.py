from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEncoder

from thisismy.core.errors import EncoderMismatchError, LibraryError
from thisismy.core.span import Span
from thisismy.encoders.base import Features, unit
from thisismy.mining.calibrate import Calibration, calibrate, shipped_calibration
from thisismy.mining.categories import COCO_CATEGORIES, stated_category, zero_shot_category
from thisismy.mining.examples import propose_elsewhere, same_video_examples
from thisismy.mining.lexicon import lexicon
from thisismy.mining.measure import MiningScore, TrueMention
from thisismy.mining.mention import Mention
from thisismy.mining.mine import mine_video
from thisismy.mining.naming import filter_texts, proper_names, trim_name, visible_noun
from thisismy.mining.prior import noun_phrase, visible_priors, word_evidence
from thisismy.mining.settings import MiningSettings
from thisismy.mining.spotting import spot_mentions
from thisismy.mining.visual import candidate_shots, find_reference, naming_span
from thisismy.transcripts import Segment, Transcript

COSINE = MiningSettings(
    score="cosine",
    visual_threshold=0.5,
    prompts=("{}",),
    distance_penalty=0.0,
    trim_threshold=0.5,
    trim_tolerance=9.0,
)
RED, GREEN, BLUE = np.eye(4, dtype=np.float32)[:3]


def talk(line: str, start: float = 0.0, end: float = 2.0) -> Transcript:
    return Transcript((Segment(Span(start, end), line),))


def mention(line: str) -> Mention:
    return spot_mentions(talk(line))[0]


def spans(*starts: float) -> list[Span]:
    return [Span(a, b) for a, b in pairwise(starts)]


def test_the_phrase_ends_at_words_that_are_no_name() -> None:
    assert noun_phrase("dog waggy he is".split()) == ["dog", "waggy"]
    assert noun_phrase("pretty new bike".split()) == ["pretty", "new", "bike"]
    assert noun_phrase("final answer toys are".split()) == ["final", "answer"]
    assert noun_phrase("that".split()) == []
    assert noun_phrase("soda can".split()) == ["soda", "can"]
    assert noun_phrase("dog can swim".split()) == ["dog"]
    assert noun_phrase("corgi named Waffles".split()) == ["corgi"]


@pytest.mark.parametrize(
    ("words", "evidence"),
    [
        ("dog Biscuit", "visible"),
        ("two little puppies", "visible"),
        ("teddy bear", "visible"),
        ("favourite time of the", "abstract"),
        ("car insurance", "mixed" if "insurance" in lexicon().abstract else "visible"),
        ("house rules", "mixed"),
        ("brand-new", "nothing"),
        ("zyzzyva", "unknown"),
        ("it", "nothing"),
        ("dog Hope", "visible"),
    ],
)
def test_word_evidence(words: str, evidence: str) -> None:
    assert word_evidence(words.split()) == evidence


def test_priors_order_things_before_thoughts() -> None:
    said = [mention(f"this is my {what}.") for what in ("dog", "zyzzyva", "opinion")]
    thing, unknown, thought = visible_priors(said)
    assert thing > 0.8 > unknown > 0.2 > thought
    assert visible_priors([]).shape == (0,)


def test_the_lexicon_is_consistent() -> None:
    words = lexicon()
    assert not words.visible & words.abstract
    assert set(words.categories.values()) <= set(COCO_CATEGORIES)
    assert set(words.subtypes) <= words.visible
    assert words.nouns(["teddy", "bear", "mug"]) == [(1, "teddy-bear"), (2, "mug")]


@pytest.mark.parametrize(
    ("words", "noun"),
    [("little car Turbo", "car"), ("dog biscuit", "dog"), ("coffee machine", "machine"), ("opinion", None)],
)
def test_the_noun_a_phrase_is_about(words: str, noun: str | None) -> None:
    assert visible_noun(words.split()) == noun


def test_filter_texts_are_all_prefixes_or_the_noun_with_its_kinds() -> None:
    said = mention("this is my old dog Biscuit.")
    assert filter_texts(said, COSINE.__class__.paper()) == ["old", "old dog", "old dog Biscuit"]
    texts = filter_texts(said, MiningSettings())
    assert texts[:2] == ["a photo of a old dog", "a photo of a dog"]
    assert "a photo of a poodle" in texts
    assert not any("Biscuit" in text for text in texts)


@pytest.mark.parametrize(
    ("line", "may_be_a_toy"),
    [
        ("this is my sloth Slowpoke.", True),
        ("this is my rubber duck.", True),
        ("this is my plush cat.", True),
        ("this is my cat.", False),
        ("this is my new car.", False),
    ],
)
def test_what_people_own_as_toys_is_also_looked_for_as_a_toy(line: str, may_be_a_toy: bool) -> None:
    texts = filter_texts(mention(line), MiningSettings())
    assert ("a photo of a toy" in texts) == may_be_a_toy


def test_candidates_are_the_shots_around_the_mention() -> None:
    shots = spans(0, 4, 8, 12, 16, 40)
    assert candidate_shots(Span(5, 6), shots, MiningSettings()) == [0, 1, 2]
    assert candidate_shots(Span(7, 9), shots, MiningSettings()) == [0, 1, 2, 3]
    assert candidate_shots(Span(5, 6), shots, MiningSettings(shots_around=0)) == [1]
    assert candidate_shots(Span(17, 18), shots, MiningSettings(seconds_around=2.0)) == [3, 4]
    assert candidate_shots(Span(50, 51), shots, MiningSettings(shots_around=0, seconds_around=60)) == [4]
    assert candidate_shots(Span(1, 2), [], MiningSettings()) == []


def test_words_that_go_on_do_not_move_the_mention() -> None:
    said = spot_mentions(talk("this is my candle it smells nice", 0, 7))[0]
    assert naming_span(said, MiningSettings()).end == said.words[0].span.end < said.span.end


def test_the_best_shot_is_the_reference() -> None:
    features = unit(np.stack([GREEN, GREEN + 0.4 * RED, RED, RED]))
    found = find_reference(
        mention("this is my red bike."), spans(0, 3, 6, 9, 12), features, FakeEncoder(), COSINE, None
    )
    assert found is not None
    assert (found.shot, found.candidates) == (1, (0, 1))
    late = spot_mentions(talk("this is my red bike.", 4, 5))[0]
    found = find_reference(late, spans(0, 3, 6, 9, 12), features, FakeEncoder(), COSINE, None)
    assert found is not None
    assert found.shot == 2


def test_a_shot_further_away_has_to_fit_better() -> None:
    features = unit(np.stack([RED, GREEN, GREEN]))
    said = spot_mentions(talk("this is my red bike.", 6, 7))[0]
    settings = MiningSettings(score="cosine", distance_penalty=0.2, prompts=("{}",), subtypes=False)
    found = find_reference(said, spans(0, 4, 8, 12), features, FakeEncoder(), settings, None)
    assert found is not None
    assert found.shot == 0
    assert found.score - found.fit == pytest.approx(0.2 * 2.0, abs=1e-6)


def test_among_shots_above_the_cap_the_nearer_one_wins() -> None:
    features = unit(np.stack([RED, GREEN, RED + 0.05 * GREEN]))
    shots = spans(0, 4, 5.9, 12)
    said = spot_mentions(talk("this is my red bike.", 5, 5.4))[0]
    settings = MiningSettings(score="cosine", score_cap=0.9, distance_penalty=0.1, prompts=("{}",))
    found = find_reference(said, shots, features, FakeEncoder(), settings, None)
    assert found is not None
    assert found.shot == 2
    plain = find_reference(said, shots, features, FakeEncoder(), COSINE.__class__.paper(), None)
    assert plain is not None
    assert plain.shot == 0


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("this is my dog waggy he is", "dog waggy"),
        ("This is my dog Biscuit.", "dog Biscuit"),
        ("This is my dog, he is called Bo.", "dog Bo"),
        ("this is my favourite red chair", "favourite red chair"),
        ("this is my dog", "dog"),
    ],
)
def test_names_are_trimmed_but_proper_names_stay(line: str, name: str) -> None:
    assert trim_name(mention(line), RED, FakeEncoder(), COSINE, None) == name


def test_words_that_leave_the_picture_are_trimmed() -> None:
    settings = MiningSettings(score="cosine", trim_threshold=0.8, trim_tolerance=0.1, prompts=("{}",))
    assert (
        trim_name(mention("this is my red bike green grass here"), RED, FakeEncoder(), settings, None)
        == "red bike"
    )


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("this is my dog biscuit he", "dog Biscuit"),
        ("this is my dog pumpkin he", "dog Pumpkin"),
        ("this is my big pumpkin", "big pumpkin"),
        ("this is my red old boat", "red old boat"),
        ("this is my boat mary", "boat Mary"),
    ],
)
def test_known_names_get_their_capitals_back(line: str, name: str) -> None:
    known = proper_names(["my dog Biscuit", "Pumpkin", "my dog Pumpkin", "our boat Old Mary"])
    assert trim_name(mention(line), RED, FakeEncoder(), COSINE, None, known) == name


def test_the_proper_names_in_names() -> None:
    named = ["my dog Biscuit", "Anna's bike", "My old mug", "Dog rose", "biscuit"]
    assert proper_names(named) == ("Biscuit",)
    named = ["Biscuit", "our boat Old Mary", "Anna Smith"]
    assert proper_names(named) == ("Biscuit", "Mary", "Anna", "Smith")


def test_examples_are_the_shots_that_look_alike() -> None:
    features = unit(np.stack([RED, RED + 0.2 * GREEN, GREEN, RED + 0.6 * BLUE, RED + 0.6 * BLUE]))
    assert [p.shot for p in same_video_examples(0, features, 0.9)] == [1]
    assert [p.shot for p in same_video_examples(0, features, 0.8)] == [1, 3, 4]
    assert [p.shot for p in same_video_examples(4, features, 0.9, neighbour_bonus=0.1)] == [3]
    assert [p.shot for p in same_video_examples(2, features, 0.9)] == []


def test_proposals_elsewhere_are_ranked() -> None:
    gallery = unit(np.stack([GREEN, RED + 0.5 * BLUE, RED, RED + 0.2 * BLUE]))
    found = propose_elsewhere(RED[None], gallery, 0.5)
    assert [p.shot for p in found] == [2, 3, 1]
    assert [p.shot for p in propose_elsewhere(RED[None], gallery, 0.5, limit=1)] == [2]
    assert propose_elsewhere(np.zeros((0, 4), np.float32), gallery, 0.5) == []
    assert propose_elsewhere(RED[None], np.zeros((0, 4), np.float32), 0.5) == []


def test_categories_come_from_the_name_or_from_the_pictures() -> None:
    assert len(COCO_CATEGORIES) == len(set(COCO_CATEGORIES)) == 80
    assert stated_category("my new puppy Pip") == "dog"
    assert stated_category("teddy bear Barnaby") == "teddy bear"
    assert stated_category("car keys") != "car"
    assert stated_category("zyzzyva") is None
    named = zero_shot_category("dog Biscuit", RED[None], FakeEncoder())
    assert (named.name, named.probability, named.from_name) == ("dog", 1.0, True)
    seen = zero_shot_category("thingamajig", RED[None], FakeEncoder(), ["green box", "red box"])
    assert (seen.name, seen.from_name) == ("red box", False)
    assert (
        zero_shot_category("thingamajig", np.zeros((0, 4), np.float32), FakeEncoder(), ["box"]).name == "box"
    )
    with pytest.raises(ValueError, match="empty"):
        zero_shot_category("dog", RED[None], FakeEncoder(), [])


def pictures(n: int = 200, dim: int = 16) -> Features:
    rng = np.random.default_rng(1)
    return unit(rng.normal(size=(n, dim)) * np.linspace(1, 0.1, dim) + 0.3)


def test_unrelated_pictures_score_about_zero_and_matches_far_above() -> None:
    known = calibrate(pictures(), "x")
    for seed in range(5):
        text = unit(np.random.default_rng(seed).normal(size=(3, 16)))
        unrelated = known.scores(text, pictures())
        assert abs(float(unrelated.mean())) < 0.35
        assert 0.6 < float(unrelated.std()) < 1.6
        assert known.scores(text, text[:1])[0] > unrelated.mean() + 2


def test_the_score_is_worked_out_by_hand() -> None:
    known = calibrate(pictures(), "x")
    text, shot = unit(np.ones((1, 16))), pictures()[:1]
    chance = known.bank @ text[0]
    expected = (float(shot[0] @ text[0]) - chance.mean()) / chance.std()
    assert known.scores(text, shot)[0] == pytest.approx(expected, abs=1e-3)


def test_calibrations_are_saved_with_their_encoder(tmp_path: Path) -> None:
    known = calibrate(pictures(), "one")
    known.save(tmp_path / "c.json")
    again = Calibration.load(tmp_path / "c.json")
    assert again.encoder_id == "one"
    assert again.example_threshold == pytest.approx(known.example_threshold, abs=1e-4)
    assert np.abs(again.bank - known.bank).max() < 2e-3
    with pytest.raises(EncoderMismatchError, match="one, not for two"):
        again.check("two")
    (tmp_path / "c.json").write_text('{"format": "other"}')
    with pytest.raises(LibraryError, match="is not a calibration"):
        Calibration.load(tmp_path / "c.json")
    with pytest.raises(LibraryError, match="cannot be read"):
        Calibration.load(tmp_path / "none.json")


def test_calibration_needs_pictures_and_leaves_out_pairs_of_one_video() -> None:
    with pytest.raises(LibraryError, match="3 shots are too few"):
        calibrate(pictures(3), "x")
    twice = np.repeat(pictures(30), 2, axis=0)
    groups = np.repeat(np.arange(30), 2)
    assert calibrate(twice, "x", groups).pair_middle < calibrate(twice, "x").pair_middle


def test_a_few_things_seen_again_and_again_do_not_raise_the_threshold() -> None:
    apart = pictures(200, 512)
    repeated = np.concatenate([apart, np.repeat(apart[:5], 8, axis=0)])
    plain, crowded = calibrate(apart, "x"), calibrate(repeated, "x")
    assert plain.example_threshold < 0.95
    assert crowded.example_threshold == pytest.approx(plain.example_threshold, abs=0.03)


def test_the_embedded_encoder_ships_its_calibration() -> None:
    from thisismy.encoders.embedded.encoder import EmbeddedEncoder

    shipped = shipped_calibration(EmbeddedEncoder().id)
    assert shipped is not None
    assert 0.3 < shipped.example_threshold < 0.95
    assert shipped_calibration("another") is None


def mine(line: str, settings: MiningSettings = COSINE) -> list[tuple[str, str]]:
    features = unit(np.stack([RED, RED + 0.1 * GREEN, GREEN]))
    found = mine_video(talk(line, 1, 3), spans(0, 4, 8, 12), features, FakeEncoder(), settings)
    return [(m.verdict, m.name) for m in found]


def test_verdicts() -> None:
    assert mine("This is my red chair Bo.") == [("kept", "my red chair Bo")]
    assert mine("This is my blue chair.") == [("not visual", "my blue chair")]
    assert mine("This is my opinion.") == [("abstract", "my opinion")]
    assert mine("This is not my red chair.") == [("negated", "my red chair")]
    assert mine("This is her red chair.") == [("someone else's", "her red chair")]
    assert mine("I wonder if this is my red chair.") == [("question", "my red chair")]
    assert mine(
        "This is her red chair.", MiningSettings(score="cosine", visual_threshold=0.5, keep_others=True)
    ) == [("kept", "her red chair")]
    assert mine("Nothing is said.") == []


def test_a_result_says_what_made_it() -> None:
    features = unit(np.stack([RED, RED + 0.1 * GREEN, GREEN]))
    settings = MiningSettings(score="cosine", visual_threshold=0.5, prompts=("{}",), example_threshold=0.9)
    (found,) = mine_video(
        talk("This is my red chair Bo."), spans(0, 4, 8, 12), features, FakeEncoder(), settings
    )
    assert found.reference is not None
    assert found.reference.shot == 0
    assert [example.shot for example in found.examples] == [1]
    assert found.category is not None
    assert found.category.name == "chair"
    assert (found.threshold, found.example_threshold, found.encoder_id) == (0.5, 0.9, "fake-colours")
    assert "at least 0.5" in found.reason


def test_shots_features_and_calibration_must_fit() -> None:
    with pytest.raises(ValueError, match="1 shots do not go with 0 features"):
        mine_video(talk("x"), spans(0, 4), np.zeros((0, 4), np.float32), FakeEncoder(), COSINE)
    with pytest.raises(ValueError, match="need a calibration"):
        mine_video(talk("x"), [], np.zeros((0, 4), np.float32), FakeEncoder())
    with pytest.raises(EncoderMismatchError):
        mine_video(
            talk("x"), [], np.zeros((0, 4), np.float32), FakeEncoder(), calibration=calibrate(pictures(), "y")
        )


def test_a_video_without_shots_keeps_nothing() -> None:
    (found,) = mine_video(
        talk("This is my red chair."), [], np.zeros((0, 4), np.float32), FakeEncoder(), COSINE
    )
    assert (found.verdict, found.reference) == ("no shot", None)


def test_counts_worked_out_by_hand() -> None:
    shots = spans(0, 4, 8, 12)
    features = unit(np.stack([RED, RED + 0.1 * GREEN, GREEN]))
    said = Transcript(
        (Segment(Span(1, 3), "This is my red chair."), Segment(Span(9, 11), "This is my green hat."))
    )
    mined = mine_video(said, shots, features, FakeEncoder(), COSINE)
    truth = [
        TrueMention(Span(1, 3), True, False, frozenset({0, 1})),
        TrueMention(Span(9, 11), False, False, frozenset()),
        TrueMention(Span(20, 21), True, False, frozenset({2})),
    ]
    score = MiningScore()
    score.add(mined, truth, shots)
    assert (score.spotted.precision, score.spotted.recall) == (1.0, pytest.approx(2 / 3))
    assert (score.visual.precision, score.visual.recall) == (0.5, 0.5)
    assert (score.reference.right, score.reference.missed) == (1, 1)
    assert (score.examples.right, score.examples.wrong, score.examples.missed) == (1, 0, 0)
    assert MiningScore().visual.precision is None


def test_settings_are_changed_by_name() -> None:
    changed = MiningSettings().changed(
        ["visual_threshold=0.8", "shots_around = 2", "subtypes=no", "score=cosine", "prompts={}|a {}"]
    )
    assert (changed.visual_threshold, changed.shots_around, changed.subtypes) == (0.8, 2, False)
    assert (changed.score, changed.prompts) == ("cosine", ("{}", "a {}"))
    assert MiningSettings.paper().changed(["example_threshold=none"]).example_threshold is None
    assert MiningSettings().changed([]) == MiningSettings()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("visual=1", "is not SETTING=VALUE; the settings are patterns, max_words"),
        ("visual_threshold", "is not SETTING=VALUE"),
        ("shots_around=few", "shots_around cannot be 'few'"),
        ("subtypes=maybe", "write yes or no"),
        ("score=luck", "choose one of calibrated, cosine"),
        ("patterns=papers", "choose one of paper, wide, pos-nouns"),
    ],
)
def test_settings_that_are_none(wrong: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MiningSettings().changed([wrong])


def test_the_printed_rule_trims_by_the_picture_alone() -> None:
    segment = Segment(Span(0.0, 2.0), "this is my red that is blue")
    shots, red = [Span(0.0, 2.0)], unit(np.array([[1.0, 0.0, 0.0, 0.1]], np.float32))

    def name(threshold: float) -> str:
        settings = replace(MiningSettings.paper(), trim_threshold=threshold)
        (found,) = mine_video(Transcript((segment,)), shots, red, FakeEncoder(), settings)
        assert found.verdict == "kept"
        return found.name

    # A stop word does not end the name; a picture that fits the shorter text better does.
    assert name(0.3) == "my red that is blue"
    assert name(0.9) == "my red that is"
