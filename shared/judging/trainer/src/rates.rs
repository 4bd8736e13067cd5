use modstream_classifier::Rate;

use crate::metrics::cumulative;

/// About how many rows a table has.
const ROWS: usize = 200;
/// The fewest comments at or above a threshold of the table: beyond that, rates are noise.
const MIN_COMMENTS_ABOVE: usize = 20;

/// Makes the table of rates that held-out calibrated log-odds give.
///
/// Counts are smoothed by half a comment (so that no row promises a precision of 1), and the ratio of the two rates, which
/// precision follows at any base rate, is made to rise with the threshold by pooling neighbours that don't (M. Ayer et al.,
/// "An Empirical Distribution Function for Sampling with Incomplete Information", 1955).
pub(crate) fn table(log_odds: &[f64], removed: &[bool]) -> Vec<Rate> {
    let steps = cumulative(log_odds, removed);
    let (all_removed, all_kept) = steps.last().map_or((0.0, 0.0), |&(_, hits, alarms)| (hits as f64, alarms as f64));
    let every = (log_odds.len() / ROWS).max(1);
    let mut picked: Vec<(f64, f64, f64)> = Vec::new();
    let mut reached = 0;
    for (place, &(threshold, hits, alarms)) in steps.iter().enumerate() {
        let is_last = place + 1 == steps.len();
        if hits + alarms < MIN_COMMENTS_ABOVE.min(log_odds.len()) || (hits + alarms - reached < every && !is_last) {
            continue;
        }
        reached = hits + alarms;
        let smooth = |count: usize, all: f64| {
            if is_last { 1.0 } else { (count as f64 + 0.5) / (all + 1.0) }
        };
        picked.push((threshold, smooth(hits, all_removed), smooth(alarms, all_kept)));
    }
    // Thresholds rise from here on. A pool holds its sum of log ratios, and how many rows it has.
    picked.reverse();
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (_, hit, alarm) in &picked {
        let mut pool = ((hit / alarm).ln(), 1);
        while let Some(&(sum, rows)) = pools.last()
            && sum / rows as f64 >= pool.0 / pool.1 as f64
        {
            pool = (pool.0 + sum, pool.1 + rows);
            pools.pop();
        }
        pools.push(pool);
    }
    // Alerting on everything has the ratio 1; less can't be worse than that.
    let ratios = pools.iter().flat_map(|&(sum, rows)| std::iter::repeat_n((sum / rows as f64).exp().max(1.0), rows));
    picked
        .iter()
        .zip(ratios)
        .map(|(&(log_odds, true_positive_rate, _), ratio)| Rate {
            log_odds,
            true_positive_rate,
            false_positive_rate: true_positive_rate / ratio,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use modstream_classifier::{BaseRate, LogOdds, Rates};
    use proptest::prelude::*;

    #[test]
    fn the_table_promises_what_happened() {
        let mut random = fastrand::Rng::with_seed(3);
        let (log_odds, removed): (Vec<f64>, Vec<bool>) = (0..5_000)
            .map(|_| {
                let log_odds = random.f64() * 8.0 - 5.0;
                (log_odds, random.f64() < LogOdds(log_odds).probability())
            })
            .unzip();
        let rates = Rates::new(table(&log_odds, &removed)).expect("monotone");
        let share = removed.iter().filter(|removed| **removed).count() as f64 / 5_000.0;
        for threshold in [-3.0, -1.0, 0.0, 1.0, 2.0] {
            let alerts = log_odds.iter().zip(&removed).filter(|(z, _)| **z >= threshold);
            let (hits, all) =
                alerts.fold((0.0, 0.0), |(hits, all), (_, removed)| (hits + f64::from(u8::from(*removed)), all + 1.0));
            let promised = rates.operating_point(LogOdds(threshold), BaseRate::new(share).expect("a share"));
            assert!((promised.precision - hits / all).abs() < 0.03, "{threshold}: {promised:?}, {}", hits / all);
            assert!((promised.share - all / 5_000.0).abs() < 0.02, "{threshold}: {promised:?}, {}", all / 5_000.0);
        }
    }

    proptest! {
        #[test]
        fn any_scores_give_a_usable_table(rows in prop::collection::vec((-3..3_i8, any::<bool>()), 2..120)) {
            let log_odds: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
            let mut removed: Vec<bool> = rows.iter().map(|row| row.1).collect();
            (removed[0], removed[1]) = (true, false);
            let table = table(&log_odds, &removed);
            prop_assert!(Rates::new(table.clone()).is_ok(), "{:?}", table);
        }
    }
}
