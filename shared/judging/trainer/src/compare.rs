//! Two models on the same labelled rows: how they differ, and how sure that is.

use proportions::Interval;

use crate::metrics;

/// How often rows are drawn again for an interval.
const DRAWS: usize = 1_000;
/// The shares of false alarms at which what is caught is compared.
pub const FALSE_ALARMS: [f64; 2] = [0.01, 0.05];
/// The fewest rows with a label, and without it, that models are compared on.
const MIN_ROWS_A_CLASS: usize = 10;

/// A number of two models on the same rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The first model's.
    pub first: f64,
    /// The second model's.
    pub second: f64,
    /// The confidence interval of the second's less the first's, over rows drawn again in pairs: both models score the same rows, so
    /// it is much narrower than two intervals beside each other.
    pub interval: Interval,
}

impl Difference {
    /// The second model's number less the first one's.
    pub fn difference(&self) -> f64 {
        self.second - self.first
    }

    /// Whether one of them has more beyond chance.
    pub fn is_clear(&self) -> bool {
        self.interval.low > 0.0 || self.interval.high < 0.0
    }
}

/// How two models differ on rows with verdicts.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The rows with the label.
    pub positives: usize,
    /// The rows without it.
    pub negatives: usize,
    /// The area under the ROC curve.
    pub roc_auc: Difference,
    /// The log loss: less is better.
    pub log_loss: Difference,
    /// What is caught at each of [`FALSE_ALARMS`], each model at a threshold of its own.
    pub caught: [Difference; FALSE_ALARMS.len()],
    /// Precision and recall of what alerts; none where neither alerts on anything, or nobody said what does.
    pub alerting: Option<[Difference; 2]>,
}

/// What one model makes of the rows.
#[derive(Clone, Copy, Debug)]
pub struct Scored<'a> {
    /// The log-odds.
    pub log_odds: &'a [f64],
    /// Which rows alert, where there is something to alert by.
    pub alerts: Option<&'a [bool]>,
}

/// The numbers of one model over rows of which each counts so many times.
struct Numbers {
    roc_auc: f64,
    log_loss: f64,
    caught: [f64; FALSE_ALARMS.len()],
    /// Precision and recall; the precision is NaN where nothing alerts.
    alerting: [f64; 2],
}

/// One model's scores, in order.
struct Sorted<'a> {
    scored: Scored<'a>,
    verdicts: &'a [bool],
    /// The rows, the highest score first.
    order: Vec<usize>,
    losses: Vec<f64>,
}

impl<'a> Sorted<'a> {
    fn new(scored: Scored<'a>, verdicts: &'a [bool]) -> Self {
        let mut order: Vec<usize> = (0..verdicts.len()).collect();
        order.sort_by(|&a, &b| scored.log_odds[b].total_cmp(&scored.log_odds[a]));
        let loss = |(z, verdict): (&f64, &bool)| metrics::log_loss(&[*z], &[*verdict]);
        let losses = scored.log_odds.iter().zip(verdicts).map(loss).collect();
        Sorted { scored, verdicts, order, losses }
    }

    fn numbers(&self, times: &[u32]) -> Numbers {
        let Sorted { scored, verdicts, order, losses } = self;
        let count = |wanted: bool| -> f64 {
            let of_class = verdicts.iter().zip(times).filter(|(verdict, _)| **verdict == wanted);
            of_class.map(|(_, times)| f64::from(*times)).sum()
        };
        let (positives, negatives) = (count(true), count(false));
        let (mut hits, mut alarms, mut area) = (0.0, 0.0, 0.0);
        let mut caught = [0.0; FALSE_ALARMS.len()];
        let mut at = 0;
        while at < order.len() {
            // Rows with one score come together.
            let (mut more_hits, mut more_alarms) = (0.0, 0.0);
            let score = scored.log_odds[order[at]];
            while at < order.len() && scored.log_odds[order[at]] == score {
                let row = order[at];
                *(if verdicts[row] { &mut more_hits } else { &mut more_alarms }) += f64::from(times[row]);
                at += 1;
            }
            area += more_alarms * (hits + more_hits / 2.0);
            hits += more_hits;
            alarms += more_alarms;
            for (caught, most) in caught.iter_mut().zip(FALSE_ALARMS) {
                if alarms <= most * negatives {
                    *caught = hits / positives;
                }
            }
        }
        let weighted = |values: &dyn Fn(usize) -> f64| -> f64 {
            times.iter().enumerate().map(|(row, times)| f64::from(*times) * values(row)).sum()
        };
        let alerts = |row: usize| scored.alerts.is_some_and(|alerts| alerts[row]);
        let all = weighted(&|row| f64::from(u8::from(alerts(row))));
        let right = weighted(&|row| f64::from(u8::from(alerts(row) && verdicts[row])));
        Numbers {
            roc_auc: area / (positives * negatives),
            log_loss: weighted(&|row| losses[row]) / (positives + negatives),
            caught,
            alerting: [right / all, right / positives],
        }
    }
}

