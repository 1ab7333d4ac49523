"""Examples of vlogs mined from their narration, and matched with the truth to know whose they are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from thisismy.core.errors import BenchmarkError
from thisismy.encoders.base import Encoder, Features, unit
from thisismy.evaluation.datasets.vlogs import Examples, Shots, Subject, Vlog, Vlogs
from thisismy.mining.calibrate import Calibration, calibrate, shipped_calibration
from thisismy.mining.mine import MinedMention, mine_video
from thisismy.transcripts.files import find_sidecar, read_transcript


def mined_examples(
    vlogs: Vlogs, shots: Shots, features: Mapping[str, Features], encoder: Encoder
) -> tuple[Examples, dict[str, str]]:
    """What mining finds in the naming videos, with its default settings and the transcripts beside them.

    A kept mention belongs to the instance whose true mention it overlaps. Kept mentions of nothing are left
    out: nobody asks for them. The calibration is the one shipped for the encoder; for another encoder it is
    made from the shots themselves, which needs no label.

    Args:
        vlogs: the truth.
        shots: the index.
        features: video -> ``(n_shots, embed_dim)`` unit rows.
        encoder: made the features.

    Returns:
        Instance id -> (video, shot index), reference first; and instance id -> category as it was mined.

    Raises:
        BenchmarkError: a naming video has no transcript.
        LibraryError: there are too few shots to calibrate another encoder.
    """
    calibration = calibration_for(features, encoder)
    subjects = {subject.id: subject for subject in vlogs.subjects}
    examples: dict[str, list[tuple[str, int]]] = {}
    categories: dict[str, str] = {}
    for video in dict.fromkeys(v for s in vlogs.subjects for v in s.naming_videos):
        vlog = vlogs.videos[video]
        sidecar = find_sidecar(vlog.path)
        if sidecar is None:
            raise BenchmarkError(f"{vlog.path} has no transcript beside it: put {video}.srt there")
        found = mine_video(
            read_transcript(sidecar), shots[video], features[video], encoder, calibration=calibration
        )
        for mention in found:
            subject = _named(mention, vlog, subjects)
            if subject is None or mention.reference is None or mention.category is None:
                continue
            indexes = [mention.reference.shot, *(example.shot for example in mention.examples)]
            known = examples.setdefault(subject.id, [])
            known += [(video, i) for i in indexes if (video, i) not in known]
            categories.setdefault(subject.id, mention.category.name)
    return examples, categories


def _named(mention: MinedMention, vlog: Vlog, subjects: Mapping[str, Subject]) -> Subject | None:
    if mention.verdict != "kept":
        return None
    for true in vlog.mentions:
        subject = subjects.get(true.instance or "")
        if subject and vlog.name in subject.naming_videos and true.span.overlap(mention.mention.span):
            return subject
    return None


def calibration_for(features: Mapping[str, Features], encoder: Encoder) -> Calibration:
    """The calibration shipped for an encoder; for another encoder, one made from the shots themselves.

    Args:
        features: video -> ``(n_shots, embed_dim)`` unit rows.
        encoder: made the features.

    Raises:
        LibraryError: there are too few shots to calibrate another encoder.
    """
    shipped = shipped_calibration(encoder.id)
    if shipped is not None:
        return shipped
    groups = np.repeat(np.arange(len(features)), [len(rows) for rows in features.values()])
    return calibrate(unit(np.concatenate(list(features.values()))), encoder.id, groups)
