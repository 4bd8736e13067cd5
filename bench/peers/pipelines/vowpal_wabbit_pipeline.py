"""Vowpal Wabbit: hashed words and pairs, logistic regression learned comment by comment."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

from vowpalwabbit import Workspace

OPTIONS = "--quiet --loss_function logistic --link logistic --bit_precision 18 --ngram 2"
# `|` and `:` mean something in its format.
TOKEN = re.compile(r"\w+|[^\w\s|:]")


def example(body: str) -> str:
    return "| " + " ".join(TOKEN.findall(body.lower()))


class Peer:
    model: Workspace

    def train(self, bodies: Sequence[str], removed: Sequence[bool]) -> None:
        self.model = Workspace(OPTIONS)
        examples = [f"{1 if verdict else -1} {example(body)}" for body, verdict in zip(bodies, removed, strict=True)]
        # Once: with a few thousand comments, every further pass predicts worse.
        random.Random(0).shuffle(examples)
        for labelled in examples:
            self.model.learn(labelled)

    def save(self, folder: Path) -> None:
        self.model.save(str(folder / "model.vw"))

    def load(self, folder: Path) -> None:
        self.model = Workspace(f"--quiet --testonly --initial_regressor {folder / 'model.vw'}")

    def score(self, bodies: Sequence[str]) -> list[float]:
        # It has no call for many.
        return [self.score_one(body) for body in bodies]

    def score_one(self, body: str) -> float:
        return float(self.model.predict(example(body)))
