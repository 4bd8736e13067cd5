//! Training models with labels, from texts to a model that scores.

use modstream_classifier::artifact::{self, Counts, Format, Manifest, TENSORS};
use modstream_classifier::{BaseRate, ByDefault, Label, Model, Score, Scratch};
use modstream_trainer::{
    Digits, LabelSettings, LabelledTexts, Settings, TrainError, Trained, default_settings, evaluate_labels,
    train_labels,
};

const PLAIN: [&str; 10] =
    ["tea", "garden", "river", "paper", "winter", "music", "bridge", "colour", "engine", "market"];

/// Texts of two labels: one word gives each away, a third word neither. Some labels are not known.
fn texts() -> LabelledTexts {
    let mut texts = LabelledTexts::default();
    for index in 0..400_usize {
        let plain = format!("the {} and the {} number {index}", PLAIN[index % 10], PLAIN[index / 10 % 10]);
        let (rude, threat) = (index.is_multiple_of(3), index.is_multiple_of(5));
        let text = format!(
            "{plain}{}{}",
            if rude { " you fool" } else { "" },
            if threat { " or I will find you" } else { "" }
        );
        let source = if index < 240 { "forum" } else { "chat" };
        let labels = [
            ("rude", (!index.is_multiple_of(7)).then_some(rude)),
            ("threat", (!index.is_multiple_of(4)).then_some(threat)),
        ];
        texts.push(&text, labels, Some(source));
    }
    texts
}

fn labels() -> Vec<LabelSettings> {
    vec![LabelSettings::of("rude"), LabelSettings::of("threat")]
}

fn settings() -> Settings {
    Settings { folds: 3, ..default_settings() }
}

fn trained(texts: &LabelledTexts, settings: Settings, labels: &[LabelSettings]) -> Result<Trained, TrainError> {
    train_labels(texts, "test", settings, labels, &|_| ())
}

fn written(trained: &Trained) -> (Model, Manifest, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let manifest = trained.write(folder.path(), Some("Written for the tests.")).expect("writes");
    let card = std::fs::read_to_string(folder.path().join("card.md")).expect("reads");
    (artifact::open(folder.path()).expect("loads"), manifest, card, folder)
}

fn probabilities(model: &Model, text: &str) -> Vec<f64> {
    model.scores(text, &mut Scratch::default()).iter().map(Score::probability).collect()
}

#[test]
fn each_label_is_told_by_its_own_words() {
    let (model, manifest, card, _folder) = written(&trained(&texts(), settings(), &labels()).expect("trains"));
    assert_eq!(manifest.format, Format::Labels);
    assert_eq!(model.labels().iter().map(Label::name).collect::<Vec<_>>(), ["rude", "threat"]);
    let rude = probabilities(&model, "the tea and the garden, you fool");
    let threat = probabilities(&model, "the tea and the garden or I will find you");
    let neither = probabilities(&model, "the tea and the garden");
    assert!(rude[0] > 0.8 && rude[1] < 0.3, "{rude:?}");
    assert!(threat[0] < 0.3 && threat[1] > 0.8, "{threat:?}");
    assert!(neither.iter().all(|probability| *probability < 0.3), "{neither:?}");
    assert!(card.contains("Written for the tests.") && card.contains("| threat | forum |"), "{card}");
}

#[test]
fn numbers_are_a_label_and_a_source_and_count_what_is_known() {
    let (model, manifest, _, _folder) = written(&trained(&texts(), settings(), &labels()).expect("trains"));
    for head in &manifest.heads {
        assert_eq!(
            head.sources.iter().map(|it| it.source.as_deref()).collect::<Vec<_>>(),
            [Some("forum"), Some("chat")]
        );
        // The larger one.
        assert_eq!(head.measured.source.as_deref(), Some("forum"));
        assert_eq!(head.measured.counts, head.sources[0].counts);
        let sum = |part: fn(&Counts) -> usize| head.sources.iter().map(|it| part(&it.counts)).sum::<usize>();
        assert_eq!(Counts { texts: sum(|it| it.texts), positives: sum(|it| it.positives) }, head.training);
        assert_eq!(head.training, texts().counts(&head.label));
        assert!(head.metrics.roc_auc > 0.95 && head.thresholds.len() == 2, "{head:?}");
    }
    let found = evaluate_labels(&model, &manifest.heads, &texts(), |_| ());
    for (evaluation, head) in found.iter().zip(&manifest.heads) {
        assert_eq!(evaluation.label, head.label);
        for (seen, held_out) in evaluation.sources.iter().zip(&head.sources) {
            assert_eq!((&seen.source, seen.counts), (&held_out.source, held_out.counts));
            assert!(seen.roc_auc >= held_out.roc_auc);
            assert!(seen.at_thresholds[1].caught > Some(0.9), "{seen:?}");
        }
    }
}

