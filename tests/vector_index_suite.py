"""What every index of vectors has to do; a test of an implementation inherits it and makes the index."""

from __future__ import annotations

import numpy as np
import pytest

from thisismy.core.errors import EncoderMismatchError
from thisismy.encoders.base import Features
from thisismy.encoders.space import FeatureSpace
from thisismy.store.vector_index.base import Query, VectorIndex

SPACE = FeatureSpace("colours", 4)


class VectorIndexSuite:
    """``index`` holds ``expected``: shot id to (media id, unit vector), in the order of the library."""

    @pytest.fixture
    def index(self) -> VectorIndex:
        raise NotImplementedError

    @pytest.fixture
    def expected(self) -> dict[int, tuple[int, Features]]:
        raise NotImplementedError

    def test_it_knows_its_rows(self, index: VectorIndex, expected: dict[int, tuple[int, Features]]) -> None:
        assert len(index) == len(expected)
        assert (index.space, index.kind) == (SPACE, "frame")
        blocks = list(index.blocks())
        assert [int(n) for rows in blocks for n in rows.ids] == list(expected)
        assert [int(n) for rows in blocks for n in rows.media_ids] == [
            media for media, _ in expected.values()
        ]
        rows = np.concatenate([rows.vectors for rows in blocks])
        np.testing.assert_allclose(rows, [vector for _, vector in expected.values()], atol=2e-3)

    def test_the_nearest_rows_come_first(
        self, index: VectorIndex, expected: dict[int, tuple[int, Features]]
    ) -> None:
        queries = np.eye(4, dtype=np.float32)[:2]
        found = index.search(Query(SPACE.id, queries), k=3)
        ids, rows = np.array(list(expected)), np.stack([vector for _, vector in expected.values()])
        for query, own, scores in zip(queries, found.ids, found.scores, strict=True):
            cosines = rows @ query
            np.testing.assert_allclose(scores, np.sort(cosines)[::-1][:3], atol=2e-3)
            assert set(own.tolist()) <= set(ids[cosines >= np.sort(cosines)[-3] - 2e-3].tolist())
        assert index.search(Query(SPACE.id, queries), k=100).ids.shape == (2, len(expected))

    def test_only_some_media(self, index: VectorIndex, expected: dict[int, tuple[int, Features]]) -> None:
        media = next(iter(expected.values()))[0]
        own = [number for number, (media_id, _) in expected.items() if media_id == media]
        found = index.search(Query(SPACE.id, np.eye(4, dtype=np.float32)[:1]), k=100, where={media})
        assert sorted(found.ids[0].tolist()) == sorted(own)
        assert [int(n) for rows in index.blocks({media}) for n in rows.ids] == own
        assert index.search(Query(SPACE.id, np.eye(4, dtype=np.float32)), k=5, where=set()).ids.shape == (
            4,
            0,
        )

    def test_rows_by_id(self, index: VectorIndex, expected: dict[int, tuple[int, Features]]) -> None:
        wanted = list(expected)[::-1]
        rows = [expected[number][1] for number in wanted]
        np.testing.assert_allclose(index.vectors(wanted), rows, atol=2e-3)
        assert index.vectors([]).shape == (0, 4)
        with pytest.raises(KeyError, match="999"):
            index.vectors([wanted[0], 999])

    def test_a_sample_is_repeatable(
        self, index: VectorIndex, expected: dict[int, tuple[int, Features]]
    ) -> None:
        some = index.sample(3, seed=1)
        assert len(set(some.ids.tolist())) == 3
        assert some.ids.tolist() == index.sample(3, seed=1).ids.tolist()
        assert set(index.sample(100).ids.tolist()) == set(expected)

    def test_a_query_of_another_space_is_refused_with_both_names(self, index: VectorIndex) -> None:
        with pytest.raises(EncoderMismatchError, match=r"other-space.*colours"):
            index.search(Query("other-space", np.eye(4, dtype=np.float32)), k=1)
