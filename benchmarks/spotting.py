"""Spotting in speech: how fast, and what words alone tell about real sentences.

    python benchmarks/spotting.py SENTENCES.tsv --out benchmarks/results/spotting.json

SENTENCES.tsv has the columns label (physical, ambiguous or non_visual), source and sentence, each sentence
with a "this is my ..." that somebody said. They are both what the speed is measured on, repeated to 1,000
hours of talk, and what the prior, which looks at no picture, is measured on.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thisismy.core.span import Span
from thisismy.encoders.caching import CachingEncoder
from thisismy.encoders.embedded.encoder import EmbeddedEncoder
from thisismy.mining.mention import Mention
from thisismy.mining.patterns import GRAMMAR_SETS, PATTERN_SETS
from thisismy.mining.prior import similarity_log_odds, visible_priors
from thisismy.mining.settings import MiningSettings
from thisismy.mining.spotting import spot_mentions
from thisismy.transcripts import Segment, Transcript

HOURS = 1000
WORDS_AN_HOUR = 9000
WORDS_A_LINE = 10
HOURS_MADE = 25
"""Hours of distinct lines; they are spotted again and again until there are `HOURS`."""

SECONDS_A_WORD = 0.4
TIES = 50


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with given.sentences.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    labels, sentences = [row["label"] for row in rows], [row["sentence"] for row in rows]
    result = {
        "labels": {label: labels.count(label) for label in sorted(set(labels))},
        "pattern_sets": pattern_sets(labels, sentences),
        "prior": prior(labels, sentences),
        "speed": speed(sentences),
    }
    print(json.dumps(result, indent=1))
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(result, indent=1) + "\n")


def transcript(sentence: str) -> Transcript:
    """A sentence as somebody would say it."""
    return Transcript((Segment(Span(0.0, 1.0 + SECONDS_A_WORD * len(sentence.split())), sentence),))


def pattern_sets(labels: list[str], sentences: list[str]) -> dict[str, Any]:
    """How many mentions each set spots, and in how many sentences of each label one passes the prior."""
    encoder = CachingEncoder(EmbeddedEncoder())
    least = MiningSettings().prior_threshold
    found = {}
    for name in (*PATTERN_SETS, *GRAMMAR_SETS):
        spotted = [spot_mentions(transcript(sentence), name) for sentence in sentences]
        own = [(i, m) for i, mentions in enumerate(spotted) for m in mentions if m.kind == "own"]
        passed = visible_priors([mention for _, mention in own], encoder) >= least
        kept = {i for (i, _), passes in zip(own, passed, strict=True) if passes}
        found[name] = {
            "mentions": sum(map(len, spotted)),
            "kept_mentions": int(passed.sum()),
            "spotted": by_label(labels, [i for i, mentions in enumerate(spotted) if mentions]),
            "kept": by_label(labels, kept),
        }
    return found


def by_label(labels: list[str], chosen: Iterable[int]) -> dict[str, int]:
    """How many of the chosen sentences have each label."""
    return dict(sorted(Counter(labels[i] for i in chosen).items()))


def prior(labels: list[str], sentences: list[str]) -> dict[str, Any]:
    """How well words alone tell things that can be seen (physical, ambiguous) from others."""
    told = [meant(spot_mentions(transcript(sentence))) for sentence in sentences]
    mentions = [mention for mention in told if mention is not None]
    real = [label for label, mention in zip(labels, told, strict=True) if mention is not None]
    visible = np.array([label != "non_visual" for label in real])
    encoder = CachingEncoder(EmbeddedEncoder())
    phrases = [" ".join(word.text for word in mention.words) for mention in mentions]
    scores = {
        "chance": np.zeros(len(mentions)),
        "word lists": visible_priors(mentions),
        "text tower": similarity_log_odds(phrases, encoder),
        "both": visible_priors(mentions, encoder),
    }
    both = scores["both"]
    thresholds = {}
    for least in (0.05, 0.1, 0.2, 0.3, 0.5):
        kept = both >= least
        thresholds[str(least)] = {
            label: int(sum(k and name == label for k, name in zip(kept, real, strict=True)))
            for label in sorted(set(real))
        }
    return {
        "sentences": len(mentions),
        "average_precision": {name: round(average_precision(visible, s), 3) for name, s in scores.items()},
        "roc_area": {name: round(roc_area(visible, s), 3) for name, s in scores.items()},
        "kept_at": thresholds,
        "setting": MiningSettings().prior_threshold,
    }


def meant(mentions: list[Mention]) -> Mention | None:
    """The mention a sentence was collected for: the first that says "this is" or "these are"."""
    return next((mention for mention in mentions if mention.kind != "negated"), None)


def average_precision(visible: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Mean over random orders of equal scores."""
    values = []
    for seed in range(TIES):
        order = np.lexsort((np.random.default_rng(seed).random(len(scores)), -scores))
        hits = visible[order]
        values.append(float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()))
    return float(np.mean(values))


def roc_area(visible: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Share of pairs in the right order; a tie counts half."""
    yes, no = scores[visible][:, None], scores[~visible][None]
    return float(((yes > no) + 0.5 * (yes == no)).mean())


def speed(sentences: list[str]) -> dict[str, Any]:
    """Seconds to spot `HOURS` of talk in which every other line comes from a real "this is my" sentence."""
    words = " ".join(sentences).split()
    lines = HOURS_MADE * WORDS_AN_HOUR // WORDS_A_LINE
    segments = []
    for i in range(lines):
        start = (i * WORDS_A_LINE) % (len(words) - WORDS_A_LINE)
        text = " ".join(words[start : start + WORDS_A_LINE])
        segments.append(Segment(Span(4.0 * i, 4.0 * i + 4.0), text))
    hourly = lines // HOURS_MADE
    made = [Transcript(tuple(segments[i : i + hourly])) for i in range(0, lines, hourly)]
    found: dict[str, Any] = {
        "hours": HOURS,
        "words": HOURS * WORDS_AN_HOUR,
        "load_before": os.getloadavg()[0],
    }
    for name in PATTERN_SETS:
        wall, cpu = time.perf_counter(), time.process_time()
        mentions = 0
        for _ in range(HOURS // HOURS_MADE):
            mentions += sum(len(spot_mentions(hour, name)) for hour in made)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        found[name] = {"wall_s": round(wall, 1), "cpu_s": round(cpu, 1), "mentions": mentions}
    return found


if __name__ == "__main__":
    main()
