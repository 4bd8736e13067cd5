"""The peers. Each trains on bodies and verdicts, writes its model into a folder, and scores with what it reads back."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

NAMES = ("talk", "fasttext", "scikit-learn", "vowpal-wabbit")


class Pipeline(Protocol):
    """What a peer does; its module has it as `Peer`."""

    def train(self, bodies: Sequence[str], removed: Sequence[bool]) -> None: ...

    def save(self, folder: Path) -> None: ...

    def load(self, folder: Path) -> None: ...

    def score(self, bodies: Sequence[str]) -> list[float]:
        """The probabilities of many comments, as fast as the library scores many."""
        ...

    def score_one(self, body: str) -> float: ...


def pipeline(name: str) -> Pipeline:
    """A peer by its name. Imports what only that peer has installed."""
    return importlib.import_module("pipelines." + name.replace("-", "_") + "_pipeline").Peer()
