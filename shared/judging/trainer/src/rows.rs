use modstream_classifier::{MEASURES, Scratch, term_frequency};

use crate::features::Chosen;
use crate::settings::Settings;
use crate::tokens::{Found, Tokens};

/// The least log-count ratio: a column that tells nothing apart by itself may still beside others.
const LEAST_RATIO: f64 = 0.01;
/// What is added to a column's sum of values in each class, so that what one has never shown is no certainty.
const SMOOTHING: f64 = 0.1;

/// Comments as sparse vectors, a row each: terms, subwords, and all measures.
pub(crate) struct Rows {
    ends: Vec<usize>,
    entries: Vec<(u32, f32)>,
    /// The number of columns.
    pub(crate) width: usize,
    /// The number of columns that are terms, the first ones.
    terms: usize,
    /// The number of columns that are terms or subwords; the others are measures.
    features: usize,
}

impl Rows {
    /// Makes the vectors of some of the texts, as the vectorizer of these features would. Subwords and measures are scaled:
    /// together with L2 regularisation this says how freely they may be used beside terms.
    pub(crate) fn of(tokens: &Tokens<'_>, texts: &[usize], chosen: &Chosen, settings: &Settings) -> Self {
        let (terms, features) = (chosen.features.len(), chosen.len());
        let of_kind = |numbered: usize, ids: &[u32], idf: &mut dyn Iterator<Item = f32>, first: u32| {
            let mut columns = vec![None; numbered];
            for ((&id, idf), column) in ids.iter().zip(idf).zip(first..) {
                columns[id as usize] = Some((column, f64::from(idf)));
            }
            columns
        };
        let [numbered_terms, numbered_subwords] = tokens.numbered();
        let columns = [
            of_kind(numbered_terms, &chosen.terms, &mut chosen.features.iter().map(|it| it.idf), 0),
            of_kind(
                numbered_subwords,
                &chosen.numbered_subwords,
                &mut chosen.subwords.iter().map(|it| it.idf),
                terms as u32,
            ),
        ];
        let kind_scales = [1.0, settings.subword_scale];
        let mut rows = Rows {
            ends: Vec::with_capacity(texts.len()),
            entries: Vec::new(),
            width: features + MEASURES,
            terms,
            features,
        };
        let frequencies: Vec<f64> = (0..=Found::MOST_TIMES).map(term_frequency).collect();
        let vectorizer = chosen.vectorizer();
        let mut scratch = Scratch::default();
        let mut values: Vec<(u32, f64)> = Vec::new();
        for &text in texts {
            let row = &tokens.rows()[text];
            let mut measures = [0.0; MEASURES];
            if let Some(found) = row.found() {
                for ((found, columns), kind_scale) in found.into_iter().zip(&columns).zip(kind_scales) {
                    values.clear();
                    let mut squares = 0.0;
                    values.extend(found.iter().filter_map(|found| {
                        let (column, idf) = columns[found.id()]?;
                        let value = frequencies[found.times() as usize] * idf;
                        squares += value * value;
                        Some((column, value))
                    }));
                    let scale = 1.0 / f64::sqrt(squares);
                    rows.entries
                        .extend(values.iter().map(|&(column, value)| (column, (value * scale * kind_scale) as f32)));
                }
                measures.iter_mut().zip(chosen.measures.iter().zip(row.measures)).for_each(
                    |(value, (measure, raw))| {
                        *value = measure.standardised(raw);
                    },
                );
            } else {
                vectorizer.vectorize(tokens.text(text), &mut scratch);
                let (vector, standardised) = scratch.vector(&vectorizer);
                rows.entries.extend(vector.map(|(column, value)| {
                    let kind_scale = kind_scales[usize::from(column as usize >= terms)];
                    (column, (value * kind_scale) as f32)
                }));
                measures = *standardised;
            }
            let measures = measures.iter().zip(features as u32..);
            rows.entries.extend(measures.map(|(value, column)| (column, (value * settings.measure_scale) as f32)));
            rows.ends.push(rows.entries.len());
        }
        rows.entries.shrink_to_fit();
        rows
    }

