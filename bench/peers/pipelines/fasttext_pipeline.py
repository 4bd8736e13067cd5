"""fastText, supervised: words, their pairs and their character n-grams as mean of vectors, softmax."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import fasttext

# fastText splits at spaces alone.
PUNCTUATION = re.compile(r"([^\w\s])")
REMOVED = "__label__removed"
OTHER = "__label__other"


def line(body: str) -> str:
    return " ".join(PUNCTUATION.sub(r" \1 ", body.lower()).split())


class Peer:
    model: fasttext.FastText._FastText

    def train(self, bodies: Sequence[str], removed: Sequence[bool]) -> None:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
            for body, verdict in zip(bodies, removed, strict=True):
                file.write(f"{REMOVED if verdict else OTHER} {line(body)}\n")
            file.flush()
            self.model = fasttext.train_supervised(
                file.name, dim=20, epoch=20, lr=0.1, wordNgrams=2, minn=2, maxn=5, minCount=2, bucket=200_000,
                thread=1, seed=0, verbose=0,
            )

    def save(self, folder: Path) -> None:
        self.model.save_model(str(folder / "model.bin"))

    def load(self, folder: Path) -> None:
        self.model = fasttext.load_model(str(folder / "model.bin"))

    def score(self, bodies: Sequence[str]) -> list[float]:
        labels, probabilities = self.model.predict([line(body) for body in bodies], k=2)
        return [_removed(*both) for both in zip(labels, probabilities, strict=True)]

    def score_one(self, body: str) -> float:
        return _removed(*self.model.predict(line(body), k=2))


def _removed(labels: Sequence[str], probabilities: Sequence[float]) -> float:
    # fastText's softmax exceeds 1 by rounding.
    return min(1.0, float(dict(zip(labels, probabilities, strict=True))[REMOVED]))
