use modstream_classifier::{MEASURES, Scratch, Vectorizer};

use crate::settings::Settings;

/// The least log-count ratio: a column that tells nothing apart by itself may still beside others.
const LEAST_RATIO: f64 = 0.01;

/// Comments as sparse vectors, a row each: terms, subwords, and all measures.
pub(crate) struct Rows {
    ends: Vec<usize>,
    entries: Vec<(u32, f32)>,
    /// The number of columns.
    pub(crate) width: usize,
}

impl Rows {
    /// Makes the vectors of `texts`. Subwords and measures are scaled: together with L2 regularisation this says how
    /// freely they may be used beside terms.
    pub(crate) fn of(vectorizer: &Vectorizer, texts: &[&str], settings: &Settings) -> Self {
        let (terms, features) = (vectorizer.terms() as u32, vectorizer.features());
        let mut rows = Rows { ends: Vec::with_capacity(texts.len()), entries: Vec::new(), width: features + MEASURES };
        let mut scratch = Scratch::default();
        for text in texts {
            vectorizer.vectorize(text, &mut scratch);
            let (vector, measures) = scratch.vector(vectorizer);
            rows.entries.extend(vector.map(|(index, value)| {
                let scale = if index < terms { 1.0 } else { settings.subword_scale };
                (index, (value * scale) as f32)
            }));
            let measures = measures.iter().zip(features as u32..);
            rows.entries.extend(measures.map(|(value, column)| (column, (value * settings.measure_scale) as f32)));
            rows.ends.push(rows.entries.len());
        }
        rows.entries.shrink_to_fit();
        rows
    }

    #[cfg(test)]
    pub(crate) fn from_vectors(vectors: &[Vec<(u32, f32)>], width: usize) -> Self {
        let ends = vectors.iter().scan(0, |end, vector| {
            *end += vector.len();
            Some(*end)
        });
        Rows { ends: ends.collect(), entries: vectors.concat(), width }
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
    /// to the power of `exponent`, in the mean square of all columns 1 (S. Wang and C. Manning, "Baselines and Bigrams: Simple,
    /// Good Sentiment and Topic Classification", 2012). Only the first `features` columns have counts; others keep 1.
    pub(crate) fn ratio_scales(&self, verdicts: &[Option<bool>], features: usize, exponent: f64) -> Vec<f64> {
        let mut scales = vec![1.0; self.width];
        if exponent == 0.0 {
            return scales;
        }
        let mut counts = vec![[0.0_f64; 2]; features];
        let mut all = [0.0_f64; 2];
        for (row, verdict) in self.iter().zip(verdicts) {
            let &Some(verdict) = verdict else { continue };
            let class = usize::from(verdict);
            all[class] += 1.0;
            for &(column, _) in row {
                if let Some(counts) = counts.get_mut(column as usize) {
                    counts[class] += 1.0;
                }
            }
        }
        // Smoothed by a text, so that what one class has never shown is no certainty.
        let share = |count: f64, all: f64| ((count + 1.0) / (all + 2.0)).ln();
        for (scale, [negatives, positives]) in scales.iter_mut().zip(counts) {
            *scale = (share(positives, all[1]) - share(negatives, all[0])).abs().max(LEAST_RATIO).powf(exponent);
        }
        let squares: f64 = scales[..features].iter().map(|scale| scale * scale).sum();
        let unit = (squares / features.max(1) as f64).sqrt();
        scales[..features].iter_mut().for_each(|scale| *scale /= unit);
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
        // Column 0 tells the label, column 1 nothing; column 2 is a measure.
        let row = |first: bool| if first { vec![(0, 1.0), (1, 1.0), (2, 9.0)] } else { vec![(1, 1.0), (2, 9.0)] };
        let known = (0..40).map(|index| row(index % 2 == 0));
        let unknown = (0..40).map(|_| row(true));
        let rows = Rows::from_vectors(&known.chain(unknown).collect::<Vec<_>>(), 3);
        let verdicts: Vec<Option<bool>> = (0..80).map(|index| (index < 40).then_some(index % 2 == 0)).collect();
        let scales = rows.ratio_scales(&verdicts, 2, 0.5);
        assert!(scales[0] > 1.0 && scales[1] < 0.5 && (scales[2] - 1.0).abs() < 1e-12, "{scales:?}");
        assert!(((scales[0].powi(2) + scales[1].powi(2)) / 2.0 - 1.0).abs() < 1e-12);
        // ln((20 + 1) / (20 + 2)) less ln((0 + 1) / (20 + 2)), beside the least.
        assert!((scales[0] / scales[1] - (21.0_f64.ln() / LEAST_RATIO).sqrt()).abs() < 1e-9, "{scales:?}");
        assert!(rows.ratio_scales(&verdicts, 2, 0.0).iter().all(|scale| (*scale - 1.0).abs() < 1e-12));
    }
}
