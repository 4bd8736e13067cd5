//! `model.safetensors`: the arrays of a model, little-endian and unaligned.

use std::borrow::Cow;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::ArtifactError;
use crate::measures::MEASURES;
use crate::subwords::{Subword, is_key};
use crate::vectorizer::{Feature, Measure};

/// The most terms of a model, more than any corpus of texts has; a longer array is damage.
const MAX_TERMS: usize = 1 << 24;

/// The arrays of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Vocabulary {
    /// The terms, by rising hash.
    pub features: Vec<Feature>,
    /// The weights of the terms.
    pub weights: Vec<f32>,
    /// The terms as people read them.
    pub terms: Vec<String>,
    /// The subwords, by rising key.
    pub subwords: Vec<Subword>,
    /// The weights of the subwords.
    pub subword_weights: Vec<f32>,
    /// How measures are standardised.
    pub measures: [Measure; MEASURES],
    /// The weights of the measures.
    pub measure_weights: [f32; MEASURES],
}

fn bad(what: impl Into<String>) -> ArtifactError {
    ArtifactError::Tensors(what.into())
}

impl Vocabulary {
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, ArtifactError> {
        let floats = |values: &mut dyn Iterator<Item = f32>| values.flat_map(f32::to_le_bytes).collect::<Vec<u8>>();
        let mut end = 0_u32;
        let ends: Vec<u8> = self
            .terms
            .iter()
            .flat_map(|term| {
                end += term.len() as u32;
                end.to_le_bytes()
            })
            .collect();
        let count = self.features.len();
        let hashes = self.features.iter().flat_map(|feature| feature.hash.to_le_bytes()).collect();
        let text: Vec<u8> = self.terms.concat().into_bytes();
        let text_length = text.len();
        let measure = |part: fn(&Measure) -> f32| floats(&mut self.measures.iter().map(part));
        let subwords = self.subwords.len();
        let keys = self.subwords.iter().flat_map(|subword| subword.key.to_le_bytes()).collect();
        let arrays: [(&str, Dtype, usize, Vec<u8>); 11] = [
            ("hashes", Dtype::U64, count, hashes),
            ("idf", Dtype::F32, count, floats(&mut self.features.iter().map(|feature| feature.idf))),
            ("weights", Dtype::F32, count, floats(&mut self.weights.iter().copied())),
            ("term_ends", Dtype::U32, count, ends),
            ("terms", Dtype::U8, text_length, text),
            ("subword_keys", Dtype::U32, subwords, keys),
            ("subword_idf", Dtype::F32, subwords, floats(&mut self.subwords.iter().map(|subword| subword.idf))),
            ("subword_weights", Dtype::F32, subwords, floats(&mut self.subword_weights.iter().copied())),
            ("measure_means", Dtype::F32, MEASURES, measure(|measure| measure.mean)),
            ("measure_deviations", Dtype::F32, MEASURES, measure(|measure| measure.deviation)),
            ("measure_weights", Dtype::F32, MEASURES, floats(&mut self.measure_weights.iter().copied())),
        ];
        let views = arrays
            .iter()
            .map(|(name, dtype, length, bytes)| Ok((*name, TensorView::new(*dtype, vec![*length], bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
        views.and_then(|views| safetensors::serialize(views, None)).map_err(|error| bad(error.to_string()))
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| bad(error.to_string()))?;
        let array = |name: &str, dtype: Dtype, length: Option<usize>| -> Result<Cow<'_, [u8]>, ArtifactError> {
            let view = tensors.tensor(name).map_err(|_| bad(format!("the array `{name}` is missing")))?;
            let fits = view.dtype() == dtype
                && view.shape().len() == 1
                && length.is_none_or(|length| view.shape()[0] == length);
            if fits {
                Ok(Cow::Borrowed(view.data()))
            } else {
                Err(bad(format!("the array `{name}` has another type or shape")))
            }
        };
        let floats = |name: &str, length: usize| -> Result<Vec<f32>, ArtifactError> {
            let bytes = array(name, Dtype::F32, Some(length))?;
            let values: Vec<f32> = bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            if values.iter().all(|value| value.is_finite()) {
                Ok(values)
            } else {
                Err(bad(format!("`{name}` holds a number that is not finite")))
            }
        };
        let measures = |name: &str| -> Result<[f32; MEASURES], ArtifactError> {
            floats(name, MEASURES)?.try_into().map_err(|_| bad(format!("the array `{name}` has another shape")))
        };

        let hashes = array("hashes", Dtype::U64, None)?;
        let hashes: Vec<u64> = hashes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        let count = hashes.len();
        if count == 0 || count > MAX_TERMS {
            return Err(bad(format!("there are {count} terms")));
        }
        if !hashes.is_sorted_by(|a, b| a < b) {
            return Err(bad("`hashes` do not rise"));
        }
        let idf = |name: &str, length: usize| {
            let values = floats(name, length)?;
            let all_above_zero = values.iter().all(|&idf| idf > 0.0);
            if all_above_zero { Ok(values) } else { Err(bad(format!("`{name}` is not above zero"))) }
        };
        let term_idf = idf("idf", count)?;
        let keys = array("subword_keys", Dtype::U32, None)?;
        let keys: Vec<u32> = keys.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
        if keys.len() > MAX_TERMS || !keys.is_sorted_by(|a, b| a < b) || !keys.iter().all(|&key| is_key(key)) {
            return Err(bad("`subword_keys` are none, or do not rise"));
        }
        let subword_idf = idf("subword_idf", keys.len())?;
        let text = array("terms", Dtype::U8, None)?;
        let text = std::str::from_utf8(&text).map_err(|_| bad("`terms` are no UTF-8"))?;
        let ends = array("term_ends", Dtype::U32, Some(count))?;
        let mut start = 0;
        let mut terms = Vec::with_capacity(count);
        for end in ends.as_chunks().0 {
            let end = u32::from_le_bytes(*end) as usize;
            terms.push(text.get(start..end).ok_or_else(|| bad("`term_ends` do not fit `terms`"))?.to_owned());
            start = end;
        }
        if start != text.len() {
            return Err(bad("`term_ends` do not fit `terms`"));
        }
        let (means, deviations) = (measures("measure_means")?, measures("measure_deviations")?);
        if deviations.iter().any(|&deviation| deviation <= 0.0) {
            return Err(bad("a measure's deviation is not above zero"));
        }
        Ok(Vocabulary {
            features: hashes.into_iter().zip(term_idf).map(|(hash, idf)| Feature { hash, idf }).collect(),
            weights: floats("weights", count)?,
            terms,
            subword_weights: floats("subword_weights", keys.len())?,
            subwords: keys.into_iter().zip(subword_idf).map(|(key, idf)| Subword { key, idf }).collect(),
            measures: std::array::from_fn(|index| Measure { mean: means[index], deviation: deviations[index] }),
            measure_weights: measures("measure_weights")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn vocabulary() -> Vocabulary {
        let parts = crate::model::tests::parts();
        Vocabulary {
            terms: parts.features.iter().map(|feature| format!("t{:x}", feature.hash)).collect(),
            features: parts.features,
            weights: parts.weights,
            subwords: parts.subwords,
            subword_weights: parts.subword_weights,
            measures: parts.measures,
            measure_weights: parts.measure_weights.try_into().expect("a weight a measure"),
        }
    }

    /// Why arrays are refused that were written whole.
    fn refused(change: impl FnOnce(&mut Vocabulary)) -> String {
        let mut vocabulary = vocabulary();
        change(&mut vocabulary);
        Vocabulary::parse(&vocabulary.to_bytes().expect("arrays")).expect_err("it is refused").to_string()
    }

    #[test]
    fn arrays_that_make_no_sense_are_refused() {
        for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(refused(|it| it.weights[3] = number).contains("`weights` holds a number that is not finite"));
            assert!(refused(|it| it.subword_weights[0] = number).contains("`subword_weights` holds"));
            assert!(refused(|it| it.measure_weights[30] = number).contains("`measure_weights` holds"));
            assert!(refused(|it| it.measures[0].mean = number).contains("`measure_means` holds"));
            assert!(refused(|it| it.features[0].idf = number).contains("`idf` holds"));
        }
        assert!(refused(|it| it.features[0].idf = 0.0).contains("`idf` is not above zero"));
        assert!(refused(|it| it.subwords[0].idf = -1.0).contains("`subword_idf` is not above zero"));
        assert!(refused(|it| it.measures[7].deviation = 0.0).contains("deviation"));
        assert!(refused(|it| it.features.swap(0, 1)).contains("`hashes` do not rise"));
        assert!(refused(|it| it.features[1].hash = it.features[0].hash).contains("`hashes` do not rise"));
        assert!(refused(|it| it.subwords.swap(0, 1)).contains("`subword_keys`"));
        assert!(refused(|it| it.subwords[0].key = 0x61).contains("`subword_keys`"));
        let empty = |it: &mut Vocabulary| {
            it.features.clear();
            it.weights.clear();
            it.terms.clear();
        };
        assert!(refused(empty).contains("0 terms"));
    }

    /// The bytes with another header: its length before it, the arrays behind.
    fn with_header(change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let bytes = vocabulary().to_bytes().expect("arrays");
        let (length, rest) = bytes.split_first_chunk().expect("a length");
        let (header, arrays) = rest.split_at(u64::from_le_bytes(*length) as usize);
        let mut header: Value = serde_json::from_slice(header).expect("JSON");
        change(&mut header);
        let header = serde_json::to_vec(&header).expect("JSON");
        [&(header.len() as u64).to_le_bytes(), &header[..], arrays].concat()
    }

    #[test]
    fn absurd_lengths_are_refused() {
        assert!(Vocabulary::parse(&with_header(|_| ())).is_ok());
        let bytes = vocabulary().to_bytes().expect("arrays");
        for length in [0, 1, bytes.len() as u64 - 7, 1 << 40, u64::MAX - 8, u64::MAX] {
            let bytes = [&length.to_le_bytes(), &bytes[8..]].concat();
            assert!(Vocabulary::parse(&bytes).is_err(), "a header of {length} bytes");
        }
        for length in [0_u64, 1, 1 << 33, u64::MAX / 4, u64::MAX] {
            for array in ["weights", "terms", "measure_means", "subword_keys"] {
                let shape = with_header(|header| header[array]["shape"] = vec![length].into());
                assert!(Vocabulary::parse(&shape).is_err(), "{array} of {length}");
                let flat = with_header(|header| header[array]["shape"] = vec![length, u64::MAX].into());
                assert!(Vocabulary::parse(&flat).is_err(), "{array} of {length} in two dimensions");
            }
            let ends = with_header(|header| header["weights"]["data_offsets"] = vec![length, u64::MAX].into());
            assert!(Vocabulary::parse(&ends).is_err(), "from {length}");
        }
    }
}
