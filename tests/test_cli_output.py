from __future__ import annotations

import io
import sys

from thisismy.cli.output import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bars_are_drawn_before_there_is_a_rate_and_without_an_end(monkeypatch):
    screen = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen)
    with progress_bar(shown=True) as progress:
        progress("look", 0, 3)
        progress("listen", 1.5, None)
        progress("look", 3, 3)
    assert "3/3" in screen.getvalue()
    assert "listen" in screen.getvalue()


def test_no_bars_when_they_are_not_wanted(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with progress_bar(shown=False) as progress:
        progress("look", 0, 3)
    assert screen.getvalue() == ""
