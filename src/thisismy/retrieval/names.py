"""Find the names of instances inside free text."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from thisismy.core.errors import QueryError
from thisismy.encoders.base import PLACEHOLDER
from thisismy.store.instances import POSSESSIVES, name_key, spellings


@dataclass(frozen=True)
class NamedQuery:
    """A query as it was read.

    Attributes:
        text: as it was typed.
        names: instances in it, each once, in order.
        prompt: the text with ``*`` where the names stood; the text itself when there are none.
        prompts: one per name: that name replaced by ``*``, the others left as words.
        explanation: how it was read, for people.
    """

    text: str
    names: tuple[str, ...]
    prompt: str
    prompts: tuple[str, ...]
    explanation: str


@dataclass(frozen=True)
class _Match:
    start: int
    end: int
    instance: str


def read_query(text: str, known: Iterable[tuple[str, str]]) -> NamedQuery:
    """Find instances by name or alias: longest first, any case, whole words.

    A name in ``<angle brackets>`` must be one. "Biscuit's bowl" is about a bowl, not about Biscuit, unless no
    other name is in the query. Short forms count as `thisismy.store.instances.spellings` says.

    Args:
        text: what was typed.
        known: (name or alias, name of the instance) of every instance.

    Raises:
        QueryError: brackets hold a name that nobody has; close ones are mentioned.
    """
    table = spellings(known)
    plain, bracketed = _brackets(text, table)
    free = _free(plain, table, bracketed)
    owned = [match for match in free if re.match(r"['\u2019]s?\b", plain[match.end :])]
    matches = bracketed + ([match for match in free if match not in owned] or ([] if bracketed else owned))
    matches.sort(key=lambda match: match.start)
    names = tuple(dict.fromkeys(match.instance for match in matches))
    prompt = _replace(plain, matches, set(names))
    prompts = tuple(_replace(plain, matches, {name}) for name in names)
    return NamedQuery(text, names, prompt, prompts, _explain(names, prompt, owned, matches))


def suggest(text: str, known: Iterable[tuple[str, str]]) -> str | None:
    """A remark when a query seems to name an instance that nobody has, None when it does not.

    "my dog Waggy on a bed" begins like a name and has a capital letter inside, but no instance is called so.
    """
    asked = re.search(rf"\b(?:{'|'.join(POSSESSIVES)})\s+(?:\w+\s+)?([A-Z]\w+)", text)
    if asked is None:
        return None
    phrase = asked.group(0)
    table = spellings(known)
    close = difflib.get_close_matches(name_key(phrase), table, n=1, cutoff=0.6)
    hint = f"; did you mean {table[close[0]]!r}?" if close else ""
    return f"no instance is called {asked.group(1)!r}{hint}"


def _brackets(text: str, table: dict[str, str]) -> tuple[str, list[_Match]]:
    """The text without brackets, and the names that stood in them."""
    plain, matches, end = "", [], 0
    for found in re.finditer(r"<([^<>]*)>", text):
        plain += text[end : found.start()]
        name = " ".join(found.group(1).split())
        if name_key(name) not in table:
            close = difflib.get_close_matches(name_key(name), table, n=1, cutoff=0.5)
            hint = f"; did you mean {table[close[0]]!r}?" if close else ""
            raise QueryError(f"no instance is called {name!r}{hint}")
        matches.append(_Match(len(plain), len(plain) + len(name), table[name_key(name)]))
        plain += name
        end = found.end()
    return plain + text[end:], matches


def _free(text: str, table: dict[str, str], taken: Sequence[_Match]) -> list[_Match]:
    matches: list[_Match] = []
    for name in sorted(table, key=len, reverse=True):
        words = r"\s+".join(re.escape(word) for word in name.split())
        for found in re.finditer(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE):
            if all(found.end() <= other.start or found.start() >= other.end for other in [*taken, *matches]):
                matches.append(_Match(found.start(), found.end(), table[name]))
    return sorted(matches, key=lambda match: match.start)


def _replace(text: str, matches: Sequence[_Match], names: set[str]) -> str:
    pieces, end = [], 0
    for match in matches:
        if match.instance in names:
            start = match.start
            before = re.search(rf"\b(?:{'|'.join(POSSESSIVES)})\s+$", text[end:start], re.IGNORECASE)
            pieces.append(text[end : end + before.start()] if before else text[end:start])
            pieces.append(PLACEHOLDER)
            end = match.end
    return " ".join("".join([*pieces, text[end:]]).split())


def _explain(names: tuple[str, ...], prompt: str, owned: Sequence[_Match], matches: Sequence[_Match]) -> str:
    if not names:
        return f"no names in it; searched as words: {prompt!r}"
    parts = [f"{' and '.join(repr(name) for name in names)} in the context {prompt!r}"]
    left = sorted({match.instance for match in owned if match not in matches})
    if left:
        parts.append(f"something that belongs to {', '.join(left)} is read as words")
    return "; ".join(parts)
