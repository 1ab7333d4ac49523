"""Speech to text on this machine, with faster-whisper."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thisismy.core.errors import MissingExtraError, TranscriptError
from thisismy.core.progress import Progress, silent
from thisismy.core.span import Span
from thisismy.media.audio import SAMPLE_RATE, Sound, audio_blocks
from thisismy.transcripts.base import Segment, Transcript, Word
from thisismy.transcripts.speech.models import locate_model

BLOCK_S = 300.0
"""Seconds of sound held at a time: 19 MB, whatever the length of the file."""

_QUIET_TAIL_S = 30.0


@dataclass(frozen=True)
class SpeechSettings:
    """When the recogniser is believed. The limits are those of the Whisper paper unless said otherwise.

    Attributes:
        beam_size: hypotheses kept while decoding; more is slower and a little better.
        compute_type: number format of the weights; ``"int8"`` is the fastest on a CPU.
        voice_threshold: how sure the voice detector must be, 0 to 1; raising it drops more music.
        min_silence_s: silence this long is cut out before recognition.
        no_speech: a segment less likely speech than this is dropped when it is also unsure.
        unsure_logprob: mean log probability below which a segment counts as unsure.
        hopeless_logprob: mean log probability below which a segment is always dropped.
        compression_ratio: text that compresses better than this is a loop, and is dropped.
        silence_around_s: text invented in silences longer than this is dropped.
    """

    beam_size: int = 5
    compute_type: str = "int8"
    voice_threshold: float = 0.5
    min_silence_s: float = 1.0
    no_speech: float = 0.6
    unsure_logprob: float = -1.0
    hopeless_logprob: float = -1.5
    compression_ratio: float = 2.4
    silence_around_s: float = 2.0


class Recogniser:
    """A loaded speech model; load it once for many files.

    Args:
        model: see `locate_model`.
        settings: see `SpeechSettings`.
        device: ``"cpu"``, ``"cuda"`` or ``"auto"``.
        threads: CPU threads; 0 leaves it to the library.
        cache: see `thisismy.core.caches.cache_folder`.

    Raises:
        MissingExtraError: faster-whisper is not installed.
        TranscriptError: the model cannot be loaded.
    """

    def __init__(
        self,
        model: str = "auto",
        settings: SpeechSettings | None = None,
        *,
        device: str = "auto",
        threads: int = 0,
        cache: str | os.PathLike[str] | None = None,
    ) -> None:
        try:
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise MissingExtraError("transcribing speech", "speech") from error
        self.settings = settings or SpeechSettings()
        location, self.name = locate_model(model, cache)
        try:
            self._model = WhisperModel(
                location, device=device, compute_type=self.settings.compute_type, cpu_threads=threads
            )
        except (OSError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise TranscriptError(f"the speech model {model!r} cannot be loaded: {reason}") from error

    def segments(
        self, source: str | os.PathLike[str] | Sound, language: str | None = None, progress: Progress = silent
    ) -> Iterator[Segment]:
        """Segments in order, as soon as each is known; memory does not grow with the length.

        Args:
            source: a media file, or samples of shape ``(n,)``, 16 kHz, between -1 and 1.
            language: a code such as ``"de"``; None detects it from the first speech and stays with it.
            progress: told the seconds done; the seconds in all are not known for a file.

        Raises:
            MediaError: the file cannot be opened.
        """
        for segment, _ in self._heard(source, language, progress):
            yield segment

    def transcribe(
        self, source: str | os.PathLike[str] | Sound, language: str | None = None, progress: Progress = silent
    ) -> Transcript:
        """All segments of a file or of samples; none where nobody speaks. Arguments as in `segments`.

        Raises:
            MediaError: the file cannot be opened.
        """
        found: list[Segment] = []
        heard: str | None = language
        for segment, spoken in self._heard(source, language, progress):
            found.append(segment)
            heard = spoken
        return Transcript(tuple(found), heard, f"speech:{self.name}")

    def _heard(
        self, source: str | os.PathLike[str] | Sound, language: str | None, progress: Progress
    ) -> Iterator[tuple[Segment, str]]:
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        total = len(source) / SAMPLE_RATE if isinstance(source, np.ndarray) else None
        options = VadOptions(
            threshold=self.settings.voice_threshold,
            min_silence_duration_ms=round(self.settings.min_silence_s * 1000),
        )
        offset = 0
        rest = np.zeros(0, np.float32)
        for block, last in _with_last(_blocks(source)):
            samples = np.concatenate([rest, block])
            speech = get_speech_timestamps(samples, options)
            end = len(samples) if last else _quiet_cut(speech, len(samples))
            speech = [stretch for stretch in speech if stretch["start"] < end]
            if speech:
                rows, info = self._decode(samples, speech, language)
                for row in rows:
                    if self._is_believed(row):
                        language = language or str(info.language)
                        yield _segment(row, offset / SAMPLE_RATE), language
                        progress("speech", offset / SAMPLE_RATE + float(row.end), total)
            offset += end
            rest = samples[end:]
            progress("speech", offset / SAMPLE_RATE, total)

    def _decode(
        self, samples: Sound, speech: list[dict[str, int]], language: str | None
    ) -> tuple[Iterable[Any], Any]:
        """What is said in the stretches of speech, with times in ``samples``; the rest is cut out before."""
        from faster_whisper.transcribe import restore_speech_timestamps
        from faster_whisper.vad import collect_chunks

        s = self.settings
        pieces, _ = collect_chunks(samples, speech)
        rows, info = self._model.transcribe(
            np.concatenate(pieces),
            language=language,
            beam_size=s.beam_size,
            word_timestamps=True,
            condition_on_previous_text=False,
            no_speech_threshold=s.no_speech,
            log_prob_threshold=s.unsure_logprob,
            compression_ratio_threshold=s.compression_ratio,
            hallucination_silence_threshold=s.silence_around_s,
        )
        return restore_speech_timestamps(rows, speech, SAMPLE_RATE), info

    def _is_believed(self, row: Any) -> bool:
        """Whether a segment is speech rather than something invented over noise or music."""
        s = self.settings
        if not row.text.strip(" .,!?…-♪[]()"):
            return False
        unsure = float(row.avg_logprob) < s.unsure_logprob
        return not (
            (float(row.no_speech_prob) > s.no_speech and unsure)
            or float(row.avg_logprob) < s.hopeless_logprob
            or float(row.compression_ratio) > s.compression_ratio
        )


def transcribe(
    source: str | os.PathLike[str] | NDArray[np.float32],
    model: str = "auto",
    language: str | None = None,
    progress: Progress = silent,
) -> Transcript:
    """What is said in a media file or in samples (16 kHz, one channel), with word times.

    Args:
        source: a media file, or samples of shape ``(n,)`` between -1 and 1.
        model: a name, a folder or ``"auto"``; see `thisismy.transcripts.speech.models.locate_model`.
        language: a code such as ``"de"``; None detects it.
        progress: told the seconds done; raising from it stops the work.

    Returns:
        A transcript without segments where nobody speaks or the file has no sound.

    Raises:
        MissingExtraError: faster-whisper is not installed.
        TranscriptError: the model cannot be loaded.
        MediaError: the file cannot be opened.
    """
    return Recogniser(model).transcribe(source, language, progress)


def _blocks(source: str | os.PathLike[str] | Sound) -> Iterator[Sound]:
    if isinstance(source, np.ndarray):
        if source.ndim != 1:
            raise TranscriptError(f"samples must have the shape (n,), not {source.shape}")
        yield np.asarray(source, np.float32)
    else:
        yield from audio_blocks(Path(source), BLOCK_S)


def _with_last(blocks: Iterator[Sound]) -> Iterator[tuple[Sound, bool]]:
    """Each block, and whether it is the last."""
    held = next(blocks, None)
    while held is not None:
        following = next(blocks, None)
        yield held, following is None
        held = following


def _quiet_cut(speech: list[dict[str, int]], length: int) -> int:
    """Where to cut a block so that no word is cut: in the last silence, but not too far from the end.

    Args:
        speech: stretches of speech in samples, in order.
        length: samples in the block.
    """
    earliest = max(length // 2, length - round(_QUIET_TAIL_S * SAMPLE_RATE))
    if not speech or speech[-1]["end"] < length:
        return length
    begin = speech[-1]["start"]
    return begin if begin > earliest else length


def _segment(row: Any, offset: float) -> Segment:
    words = tuple(
        Word(word.word.strip(), _span(word.start, word.end, offset), round(float(word.probability), 4))
        for word in row.words or ()
        if word.word.strip()
    )
    span = _span(row.start, row.end, offset)
    if words:
        span = Span(min(span.start, words[0].span.start), max(span.end, words[-1].span.end))
    return Segment(span, row.text.strip(), words)


def _span(start: float, end: float, offset: float) -> Span:
    begin = round(float(start) + offset, 3)
    return Span(begin, max(begin, round(float(end) + offset, 3)))
