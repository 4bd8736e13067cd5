import unittest

try:
    import numpy as np
    from sklearn import metrics as reference
except ModuleNotFoundError as missing:
    raise unittest.SkipTest(str(missing)) from missing

import metrics


class Metrics(unittest.TestCase):
    def setUp(self) -> None:
        generator = np.random.default_rng(3)
        self.truth = (generator.random(300) < 0.3).astype(float)
        # Rounded, so that some are equal.
        self.probability = np.round(np.clip(0.3 * self.truth + generator.random(300) * 0.7, 0, 1), 2)
        self.weight = generator.integers(0, 4, 300).astype(float)

    def test_they_are_scikit_learns(self) -> None:
        given = self.truth, self.probability
        for mine, theirs in (
            (metrics.roc_auc, reference.roc_auc_score),
            (metrics.average_precision, reference.average_precision_score),
        ):
            for weight in (np.ones(300), self.weight):
                found = mine(self.probability, self.truth, weight)
                self.assertAlmostEqual(found, theirs(*given, sample_weight=weight), places=12)
        certain = np.clip(self.probability, metrics.LEAST, 1 - metrics.LEAST)
        expected = reference.log_loss(self.truth, certain, sample_weight=self.weight)
        self.assertAlmostEqual(metrics.log_loss(self.probability, self.truth, self.weight), expected, places=12)

    def test_a_weight_is_a_repetition(self) -> None:
        times = self.weight.astype(int)
        repeated = np.repeat(self.probability, times), np.repeat(self.truth, times), np.ones(times.sum())
        for metric in metrics.METRICS.values():
            self.assertAlmostEqual(metric(self.probability, self.truth, self.weight), metric(*repeated), places=12)

    def test_calibration_error_is_the_distance_in_each_bin(self) -> None:
        probability, truth = np.array([0.1, 0.15, 0.9, 1.0]), np.array([0.0, 1.0, 1.0, 1.0])
        # Bin 0.1: |0.25 - 1|; bin 0.9: |1.9 - 2|; of four comments.
        self.assertAlmostEqual(metrics.calibration_error(probability, truth, np.ones(4)), 0.85 / 4)


class Bootstrap(unittest.TestCase):
    truth = [np.array([0.0, 1.0] * 40), np.array([1.0, 0.0, 0.0] * 30)]

    def probabilities(self, noise: float) -> list[metrics.Values]:
        generator = np.random.default_rng(5)
        return [np.clip(0.5 * fold + noise * generator.random(len(fold)), 0, 1) for fold in self.truth]

    def test_a_resample_keeps_folds_and_verdicts(self) -> None:
        for weights in metrics.resamples(self.truth, 3, seed=1):
            for weight, fold in zip(weights, self.truth, strict=True):
                self.assertEqual((weight.sum(), (weight * fold).sum()), (len(fold), fold.sum()))

    def test_equal_probabilities_differ_by_nothing_and_worse_ones_by_less_than_nothing(self) -> None:
        given = {"ours": self.probabilities(0.6), "same": self.probabilities(0.6), "worse": self.probabilities(3.0)}
        found = metrics.compare(self.truth, given, "ours", count=100, seed=1)
        self.assertNotIn("intervals", found["ours"])
        self.assertEqual(found["same"]["intervals"]["roc_auc"], [0, 0])
        low, high = found["worse"]["intervals"]["roc_auc"]
        self.assertTrue(low <= high < 0)
        difference = np.mean(found["worse"]["fold_roc_auc_differences"])
        values = found["worse"]["values"]["roc_auc"] - found["ours"]["values"]["roc_auc"]
        self.assertAlmostEqual(difference, values)
        self.assertTrue(low < difference < high)
        self.assertEqual(found, metrics.compare(self.truth, given, "ours", count=100, seed=1))


if __name__ == "__main__":
    unittest.main()