/// Rows in which a label is not known must be no negatives: else they would drown what has it.
#[test]
fn what_is_not_known_says_nothing() {
    let mut more = texts();
    for index in 0..400 {
        // As rude as anything, and nobody said so.
        more.push(&format!("number {index} you fool"), [("rude", None), ("threat", Some(false))], Some("other"));
        more.push(&format!("mark {index} you fool"), [], None);
    }
    let [before, after] = [&texts(), &more].map(|texts| {
        let (model, manifest, _, _folder) = written(&trained(texts, settings(), &labels()).expect("trains"));
        (probabilities(&model, "the river, you fool")[0], manifest)
    });
    assert!(after.0 > 0.8 && (after.0 - before.0).abs() < 0.15, "{} became {}", before.0, after.0);
    assert_eq!(after.1.heads[0].training, before.1.heads[0].training);
    assert!(after.1.heads[0].sources.iter().all(|it| it.source.as_deref() != Some("other")));
    assert_ne!(after.1.heads[1].training, before.1.heads[1].training);
}

#[test]
fn the_same_texts_give_the_same_version() {
    let version = |settings: Settings| written(&trained(&texts(), settings, &labels()).expect("trains")).1.version;
    assert_eq!(version(settings()), version(settings()));
    assert_ne!(version(settings()), version(Settings { seed: 8, ..settings() }));
    assert_ne!(version(settings()), version(Settings { ratio_exponent: 0.0, ..settings() }));
}

#[test]
fn a_share_that_is_assumed_moves_the_probabilities_and_not_the_thresholds() {
    let rare = BaseRate::new(0.01).expect("a share");
    let mut changed = labels();
    changed[1] = LabelSettings { base_rate: Some(rare), by_default: ByDefault::Off, ..changed[1].clone() };
    let [(before, was, ..), (after, is, card, _)] =
        [labels(), changed].map(|labels| written(&trained(&texts(), settings(), &labels).expect("trains")));
    let text = "the river or I will find you";
    let (old, new) = (probabilities(&before, text), probabilities(&after, text));
    assert!((old[0] - new[0]).abs() < 1e-12 && new[1] < old[1] - 0.05, "{old:?} {new:?}");
    assert_eq!(was.heads[1].thresholds, is.heads[1].thresholds);
    assert_eq!((after.labels()[1].by_default(), after.labels()[1].base_rate()), (ByDefault::Off, rare));
    assert!(card.contains("| threat | off |") && card.contains("1.00 %"), "{card}");
}

#[test]
fn no_feature_has_a_digit_where_digits_are_left_out() {
    let settings = Settings { digits: Digits::LeftOut, max_features: 60, ..settings() };
    let (_, manifest, _, folder) = written(&trained(&texts(), settings, &labels()).expect("trains"));
    let tensors = std::fs::read(folder.path().join(TENSORS)).expect("reads");
    let vocabulary = manifest.vocabulary(&tensors).expect("parses");
    assert!(vocabulary.terms.iter().all(|term| !term.chars().any(char::is_numeric)), "{:?}", vocabulary.terms);
    assert!(vocabulary.subwords.iter().all(|it| !it.key.to_be_bytes().iter().any(u8::is_ascii_digit)));
    assert_eq!(vocabulary.terms.len() + vocabulary.subwords.len(), 60);
}

#[test]
fn what_cant_be_learned_from_is_refused_with_the_counts() {
    let refused = |texts: &LabelledTexts, labels: &[LabelSettings]| {
        trained(texts, settings(), labels).expect_err("it is refused").to_string()
    };
    assert!(refused(&LabelledTexts::default(), &labels()).contains("no comments"));
    assert!(refused(&texts(), &[]).contains("no row has a label"));
    let spam = [LabelSettings::of("spam")];
    assert!(refused(&texts(), &spam).contains("no row has the label spam; the rows have: rude, threat"));
    let twice = [LabelSettings::of("rude"), LabelSettings::of("rude")];
    assert!(refused(&texts(), &twice).contains("twice"));
    for (few, counts) in [(true, "19 texts with it and 400 without it"), (false, "400 texts with it and 19 without it")]
    {
        let mut texts = texts();
        for index in 0..400 {
            texts.push(&format!("number {index}"), [("spam", Some(!few))], None);
        }
        for index in 0..19 {
            texts.push(&format!("mark {index}"), [("spam", Some(few))], None);
        }
        let error = refused(&texts, &spam);
        assert!(error.contains("label spam") && error.contains(counts), "{error}");
    }
    let mut named = texts();
    (0..40).for_each(|index| named.push(&format!("number {index}"), [("a b", Some(index % 2 == 0))], None));
    assert!(refused(&named, &[LabelSettings::of("a b")]).contains("is no label"));
}
