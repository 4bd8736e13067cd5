//! `model.safetensors`: the arrays of a model, little-endian and unaligned.

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::ArtifactError;
use super::manifest::Format;
use crate::measures::MEASURES;
use crate::seen::SeenTexts;
use crate::subwords::{Subword, is_key};
use crate::vectorizer::{Feature, Measure};

/// The most terms of a model, more than any corpus of texts has; a longer array is damage.
const MAX_TERMS: usize = 1 << 24;

/// The name of the array of known words, which a model may lack.
const KNOWN_WORDS: &str = "known_words";
/// The name of the array of common words, which a model may lack.
const COMMON_WORDS: &str = "common_words";

/// The name of the filter of training texts, which a model may lack.
const SEEN_TEXTS: &str = "seen_texts";
/// The longest filter of training texts, in bytes; a longer array is damage.
const MAX_SEEN_BYTES: usize = 1 << 28;

/// The arrays of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Vocabulary {
    /// The terms, by rising hash.
    pub features: Vec<Feature>,
    /// The weights of the terms, one a head, term by term.
    pub weights: Vec<f32>,
    /// The terms as people read them.
    pub terms: Vec<String>,
    /// The subwords, by rising key.
    pub subwords: Vec<Subword>,
    /// The weights of the subwords, one a head, subword by subword.
    pub subword_weights: Vec<f32>,
    /// How measures are standardised.
    pub measures: [Measure; MEASURES],
    /// The weights of the measures, one a head, measure by measure.
    pub measure_weights: Vec<f32>,
    /// The keys of the words that are known, rising; none in an older model.
    pub known_words: Vec<u32>,
    /// The keys of the words that are common, rising; none in an older model.
    pub common_words: Vec<u32>,
    /// The texts that the model was trained on; none in an older model.
    pub seen_texts: Option<SeenTexts>,
}

fn bad(what: impl Into<String>) -> ArtifactError {
    ArtifactError::Tensors(what.into())
}

/// The shape of an array with `rows` weights a head.
fn shape(rows: usize, format: Format, heads: usize) -> Vec<usize> {
    match format {
        Format::Removal => vec![rows],
        Format::Labels => vec![rows, heads],
    }
}

