"""The verbs about what is said and what is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from thisismy.core.errors import InstanceError, LibraryError
from thisismy.core.progress import Progress, silent
from thisismy.media.discovery import path_bytes, path_text
from thisismy.services.base import Base, quiet
from thisismy.services.example_ids import example_id
from thisismy.store import catalog
from thisismy.store import instances as rows
from thisismy.store.examples import Place, example_features, locate, path_of
from thisismy.store.instances import CONFIRMED, JOB, REJECTED, USER, Example, Instance
from thisismy.store.transcripts import find_said, get_transcript

if TYPE_CHECKING:
    from thisismy.encoders.base import Features
    from thisismy.jobs.transcribing import TranscribeReport
    from thisismy.mining.calibrate import Calibration
    from thisismy.mining.settings import MiningSettings
    from thisismy.personalization.localise import Box
    from thisismy.services.mining import StoredMention
    from thisismy.transcripts.base import Transcript


@dataclass(frozen=True)
class SaidHit:
    """A place where a phrase is said: the file, from when to when in seconds, and the sentence around it."""

    path: str
    start: float
    end: float
    text: str


@dataclass(frozen=True)
class ShownExample:
    """An example with the file it is seen in; None for a file that is gone and a photo that is kept."""

    path: str | None
    example: Example


class Seen(NamedTuple):
    """Examples that can be seen: their rows, their ``(n, embed_dim)`` features, and their ids."""

    examples: list[Example]
    features: Features
    ids: tuple[str, ...]


class NamingVerbs(Base):
    """Transcripts, mining, and the instances that come of it or are taught by hand."""

    def transcribe(
        self,
        paths: Sequence[Path] | None = None,
        *,
        speech: bool = True,
        model: str = "auto",
        language: str | None = None,
        progress: Progress = silent,
    ) -> TranscribeReport:
        """Give every video its transcript: from a file beside it, else from what is heard.

        Args:
            paths: only these files or folders.
            speech: False reads files only, which is quick.
            model: speech model; see `thisismy.transcripts.speech.models.locate_model`.
            language: what is spoken; None finds out.
            progress: told the seconds of video done.

        Raises:
            MissingExtraError, TranscriptError: the speech model cannot be loaded.
            LibraryError: a path is not in the library.
        """
        from thisismy.jobs.transcribing import transcribe
        from thisismy.transcripts.speech.recogniser import Recogniser

        return transcribe(
            self.store,
            recogniser=(lambda: Recogniser(model)) if speech else None,
            model=model,
            language=language,
            media_ids=self._media_under(paths),
            progress=progress,
        )

    def transcript(self, path: Path) -> Transcript:
        """The transcript of a video.

        Raises:
            LibraryError: the video is not in the library, or has no transcript yet.
        """
        (media_id,) = self._media_under([path]) or {0}
        with self.store.read() as connection:
            found = get_transcript(connection, media_id)
        if found is None:
            raise LibraryError(f"{path} has no transcript yet: run `thisismy transcribe {path}`")
        return found

    def said(self, phrase: str, k: int = 20) -> list[SaidHit]:
        """Places where the words of a phrase are said one after the other, in order of file and time."""
        hits: list[SaidHit] = []
        with self.store.read() as connection:
            for place in find_said(connection, phrase):
                paths = catalog.paths_of(connection, place.media_id)
                if paths and len(hits) < k:
                    hits.append(SaidHit(path_text(paths[0]), place.span.start, place.span.end, place.text))
        return hits

    def mine(
        self,
        paths: Sequence[Path] | None = None,
        *,
        settings: MiningSettings | None = None,
        categories: Sequence[str] | None = None,
        progress: Progress = silent,
    ) -> list[StoredMention]:
        """Find what is named in transcripts, and where it is seen.

        Transcript files beside videos are read first; speech is not (see ``transcribe``).

        Args:
            paths: only these files or folders.
            settings: thresholds and patterns.
            categories: names to choose categories from; None takes the COCO classes.
            progress: told the videos done.

        Raises:
            LibraryError: nothing is indexed yet, or there is too little to calibrate the encoder on.
        """
        from thisismy.mining.categories import COCO_CATEGORIES
        from thisismy.mining.settings import MiningSettings
        from thisismy.services.mining import mine_library

        self.transcribe(paths, speech=False, progress=progress)
        with self.store.indexing():
            return mine_library(
                self.store,
                self._prepared().gallery,
                self.encoder,
                settings or MiningSettings(),
                categories=tuple(categories or COCO_CATEGORIES),
                media_ids=self._media_under(paths),
                progress=progress,
            )

    def calibrate(self) -> Calibration:
        """Learn from the library's own shots what unrelated pictures score on its encoder, and keep it.

        Raises:
            LibraryError: there are too few shots.
        """
        from thisismy.services.mining import calibrate_library

        return calibrate_library(self.store, self._prepared().gallery)

    def mentions(self) -> list[StoredMention]:
        """Everything mined so far, by video and time."""
        from thisismy.services.mining import list_mentions

        return list_mentions(self.store)

    def accept(self, mention: StoredMention, name: str = "", category: str = "") -> Instance:
        """Make a mention an instance, or examples of the instance of that name.

        Raises:
            InstanceError: it has no name or no shot.
        """
        from thisismy.services.mining import accept_mention

        with self.store.write() as connection:
            number = accept_mention(connection, mention, name, category)
            return next(item for item in rows.list_instances(connection) if item.id == number)

    def reject(self, mention: StoredMention) -> None:
        """Note that a mention names nothing that is seen; it is not asked again.

        What accepting it before had brought goes again.
        """
        from thisismy.services.mention_undo import take_back
        from thisismy.services.mining import reject_mention

        with self.store.write() as connection:
            take_back(connection, mention)
            reject_mention(connection, mention)

    def undecide(self, mention: StoredMention) -> None:
        """Take back what was decided about a mention, with what accepting it had brought."""
        from thisismy.services.mention_undo import take_back

        with self.store.write() as connection:
            take_back(connection, mention)

    def name(
        self,
        name: str,
        places: Sequence[str],
        *,
        category: str = "",
        negative: bool = False,
        box: Box | None = None,
    ) -> Instance:
        """Teach an instance by pointing at it.

        Args:
            name: "my dog Biscuit"; made when it is new.
            places: "VIDEO@1:23" (the shot around that time), "VIDEO@1:20-1:26", or a photo.
            category: a common noun; empty guesses it for a new instance.
            negative: the places do *not* show it.
            box: where in the picture of the one place it is, in pixels of the picture as it is shown.

        Raises:
            InstanceError: a place does not exist, or there is none, or several with a box.
            MediaError: a photo cannot be read, or the box lies outside of the picture.
        """
        found = [locate(self.store, place) for place in places]
        if not found:
            raise InstanceError(f"where is {name!r} seen? name a place such as VIDEO@1:23, or a photo")
        if box is not None:
            from thisismy.services.box_features import with_box

            found = with_box(self.store, found, places, box)
        return self.teach(name, found, category=category, state=REJECTED if negative else CONFIRMED)

    def teach(
        self, name: str, places: Sequence[Place], *, category: str = "", state: str = CONFIRMED
    ) -> Instance:
        """Teach an instance by places that were already looked up.

        Args:
            name: made when it is new.
            places: where it is seen.
            category: a common noun; empty guesses it for a new instance.
            state: "confirmed", or "rejected" for places that do not show it.

        Raises:
            InstanceError: the name is empty.
        """
        with self.store.write() as connection:
            known = {
                rows.name_key(n)
                for item in rows.list_instances(connection)
                for n in (item.name, *item.aliases)
            }
            new = rows.name_key(name) not in known
            if new:
                rows.create_instance(connection, name, category, USER if category else JOB)
            instance = rows.find_instance(connection, name)
            for place in places:
                if place.jpeg is not None:
                    rows.put_photo(connection, place.content_hash, place.jpeg)
                example = Example(
                    place.content_hash, place.span, state, box=place.box, box_time=place.box_time
                )
                rows.put_example(connection, instance, example)
            if category and not new:
                rows.set_category(connection, instance, category)
        if new and not category:
            self._guess_category(instance)
        return self.instance(name)

    def instances(self) -> list[Instance]:
        """Every instance, in order of name."""
        with self.store.read() as connection:
            return rows.list_instances(connection)

    def instance(self, name: str) -> Instance:
        """The instance with this name or alias.

        Raises:
            InstanceError: there is none.
        """
        with self.store.read() as connection:
            return rows.find_instance(connection, name)

    def examples(self, name: str, state: str | None = None) -> list[ShownExample]:
        """The examples of an instance with their files, oldest first.

        Raises:
            InstanceError: no such instance.
        """
        with self.store.read() as connection:
            instance = rows.find_instance(connection, name)
            shown = []
            for example in rows.examples_of(connection, instance, state):
                path = path_of(connection, example.content_hash)
                shown.append(ShownExample(path_text(path_bytes(path)) if path else None, example))
        return shown

    def rename(self, name: str, new: str) -> None:
        """Give an instance another name.

        Raises:
            InstanceError: no such instance, or the new name is taken.
        """
        with self.store.write() as connection:
            rows.rename_instance(connection, rows.find_instance(connection, name), new)

    def alias(self, name: str, alias: str) -> None:
        """Let an instance be called by another name too.

        Raises:
            InstanceError: no such instance, or the alias is taken.
        """
        with self.store.write() as connection:
            rows.add_alias(connection, rows.find_instance(connection, name), alias)

    def set_category(self, name: str, category: str) -> None:
        """Say what kind of thing an instance is.

        Raises:
            InstanceError: no such instance.
        """
        with self.store.write() as connection:
            rows.set_category(connection, rows.find_instance(connection, name), category)

    def merge(self, keep: str, other: str) -> None:
        """Make two instances one; the names of the other become aliases.

        Raises:
            InstanceError: one does not exist, or they are the same.
        """
        with self.store.write() as connection:
            kept, gone = (rows.find_instance(connection, name) for name in (keep, other))
            rows.merge_instances(connection, kept, gone)

    def split(self, name: str, new: str, example_ids: Sequence[int]) -> None:
        """Move examples of an instance to a new one.

        Raises:
            InstanceError: no such instance or example, or the new name is taken.
        """
        with self.store.write() as connection:
            rows.split_instance(connection, rows.find_instance(connection, name), new, example_ids)

    def decide(self, name: str, example_ids: Sequence[int], state: str) -> None:
        """Confirm or reject examples; no job changes that again.

        Args:
            name: whose examples.
            example_ids: which.
            state: "confirmed" or "rejected".

        Raises:
            InstanceError: no such instance or example.
        """
        with self.store.write() as connection:
            own = {e.id for e in rows.examples_of(connection, rows.find_instance(connection, name))}
            wrong = [str(number) for number in example_ids if number not in own]
            if wrong:
                raise InstanceError(f"{name!r} has no example {', '.join(wrong)}")
            rows.decide_examples(connection, example_ids, state)

    def delete(self, name: str) -> None:
        """Delete an instance with everything derived from it.

        Raises:
            InstanceError: no such instance.
        """
        with self.store.write() as connection:
            rows.delete_instance(connection, rows.find_instance(connection, name))

    def export_instances(self, path: Path, names: Sequence[str] | None = None) -> int:
        """Write instances with pictures of their examples to one file; gives their number, None writes all.

        Raises:
            InstanceError: no such instance, or the file cannot be written.
        """
        from thisismy.services.sharing import export_instances

        return export_instances(self.store, path, names)

    def import_instances(self, path: Path) -> list[str]:
        """Read instances from a file, and give their names; those of the same name are joined.

        Raises:
            InstanceError: the file cannot be read or holds none.
        """
        from thisismy.services.sharing import import_instances

        return import_instances(self.store, path)

    def propose(self, name: str, limit: int = 20) -> list[ShownExample]:
        """Propose shots of other videos as examples of an instance; nothing is confirmed.

        Args:
            name: whose.
            limit: most new proposals.

        Raises:
            InstanceError: no such instance, or none of its examples can be seen.
        """
        from thisismy.services.mining import library_calibration, propose_examples

        instance = self.instance(name)
        features = self._confirmed_features(instance)
        if not len(features):
            raise InstanceError(f"{name!r} has no confirmed example that can be seen: confirm one first")
        gallery = self._prepared().gallery
        threshold = library_calibration(self.store, gallery).example_threshold
        propose_examples(self.store, gallery, instance, features, threshold, limit)
        shown = self.examples(name, rows.PROPOSED)
        return sorted(shown, key=lambda item: -(item.example.score or 0.0))

    def _confirmed_features(self, instance: Instance) -> Features:
        """``(n, embed_dim)`` of the confirmed examples that can be seen; of a boxed one the inside."""
        return self._features_of(instance, CONFIRMED, "crop").features

    def _features_of(
        self, instance: Instance, state: str, boxes: str = "ignore", notes: list[str] | None = None
    ) -> Seen:
        """The examples of an instance in a state, as far as they can be seen.

        Args:
            instance: whose.
            state: which.
            boxes: what is made of boxes, a word of `thisismy.personalization.localise.MARKS`. Where a box
                cannot be used, the whole shot is.
            notes: told of such boxes.
        """
        with self.store.read() as connection:
            examples = rows.examples_of(connection, instance, state)
        encoder_id = self.store.index_settings.encoder_id or self.encoder.id
        inside: list[Features | None] = [None] * len(examples)
        if boxes != "ignore" and any(example.box for example in examples):
            from thisismy.services.box_features import boxed_features

            tell = quiet if notes is None else notes.append
            inside = boxed_features(self.store, encoder_id, lambda: self.encoder, examples, boxes, tell)
        found = example_features(self.store, encoder_id, lambda: self.encoder, examples)
        whole = boxes == "ignore"
        seen = [
            (example, example_id(example, box_seen=whole or part is not None), shot if part is None else part)
            for example, part, shot in zip(examples, inside, found, strict=True)
            if part is not None or shot is not None
        ]
        features = (
            np.stack([row for *_, row in seen if row is not None]) if seen else np.zeros((0, 1), np.float32)
        )
        return Seen([example for example, *_ in seen], features, tuple(own for _, own, _ in seen))

    def _guess_category(self, instance: Instance) -> None:
        from thisismy.mining.categories import zero_shot_category

        guess = zero_shot_category(instance.name, self._confirmed_features(instance), self.encoder)
        with self.store.write() as connection:
            rows.set_category(connection, instance, guess.name, JOB)

    def _media_under(self, paths: Sequence[Path] | None) -> set[int] | None:
        """Ids of the media at or under paths, None for all.

        Raises:
            LibraryError: a path is not in the library.
        """
        if not paths:
            return None
        found: set[int] = set()
        with self.store.read() as connection:
            for path in paths:
                below = catalog.media_under(connection, path)
                if not below:
                    raise LibraryError(
                        f"{path} is not in the library {self.store.folder}; `thisismy ls` lists what is"
                    )
                found |= below
        return found
