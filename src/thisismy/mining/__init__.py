"""From what people say to named instances: mentions, their reference shots, names, examples, categories."""

from __future__ import annotations

from thisismy.mining.mention import Mention
from thisismy.mining.patterns import GRAMMAR_SETS, PATTERN_SETS
from thisismy.mining.settings import MiningSettings
from thisismy.mining.spotting import spot_mentions

__all__ = ["GRAMMAR_SETS", "PATTERN_SETS", "Mention", "MiningSettings", "spot_mentions"]
