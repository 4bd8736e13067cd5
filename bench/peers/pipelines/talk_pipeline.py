"""The talk's: lookup lemmas of spaCy's tokens, TF-IDF of 1,000 n-grams, logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import joblib
import spacy
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from spacy.tokens import Doc

from comments import clean

SYMBOLS = frozenset("!$%^&*()_+|~-=`{}[]:\";'<>?,./-")


def tokens(doc: Doc) -> list[str]:
    """Lemmas in lower case, without lone symbols; links are one word."""
    words = ("URL" if token.like_url else token.lemma_.lower().strip() for token in doc)
    return [word for word in words if word and word not in SYMBOLS]


class Peer:
    def __init__(self) -> None:
        self.nlp = spacy.blank("en")
        self.nlp.add_pipe("lemmatizer", config={"mode": "lookup"})
        self.nlp.initialize()
        # Analysed before: a lambda in its place could not be written to disk.
        self.vectorizer = TfidfVectorizer(
            preprocessor=None, tokenizer=list, token_pattern=None, lowercase=False,
            min_df=3, max_features=1000, ngram_range=(1, 3), sublinear_tf=True,
        )
        self.model = LogisticRegression(C=1.0, max_iter=1000)

    def train(self, bodies: Sequence[str], removed: Sequence[bool]) -> None:
        self.model.fit(self.vectorizer.fit_transform(self._tokens(bodies)), removed)

    def save(self, folder: Path) -> None:
        joblib.dump((self.vectorizer, self.model), folder / "model.joblib")

    def load(self, folder: Path) -> None:
        self.vectorizer, self.model = joblib.load(folder / "model.joblib")

    def score(self, bodies: Sequence[str]) -> list[float]:
        return self.model.predict_proba(self.vectorizer.transform(self._tokens(bodies)))[:, 1].tolist()

    def score_one(self, body: str) -> float:
        vector = self.vectorizer.transform([tokens(self.nlp(clean(body)))])
        return float(self.model.predict_proba(vector)[0, 1])

    def _tokens(self, bodies: Sequence[str]) -> list[list[str]]:
        return [tokens(doc) for doc in self.nlp.pipe(map(clean, bodies), batch_size=256)]
