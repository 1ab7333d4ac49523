"""What a concept was learned from, as text: content and time of each example, and the box that was used."""

from __future__ import annotations

from thisismy.store.instances import Example

UNSEEN = "unseen"
"""Ends the id of an example whose box could not be used, so that it is learned again once it can."""


def example_id(example: Example, *, box_seen: bool = True) -> str:
    """An id that changes when the box does; without a box it is the place alone."""
    place = f"{example.content_hash}@{example.span.start:.3f}-{example.span.end:.3f}"
    if example.box is None:
        return place
    box = ",".join(f"{share:.4f}" for share in example.box)
    at = "" if example.box_time is None else f"@{example.box_time:.3f}"
    return f"{place}#{box}{at}" if box_seen else f"{place}#{box}{at}#{UNSEEN}"


def place_of(id_: str) -> str:
    """The part of an id that says where the example is."""
    return id_.partition("#")[0]
