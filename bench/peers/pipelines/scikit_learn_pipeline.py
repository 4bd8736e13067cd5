"""scikit-learn's for streams: hashed n-grams, logistic regression by stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import joblib
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier

# Punctuation marks are words too: they tell much of removals.
TOKEN = r"\w+|[^\w\s]"


class Peer:
    def __init__(self) -> None:
        self.vectorizer = HashingVectorizer(
            n_features=1 << 18, ngram_range=(1, 2), token_pattern=TOKEN, alternate_sign=False
        )
        self.model = SGDClassifier(loss="log_loss", alpha=1e-4, random_state=0)

    def train(self, bodies: Sequence[str], removed: Sequence[bool]) -> None:
        self.model.fit(self.vectorizer.transform(bodies), removed)

    def save(self, folder: Path) -> None:
        joblib.dump((self.vectorizer, self.model), folder / "model.joblib")

    def load(self, folder: Path) -> None:
        self.vectorizer, self.model = joblib.load(folder / "model.joblib")

    def score(self, bodies: Sequence[str]) -> list[float]:
        return self.model.predict_proba(self.vectorizer.transform(bodies))[:, 1].tolist()

    def score_one(self, body: str) -> float:
        return float(self.model.predict_proba(self.vectorizer.transform([body]))[0, 1])