impl Vocabulary {
    pub(super) fn to_bytes(&self, format: Format) -> Result<Vec<u8>, ArtifactError> {
        let heads = self.measure_weights.len() / MEASURES;
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
        let flat = |length: usize| vec![length];
        let weights = |rows: usize| shape(rows, format, heads);
        let arrays: [(&str, Dtype, Vec<usize>, Vec<u8>); 11] = [
            ("hashes", Dtype::U64, flat(count), hashes),
            ("idf", Dtype::F32, flat(count), floats(&mut self.features.iter().map(|feature| feature.idf))),
            ("weights", Dtype::F32, weights(count), floats(&mut self.weights.iter().copied())),
            ("term_ends", Dtype::U32, flat(count), ends),
            ("terms", Dtype::U8, flat(text_length), text),
            ("subword_keys", Dtype::U32, flat(subwords), keys),
            ("subword_idf", Dtype::F32, flat(subwords), floats(&mut self.subwords.iter().map(|subword| subword.idf))),
            ("subword_weights", Dtype::F32, weights(subwords), floats(&mut self.subword_weights.iter().copied())),
            ("measure_means", Dtype::F32, flat(MEASURES), measure(|measure| measure.mean)),
            ("measure_deviations", Dtype::F32, flat(MEASURES), measure(|measure| measure.deviation)),
            ("measure_weights", Dtype::F32, weights(MEASURES), floats(&mut self.measure_weights.iter().copied())),
        ];
        let words = |name: &'static str, keys: &[u32]| {
            let bytes: Vec<u8> = keys.iter().flat_map(|key| key.to_le_bytes()).collect();
            (!keys.is_empty()).then(|| (name, Dtype::U32, flat(keys.len()), bytes))
        };
        let (known, common) = (words(KNOWN_WORDS, &self.known_words), words(COMMON_WORDS, &self.common_words));
        let seen = self.seen_texts.as_ref().map(SeenTexts::as_bytes);
        let seen = seen.map(|bytes| (SEEN_TEXTS, Dtype::U8, flat(bytes.len()), bytes.to_vec()));
        let views = arrays
            .iter()
            .chain(&known)
            .chain(&common)
            .chain(&seen)
            .map(|(name, dtype, shape, bytes)| Ok((*name, TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
        views.and_then(|views| safetensors::serialize(views, None)).map_err(|error| bad(error.to_string()))
    }

    /// Reads the arrays of a model with so many heads.
    pub(super) fn parse(bytes: &[u8], format: Format, heads: usize) -> Result<Self, ArtifactError> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| bad(error.to_string()))?;
        let view = |name: &str, dtype: Dtype, fits: &dyn Fn(&[usize]) -> bool| -> Result<&[u8], ArtifactError> {
            let view = tensors.tensor(name).map_err(|_| bad(format!("the array `{name}` is missing")))?;
            if view.dtype() == dtype && fits(view.shape()) {
                Ok(view.data())
            } else {
                Err(bad(format!("the array `{name}` has another type or shape")))
            }
        };
        let array = |name: &str, dtype: Dtype, length: Option<usize>| {
            view(name, dtype, &|shape| matches!(*shape, [found] if length.is_none_or(|length| found == length)))
        };
        let numbers = |name: &str, bytes: &[u8]| -> Result<Vec<f32>, ArtifactError> {
            let values: Vec<f32> = bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            if values.iter().all(|value| value.is_finite()) {
                Ok(values)
            } else {
                Err(bad(format!("`{name}` holds a number that is not finite")))
            }
        };
        let floats = |name: &str, length: usize| numbers(name, array(name, Dtype::F32, Some(length))?);
        let weights = |name: &str, rows: usize| {
            let expected = shape(rows, format, heads);
            numbers(name, view(name, Dtype::F32, &|shape| shape == expected)?)
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
        let text = std::str::from_utf8(text).map_err(|_| bad("`terms` are no UTF-8"))?;
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
        let words = |name: &str| -> Result<Vec<u32>, ArtifactError> {
            if !tensors.names().contains(&name) {
                return Ok(Vec::new());
            }
            let keys = array(name, Dtype::U32, None)?;
            let keys: Vec<u32> = keys.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
            let are_sound = keys.len() <= MAX_TERMS && keys.is_sorted_by(|a, b| a < b);
            if are_sound { Ok(keys) } else { Err(bad(format!("`{name}` do not rise"))) }
        };
        let seen_texts = if tensors.names().contains(&SEEN_TEXTS) { array(SEEN_TEXTS, Dtype::U8, None)? } else { &[] };
        if seen_texts.len() > MAX_SEEN_BYTES {
            return Err(bad(format!("`{SEEN_TEXTS}` has {} bytes", seen_texts.len())));
        }
        let (means, deviations) = (measures("measure_means")?, measures("measure_deviations")?);
        if deviations.iter().any(|&deviation| deviation <= 0.0) {
            return Err(bad("a measure's deviation is not above zero"));
        }
        Ok(Vocabulary {
            features: hashes.into_iter().zip(term_idf).map(|(hash, idf)| Feature { hash, idf }).collect(),
            weights: weights("weights", count)?,
            terms,
            subword_weights: weights("subword_weights", keys.len())?,
            subwords: keys.into_iter().zip(subword_idf).map(|(key, idf)| Subword { key, idf }).collect(),
            measures: std::array::from_fn(|index| Measure { mean: means[index], deviation: deviations[index] }),
            measure_weights: weights("measure_weights", MEASURES)?,
            known_words: words(KNOWN_WORDS)?,
            common_words: words(COMMON_WORDS)?,
            seen_texts: SeenTexts::from_bytes(seen_texts.to_vec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::{labelled_parts, parts};
    use serde_json::Value;

    const HEADS: usize = 3;

    /// The arrays of a model of removals, and those of one with labels.
    fn vocabularies() -> [(Vocabulary, Format, usize); 2] {
        let [one, several] = [parts(), labelled_parts(HEADS)].map(|parts| Vocabulary {
            terms: parts.features.iter().map(|feature| format!("t{:x}", feature.hash)).collect(),
            features: parts.features,
            weights: parts.weights,
            subwords: parts.subwords,
            subword_weights: parts.subword_weights,
            measures: parts.measures,
            measure_weights: parts.measure_weights,
            known_words: vec![7, 1 << 31],
            common_words: vec![7],
            seen_texts: Some(SeenTexts::of(["a text"].into_iter())),
        });
        [(one, Format::Removal, 1), (several, Format::Labels, HEADS)]
    }

    #[test]
    fn what_is_written_is_read_again_in_its_own_format_alone() {
        for (vocabulary, format, heads) in vocabularies() {
            let bytes = vocabulary.to_bytes(format).expect("arrays");
            assert_eq!(Vocabulary::parse(&bytes, format, heads).expect("parses"), vocabulary);
            for (other, count) in [(Format::Removal, heads), (Format::Labels, heads), (format, heads + 1)] {
                // The heads of a model of removals are not counted: there is one.
                let is_its_own = other == format && (count == heads || format == Format::Removal);
                assert_eq!(Vocabulary::parse(&bytes, other, count).is_ok(), is_its_own, "{format:?} as {other:?}");
            }
        }
    }

    /// Why arrays are refused that were written whole, in either format.
    fn refused(change: impl Fn(&mut Vocabulary)) -> String {
        let [one, other] = vocabularies().map(|(mut vocabulary, format, heads)| {
            change(&mut vocabulary);
            let bytes = vocabulary.to_bytes(format).expect("arrays");
            Vocabulary::parse(&bytes, format, heads).expect_err("it is refused").to_string()
        });
        assert_eq!(one, other);
        one
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
        assert!(refused(|it| it.known_words = vec![2, 1]).contains("`known_words` do not rise"));
        assert!(refused(|it| it.common_words = vec![2, 2]).contains("`common_words` do not rise"));
        let empty = |it: &mut Vocabulary| {
            it.features.clear();
            it.weights.clear();
            it.terms.clear();
        };
        assert!(refused(empty).contains("0 terms"));
    }

    /// The bytes with another header: its length before it, the arrays behind.
    fn with_header(bytes: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let (length, rest) = bytes.split_first_chunk().expect("a length");
        let (header, arrays) = rest.split_at(u64::from_le_bytes(*length) as usize);
        let mut header: Value = serde_json::from_slice(header).expect("JSON");
        change(&mut header);
        let header = serde_json::to_vec(&header).expect("JSON");
        [&(header.len() as u64).to_le_bytes(), &header[..], arrays].concat()
    }

    #[test]
    fn absurd_lengths_are_refused() {
        for (vocabulary, format, heads) in vocabularies() {
            let bytes = vocabulary.to_bytes(format).expect("arrays");
            let parses = |bytes: &[u8]| Vocabulary::parse(bytes, format, heads).is_ok();
            assert!(parses(&with_header(&bytes, |_| ())));
            for length in [0, 1, bytes.len() as u64 - 7, 1 << 40, u64::MAX - 8, u64::MAX] {
                let bytes = [&length.to_le_bytes(), &bytes[8..]].concat();
                assert!(!parses(&bytes), "a header of {length} bytes");
            }
            for length in [0_u64, 1, 1 << 33, u64::MAX / 4, u64::MAX] {
                for array in ["weights", "terms", "measure_means", "measure_weights", "subword_keys"] {
                    let shape = with_header(&bytes, |header| header[array]["shape"] = vec![length].into());
                    assert!(!parses(&shape), "{array} of {length}");
                    for other in [heads as u64, u64::MAX] {
                        let shape = vec![length, other];
                        let flat = with_header(&bytes, |header| header[array]["shape"] = shape.into());
                        assert!(!parses(&flat), "{array} of {length} in two dimensions");
                    }
                }
                let offsets = vec![length, u64::MAX];
                let ends = with_header(&bytes, |header| header["weights"]["data_offsets"] = offsets.into());
                assert!(!parses(&ends), "from {length}");
            }
        }
    }
}
