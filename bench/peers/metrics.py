"""How good probabilities are, and the paired bootstrap of differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Metric = Callable[[Values, Values, Values], float]

BINS = 10
# A probability of exactly 0 or 1 would cost an infinite log loss.
LEAST = 1e-7


def _counts(probability: Values, truth: Values, weight: Values) -> tuple[Values, Values]:
    """Removed and other comments from each distinct probability up, highest first."""
    order = np.argsort(-probability, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(probability[order])), len(order) - 1)
    removed = np.cumsum((weight * truth)[order])[ends]
    others = np.cumsum((weight * (1 - truth))[order])[ends]
    return removed, others


def roc_auc(probability: Values, truth: Values, weight: Values) -> float:
    removed, others = (np.append(0.0, counts) for counts in _counts(probability, truth, weight))
    area = np.sum(np.diff(others) * (removed[1:] + removed[:-1]) / 2)
    return float(area / (removed[-1] * others[-1]))


def average_precision(probability: Values, truth: Values, weight: Values) -> float:
    removed, others = _counts(probability, truth, weight)
    # The first may weigh nothing in a resample.
    precision = removed / np.maximum(removed + others, 1e-12)
    return float(np.sum(np.diff(removed, prepend=0.0) * precision) / removed[-1])


def log_loss(probability: Values, truth: Values, weight: Values) -> float:
    cut = np.clip(probability, LEAST, 1 - LEAST)
    return float(np.average(-np.log(np.where(truth == 1, cut, 1 - cut)), weights=weight))


def calibration_error(probability: Values, truth: Values, weight: Values) -> float:
    """Expected calibration error over ten bins of equal width."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(bins, weight * (probability - truth), BINS)).sum() / weight.sum())


METRICS: Mapping[str, Metric] = {
    "roc_auc": roc_auc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "ece": calibration_error,
}


def over_folds(metric: Metric, probability: Sequence[Values], truth: Sequence[Values], weight: Sequence[Values]) -> float:
    """The mean of a metric over folds."""
    return float(np.mean([metric(*fold) for fold in zip(probability, truth, weight, strict=True)]))


def resamples(truth: Sequence[Values], count: int, seed: int) -> list[list[Values]]:
    """How often each comment is drawn, with replacement among those of its fold and verdict."""
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        weights = []
        for fold in truth:
            weight = np.zeros(len(fold))
            for verdict in (0, 1):
                members = np.flatnonzero(fold == verdict)
                weight += np.bincount(generator.choice(members, len(members)), minlength=len(fold))
            weights.append(weight)
        drawn.append(weights)
    return drawn


def compare(
    truth: Sequence[Values], probabilities: Mapping[str, Sequence[Values]], reference: str, count: int, seed: int
) -> dict[str, dict[str, object]]:
    """Each one's metrics, and 95 % intervals of their differences to the reference over the same resamples."""
    once = [np.ones(len(fold)) for fold in truth]
    drawn = resamples(truth, count, seed)
    values = {
        name: {key: over_folds(metric, folds, truth, once) for key, metric in METRICS.items()}
        for name, folds in probabilities.items()
    }
    resampled = {
        name: {key: np.array([over_folds(metric, folds, truth, weight) for weight in drawn]) for key, metric in METRICS.items()}
        for name, folds in probabilities.items()
    }
    result: dict[str, dict[str, object]] = {}
    for name, folds in probabilities.items():
        result[name] = {"values": values[name]}
        if name == reference:
            continue
        result[name]["intervals"] = {
            key: np.percentile(resampled[name][key] - resampled[reference][key], [2.5, 97.5]).tolist() for key in METRICS
        }
        result[name]["fold_roc_auc_differences"] = [
            roc_auc(mine, fold, weight) - roc_auc(theirs, fold, weight)
            for mine, theirs, fold, weight in zip(folds, probabilities[reference], truth, once, strict=True)
        ]
    return result
