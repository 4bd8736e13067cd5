use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// Deals comments into folds: by seed, with the same share of removed comments in each, those of one group together. A group is named
/// by its first comment.
///
/// Returns the fold of each comment, or none where a class has fewer groups than there are folds.
pub(crate) fn deal(texts: &[String], removed: &[bool], group: &[usize], folds: usize, seed: u64) -> Option<Vec<usize>> {
    let classes: Vec<usize> = removed.iter().copied().map(usize::from).collect();
    let (fold, dealt) = deal_classes(texts, &classes, group, folds, seed);
    (dealt.len() == 2 && dealt.into_iter().min() >= Some(folds)).then_some(fold)
}

/// Deals texts into folds: by seed, each class spread evenly, each group together with the text of it that comes first in the deal.
///
/// Returns the fold of each text, and how many groups of each class were dealt, as far as there are classes.
pub(crate) fn deal_classes(
    texts: &[String],
    class: &[usize],
    group: &[usize],
    folds: usize,
    seed: u64,
) -> (Vec<usize>, Vec<usize>) {
    let key = |text: &str| {
        let digest = Sha256::new_with_prefix(seed.to_le_bytes()).chain_update(plain(text)).finalize();
        <[u8; 16]>::try_from(&digest[..16]).map(u128::from_le_bytes).unwrap_or_default()
    };
    let keys: Vec<u128> = texts.iter().map(|text| key(text)).collect();
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&index| (keys[index], index));

    let mut fold_of: HashMap<usize, usize> = HashMap::with_capacity(texts.len());
    let mut dealt = vec![0; class.iter().max().map_or(0, |last| last + 1)];
    for index in order {
        let dealt = &mut dealt[class[index]];
        fold_of.entry(group[index]).or_insert_with(|| {
            let fold = *dealt % folds;
            *dealt += 1;
            fold
        });
    }
    (group.iter().map(|group| fold_of[group]).collect(), dealt)
}

/// The plain form of a text: texts count as equal where it is equal.
pub(crate) fn plain(text: &str) -> String {
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::near_duplicates::equal;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equal_texts_share_a_fold_and_classes_are_spread_evenly(rows in prop::collection::vec(("[a-e]{1,3}", any::<bool>()), 0..80), folds in 2..6_usize, seed: u64) {
            let (texts, removed): (Vec<String>, Vec<bool>) = rows.into_iter().unzip();
            let group = equal(&texts.iter().map(String::as_str).collect::<Vec<_>>());
            if let Some(fold) = deal(&texts, &removed, &group, folds, seed) {
                for (a, first) in texts.iter().enumerate() {
                    for (b, second) in texts.iter().enumerate() {
                        prop_assert!(first != second || fold[a] == fold[b]);
                    }
                }
                for wanted in 0..folds {
                    prop_assert!(fold.contains(&wanted));
                }
                prop_assert_eq!(deal(&texts, &removed, &group, folds, seed), Some(fold));
            }
        }
    }

    #[test]
    fn a_class_with_fewer_texts_than_folds_is_refused() {
        let texts: Vec<String> = (0..20).map(|index| format!("text {index}")).collect();
        let mut removed = vec![false; 20];
        removed[3] = true;
        let group: Vec<usize> = (0..20).collect();
        assert_eq!(deal(&texts, &removed, &group, 5, 7), None);
        assert_eq!(deal(&texts, &[false; 20], &group, 5, 7), None);
    }

    #[test]
    fn another_seed_deals_another_hand() {
        let texts: Vec<String> = (0..100).map(|index| format!("text {index}")).collect();
        let removed: Vec<bool> = (0..100).map(|index| index % 3 == 0).collect();
        let group: Vec<usize> = (0..100).collect();
        assert_ne!(deal(&texts, &removed, &group, 5, 1), deal(&texts, &removed, &group, 5, 2));
    }
}