    #[cfg(test)]
    pub(crate) fn from_vectors(vectors: &[Vec<(u32, f32)>], width: usize, terms: usize, features: usize) -> Self {
        let ends = vectors.iter().scan(0, |end, vector| {
            *end += vector.len();
            Some(*end)
        });
        Rows { ends: ends.collect(), entries: vectors.concat(), width, terms, features }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[(u32, f32)]> {
        self.ends.iter().scan(0, |start, &end| {
            let row = &self.entries[*start..end];
            *start = end;
            Some(row)
        })
    }

    /// The scale of each column by which a Naive Bayes of the verdicts would tell it apart: the log-count ratio's absolute value
    /// to the power of `exponent`, in the mean square of terms 1, and that of subwords likewise (S. Wang and C. Manning, "Baselines
    /// and Bigrams: Simple, Good Sentiment and Topic Classification", 2012). Measures have no counts, and keep 1.
    pub(crate) fn ratio_scales(&self, verdicts: &[Option<bool>], exponent: f64) -> Vec<f64> {
        let mut scales = vec![1.0; self.width];
        if exponent == 0.0 {
            return scales;
        }
        let mut sums = vec![[SMOOTHING; 2]; self.features];
        let mut all = [2.0 * SMOOTHING; 2];
        for (row, verdict) in self.iter().zip(verdicts) {
            let &Some(verdict) = verdict else { continue };
            for &(column, value) in row {
                if let Some(sums) = sums.get_mut(column as usize) {
                    sums[usize::from(verdict)] += f64::from(value);
                    all[usize::from(verdict)] += f64::from(value);
                }
            }
        }
        for (scale, [negatives, positives]) in scales.iter_mut().zip(sums) {
            let ratio = (positives / all[1]).ln() - (negatives / all[0]).ln();
            *scale = ratio.abs().max(LEAST_RATIO).powf(exponent);
        }
        for kind in [0..self.terms, self.terms..self.features] {
            let squares: f64 = scales[kind.clone()].iter().map(|scale| scale * scale).sum();
            let unit = (squares / kind.len().max(1) as f64).sqrt();
            scales[kind].iter_mut().for_each(|scale| *scale /= unit);
        }
        scales
    }

    /// The root of the mean square of each column.
    pub(crate) fn root_mean_squares(&self) -> Vec<f64> {
        let mut squares = vec![0.0; self.width];
        for &(column, value) in &self.entries {
            squares[column as usize] += f64::from(value).powi(2);
        }
        squares.into_iter().map(|sum| f64::sqrt(sum / self.len().max(1) as f64)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_tells_apart_has_a_larger_scale_and_what_is_not_known_counts_for_nothing() {
        // Column 0 tells the label, column 1 nothing; 2 and 3 are subwords of the same mind, and 4 is a measure.
        let first = |value: f32| vec![(0, value), (1, 1.0), (2, value / 2.0), (3, 0.5), (4, 9.0)];
        let row = |is_first: bool| if is_first { first(1.0) } else { vec![(1, 1.0), (3, 0.5), (4, 9.0)] };
        let known = (0..40).map(|index| row(index % 2 == 0));
        let unknown = (0..40).map(|_| row(true));
        let rows = Rows::from_vectors(&known.chain(unknown).collect::<Vec<_>>(), 5, 2, 4);
        let verdicts: Vec<Option<bool>> = (0..80).map(|index| (index < 40).then_some(index % 2 == 0)).collect();
        let scales = rows.ratio_scales(&verdicts, 0.5);
        assert!(scales[0] > 1.0 && scales[1] < 0.8 && (scales[4] - 1.0).abs() < 1e-12, "{scales:?}");
        for kind in [0, 2] {
            assert!(((scales[kind].powi(2) + scales[kind + 1].powi(2)) / 2.0 - 1.0).abs() < 1e-12, "{scales:?}");
        }
        // The sums of values, smoothed: 20 and 20 of the first two columns where the label is, 10 and 10 of the others, 0 and 20, 0
        // and 10 where it is not.
        let (with, without) = (60.2_f64, 30.2_f64);
        let ratio = |positives: f64, negatives: f64| ((positives / with).ln() - (negatives / without).ln()).abs();
        let expected = (ratio(20.1, 0.1) / ratio(20.1, 20.1)).sqrt();
        assert!((scales[0] / scales[1] - expected).abs() < 1e-9, "{scales:?}");
        assert!(rows.ratio_scales(&verdicts, 0.0).iter().all(|scale| (*scale - 1.0).abs() < 1e-12));
    }
}
