"""Queries as a library understands them: with the names of its instances, and their numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from thisismy.core.errors import InstanceError
from thisismy.services.instances import InstanceService

if TYPE_CHECKING:
    from thisismy.retrieval.names import NamedQuery


class QueryReader:
    """Finds the instances of a library in words."""

    def __init__(self, instances: InstanceService) -> None:
        self._instances = instances

    def read(self, text: str) -> NamedQuery:
        """The query as it is understood, with instances by name, and by number as in ``<#3>``.

        Raises:
            InstanceError: no instance has the number.
            QueryError: no instance has the name in ``<brackets>``.
        """
        from thisismy.retrieval.names import read_query

        names = {item.id: item.name for item in self._instances.all()}
        stood: dict[str, str] = {}

        def mark(found: re.Match[str]) -> str:
            number = int(found.group(1))
            if number not in names:
                raise InstanceError(f"there is no instance number {number}")
            # No name holds characters of the private use area, so what stands for a number is not a name.
            stood[f"\ue000{number}\ue001"] = names[number]
            return f"<\ue000{number}\ue001>"

        plain = re.sub(r"<#(\d{1,9})>", mark, text)
        read = read_query(plain, [*self._known(), *stood.items()])

        def named(line: str) -> str:
            for token, name in stood.items():
                line = line.replace(f"<{token}>", name).replace(token, name)
            return line

        return replace(
            read,
            text=named(plain),
            prompt=named(read.prompt),
            prompts=tuple(map(named, read.prompts)),
            explanation=named(read.explanation),
        )

    def remarks(self, read: NamedQuery) -> list[str]:
        """What a person may want to know of a query without names: that it seems to hold one, say."""
        from thisismy.retrieval.names import suggest

        remark = None if read.names else suggest(read.text, self._known())
        return [remark] if remark else []

    def _known(self) -> Sequence[tuple[str, str]]:
        """(name or alias, name of the instance) of every instance."""
        return [(name, item.name) for item in self._instances.all() for name in (item.name, *item.aliases)]