/// Compares two models on rows with verdicts; none where there are fewer than ten of a kind.
pub fn compare(first: Scored<'_>, second: Scored<'_>, verdicts: &[bool]) -> Option<Comparison> {
    let class = |wanted: bool| -> Vec<usize> { (0..verdicts.len()).filter(|&row| verdicts[row] == wanted).collect() };
    let (positives, negatives) = (class(true), class(false));
    if positives.len().min(negatives.len()) < MIN_ROWS_A_CLASS {
        return None;
    }
    let sides = [first, second].map(|scored| Sorted::new(scored, verdicts));
    let numbers = |times: &[u32]| sides.each_ref().map(|side| side.numbers(times));
    let whole = numbers(&vec![1; verdicts.len()]);
    let mut random = fastrand::Rng::with_seed(7);
    let mut times = vec![0; verdicts.len()];
    let draws: Vec<[Numbers; 2]> = (0..DRAWS)
        .map(|_| {
            times.fill(0);
            // As many of each kind as there are: how many is no question here.
            for class in [&positives, &negatives] {
                (0..class.len()).for_each(|_| times[class[random.usize(..class.len())]] += 1);
            }
            numbers(&times)
        })
        .collect();
    let difference = |of: &dyn Fn(&Numbers) -> f64| {
        let mut found: Vec<f64> =
            draws.iter().map(|[first, second]| of(second) - of(first)).filter(|it| it.is_finite()).collect();
        found.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (found.len().saturating_sub(1) as f64 * share).round() as usize;
            found.get(place).copied().unwrap_or(f64::NAN)
        };
        let [first, second] = whole.each_ref().map(of);
        Difference { first, second, interval: Interval { low: at(0.025), high: at(0.975) } }
    };
    let alerting = [0, 1].map(|index| difference(&|it| it.alerting[index]));
    Some(Comparison {
        positives: positives.len(),
        negatives: negatives.len(),
        roc_auc: difference(&|it| it.roc_auc),
        log_loss: difference(&|it| it.log_loss),
        caught: std::array::from_fn(|index| difference(&|it| it.caught[index])),
        alerting: alerting[0].difference().is_finite().then_some(alerting),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of which a third has the label, with scores that tell it more or less well.
    fn scored(rows: usize, noise: [f64; 2]) -> (Vec<f64>, Vec<f64>, Vec<bool>) {
        let mut random = fastrand::Rng::with_seed(11);
        let mut one =
            |verdict: bool, noise: f64| f64::from(u8::from(verdict)) * 2.0 - 1.5 + (random.f64() - 0.5) * noise;
        let verdicts: Vec<bool> = (0..rows).map(|row| row.is_multiple_of(3)).collect();
        let of = |noise: f64, one: &mut dyn FnMut(bool, f64) -> f64| -> Vec<f64> {
            // In steps, so that there are ties.
            verdicts.iter().map(|verdict| (one(*verdict, noise) * 10.0).round() / 10.0).collect()
        };
        let (first, second) = (of(noise[0], &mut one), of(noise[1], &mut one));
        (first, second, verdicts)
    }

    fn plain(log_odds: &[f64]) -> Scored<'_> {
        Scored { log_odds, alerts: None }
    }

    #[test]
    fn the_numbers_are_those_of_the_metrics() {
        let (first, second, verdicts) = scored(300, [6.0, 4.0]);
        let alerts: Vec<bool> = first.iter().map(|score| *score >= 0.0).collect();
        let found = compare(
            Scored { log_odds: &first, alerts: Some(&alerts) },
            Scored { log_odds: &second, alerts: Some(&alerts) },
            &verdicts,
        )
        .expect("enough");
        assert_eq!((found.positives, found.negatives), (100, 200));
        for (of, log_odds) in [(found.roc_auc.first, &first), (found.roc_auc.second, &second)] {
            assert!((of - metrics::roc_auc(log_odds, &verdicts)).abs() < 1e-12, "{of}");
        }
        assert!((found.log_loss.second - metrics::log_loss(&second, &verdicts)).abs() < 1e-12);
        // By counting: the highest threshold that at most 5 % of the 200 reach.
        let reached = |least: f64, wanted: bool| {
            first.iter().zip(&verdicts).filter(|(score, verdict)| **score >= least && **verdict == wanted).count()
        };
        let most = first.iter().filter(|least| reached(**least, false) <= 10).map(|least| reached(*least, true)).max();
        assert_eq!((found.caught[1].first * 100.0).round() as usize, most.unwrap_or_default());
        let (hits, alarms) = (reached(0.0, true) as f64, reached(0.0, false) as f64);
        let [precision, recall] = found.alerting.expect("alerts");
        assert!(
            (precision.first - hits / (hits + alarms)).abs() < 1e-12 && (recall.second - hits / 100.0).abs() < 1e-12
        );
        assert_eq!((precision.interval.low, recall.interval.high), (0.0, 0.0), "both alert on the same");
    }

    #[test]
    fn a_better_model_is_clearly_better_and_one_beside_itself_is_not() {
        let (first, second, verdicts) = scored(900, [8.0, 3.0]);
        let found = compare(plain(&first), plain(&second), &verdicts).expect("enough");
        assert!(found.roc_auc.interval.low > 0.0 && found.roc_auc.is_clear(), "{found:?}");
        assert!(found.log_loss.interval.high < 0.0 && found.alerting.is_none());
        let same = compare(plain(&first), plain(&first), &verdicts).expect("enough");
        assert_eq!((same.roc_auc.difference(), same.roc_auc.interval), (0.0, Interval { low: 0.0, high: 0.0 }));
        let (one, other, verdicts) = scored(900, [5.0, 5.0]);
        let alike = compare(plain(&one), plain(&other), &verdicts).expect("enough");
        assert!(!alike.roc_auc.is_clear(), "{alike:?}");
        assert_eq!(compare(plain(&[0.0; 12]), plain(&[0.0; 12]), &[true; 12]), None);
    }

    /// DeLong's interval of a paired difference, computed over all pairs: `d = mean_i (V10_a - V10_b)`, with the variance of its two
    /// parts.
    #[test]
    fn the_interval_is_about_delongs() {
        let (first, second, verdicts) = scored(600, [6.0, 5.0]);
        let found = compare(plain(&first), plain(&second), &verdicts).expect("enough").roc_auc;
        let class = |scores: &[f64], wanted: bool| -> Vec<f64> {
            scores.iter().zip(&verdicts).filter(|(_, verdict)| **verdict == wanted).map(|(score, _)| *score).collect()
        };
        let win = |a: f64, b: f64| {
            if a > b {
                1.0
            } else if a == b {
                0.5
            } else {
                0.0
            }
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let parts = |scores: &[f64]| {
            let (p, n) = (class(scores, true), class(scores, false));
            let of_p: Vec<f64> = p.iter().map(|a| mean(&n.iter().map(|b| win(*a, *b)).collect::<Vec<_>>())).collect();
            let of_n: Vec<f64> = n.iter().map(|b| mean(&p.iter().map(|a| win(*a, *b)).collect::<Vec<_>>())).collect();
            (of_p, of_n)
        };
        let ((p1, n1), (p2, n2)) = (parts(&first), parts(&second));
        let variance = |a: &[f64], b: &[f64]| {
            let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
            let middle = mean(&differences);
            let squares: f64 = differences.iter().map(|it| (it - middle).powi(2)).sum();
            squares / (differences.len() - 1) as f64 / differences.len() as f64
        };
        let half = 1.96 * (variance(&p1, &p2) + variance(&n1, &n2)).sqrt();
        let (low, high) = (found.difference() - half, found.difference() + half);
        assert!(
            (found.interval.low - low).abs() < half * 0.2 && (found.interval.high - high).abs() < half * 0.2,
            "{found:?}: {low} {high}"
        );
    }
}
