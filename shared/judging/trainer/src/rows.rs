use modstream_classifier::{MEASURES, Scratch, Vectorizer};

use crate::settings::Settings;

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

    /// The root of the mean square of each column.
    pub(crate) fn root_mean_squares(&self) -> Vec<f64> {
        let mut squares = vec![0.0; self.width];
        for &(column, value) in &self.entries {
            squares[column as usize] += f64::from(value).powi(2);
        }
        squares.into_iter().map(|sum| f64::sqrt(sum / self.len().max(1) as f64)).collect()
    }
}
