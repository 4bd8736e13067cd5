//! Training, from comments to a model that scores.

use std::path::Path;
use std::sync::Mutex;

use modstream_classifier::Scratch;
use modstream_classifier::artifact::{self, Settings, TENSORS};

use modstream_corpus::Reader;
use modstream_events::Outside;
use modstream_trainer::{
    DEFAULT_MEMORY, FitError, LabelledComments, Step, TrainError, Trained, default_settings, evaluate, learning_curve,
    train,
};

fn comments(path: &Path) -> LabelledComments {
    let mut comments = LabelledComments::default();
    for row in Reader::open(path).expect("opens") {
        let row = row.expect("a good row");
        comments.push_text(row.comment.body.as_deref().expect("a text"), row.removed.expect("a verdict"));
    }
    comments
}

fn samples() -> LabelledComments {
    comments(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../events/samples/comments.jsonl"))
}

fn trained(comments: &LabelledComments, settings: Settings) -> Result<Trained, TrainError> {
    train(comments, "test", settings, DEFAULT_MEMORY, &|_| ())
}

fn texts(rows: &[(&str, bool)]) -> LabelledComments {
    let mut comments = LabelledComments::default();
    for (text, removed) in rows {
        comments.push_text(text, *removed);
    }
    comments
}

#[test]
fn the_sample_comments_train_a_model_that_tells_removed_from_kept() {
    let comments = samples();
    let trained = trained(&comments, default_settings()).expect("trains");
    assert!(trained.metrics().roc_auc > 0.8, "{}", trained.metrics().roc_auc);
    let folder = tempfile::tempdir().expect("a temporary folder");
    trained.write(folder.path(), Some("Written for the tests.")).expect("writes");
    let model = artifact::open(folder.path()).expect("loads");
    let seen = evaluate(&model, &comments, |_| ());
    assert!(seen.roc_auc > trained.metrics().roc_auc && seen.comments == comments.len());
    let card = std::fs::read_to_string(folder.path().join("card.md")).expect("reads");
    assert!(card.contains("Written for the tests."), "{card}");
}

#[test]
fn what_training_texts_are_like_is_in_the_model_and_short_ones_widen_it() {
    let outside = |comments: &LabelledComments, text: &str| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let manifest =
            trained(comments, default_settings()).expect("trains").write(folder.path(), None).expect("writes");
        assert!(manifest.support.is_some());
        let model = artifact::open(folder.path()).expect("loads");
        let mut scratch = modstream_classifier::Scratch::default();
        model.score(text, &mut scratch);
        model.outside(&scratch)
    };
    let mut comments = samples();
    assert_eq!(outside(&comments, "gg"), Some(Outside::Shorter));
    let german = "Das hier ist wirklich v\u{F6}llig uninteressant und geh\u{F6}rt nicht hierher.";
    assert_eq!(outside(&comments, german), Some(Outside::UnknownWords));
    for (index, text) in ["gg", "ff", "gg ez", "nt", "ez"].iter().cycle().take(60).enumerate() {
        comments.push_text(text, index % 5 == 2);
    }
    assert_eq!(outside(&comments, "gg"), None);
}

#[test]
fn decisions_are_learned_from_and_change_no_measured_share() {
    let mut comments = samples();
    let (all, removed) = (comments.len(), comments.removed());
    let decided: Vec<String> = (0..40).map(|n| format!("Buy flibbertigibbet number {n} here, it is great?")).collect();
    let rows: Vec<(&str, bool)> = decided.iter().map(|text| (text.as_str(), true)).collect();
    let probability = |comments: &LabelledComments| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let manifest =
            trained(comments, default_settings()).expect("trains").write(folder.path(), None).expect("writes");
        let card = std::fs::read_to_string(folder.path().join("card.md")).expect("reads");
        let model = artifact::open(folder.path()).expect("loads");
        let text = "I got a flibbertigibbet from them, it is great?";
        (model.score(text, &mut modstream_classifier::Scratch::default()).probability(), manifest, card)
    };
    let (before, ..) = probability(&comments);
    comments.add_decided(&texts(&rows));
    let (after, manifest, card) = probability(&comments);
    assert!(after > before + 0.1, "{before} {after}");
    let counts = manifest.first_head().training;
    assert_eq!((counts.texts, counts.positives), (all, removed));
    let training = manifest.training;
    assert_eq!((training.decided, training.decided_removed), (40, 40));
    assert!(card.contains("learned from 40 decisions"), "{card}");
}

#[test]
fn a_decision_about_an_equal_text_changes_no_verdict_that_is_measured_on() {
    let mut comments = texts(&[("This", false), ("Another", true), ("this", false)]);
    comments.add_decided(&texts(&[(" THIS ", true), ("new", false)]));
    assert_eq!(comments.iter().collect::<Vec<_>>(), [("This", false), ("Another", true), ("this", false)]);
    assert_eq!((comments.decided(), comments.removed()), (2, 1));
}

/// Decisions that know all of its verdicts would lift the metrics if a fit saw the text that it is measured on.
#[test]
fn no_text_is_measured_by_a_fit_that_saw_it_in_a_decision() {
    let comments = samples();
    let alone = trained(&comments, default_settings()).expect("trains");
    let mut told = comments.clone();
    told.add_decided(&comments);
    let told = trained(&told, default_settings()).expect("trains");
    let [alone, told] = [&alone, &told].map(|trained| trained.metrics().roc_auc);
    assert!((told - alone).abs() < 0.03, "{alone} became {told}");
}

#[test]
fn the_order_of_decisions_does_not_matter() {
    let version = |rows: &[(&str, bool)]| {
        let mut comments = samples();
        rows.iter().for_each(|row| comments.add_decided(&texts(&[*row])));
        let folder = tempfile::tempdir().expect("a temporary folder");
        trained(&comments, default_settings()).expect("trains").write(folder.path(), None).expect("writes").version
    };
    assert_eq!(
        version(&[("one thing", true), ("another", false)]),
        version(&[("another", false), ("one thing", true)])
    );
}

#[test]
fn the_same_comments_give_the_same_version_and_others_another() {
    let version = |comments: &LabelledComments, settings: Settings| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        trained(comments, settings).expect("trains").write(folder.path(), None).expect("writes").version
    };
    let comments = samples();
    let first = version(&comments, default_settings());
    assert_eq!(first, version(&comments, default_settings()));
    assert_ne!(first, version(&comments, Settings { seed: 8, ..default_settings() }));
    let mut more = comments.clone();
    more.push_text("one more", false);
    assert_ne!(first, version(&more, default_settings()));
}

#[test]
fn progress_tells_of_one_stage_after_the_other() {
    let steps = Mutex::new(Vec::new());
    train(&samples(), "test", default_settings(), DEFAULT_MEMORY, &|step| {
        steps.lock().expect("no thread panicked").push(step);
    })
    .expect("trains");
    let times = default_settings().folds + 1;
    let stage = |begins: Step| [vec![begins], vec![Step::Done; times]].concat();
    let expected = [stage(Step::Choosing(times)), stage(Step::Fitting(times))].concat();
    assert_eq!(steps.into_inner().expect("no thread panicked"), expected);
}

/// All comments of all folds but one are what cross-validation learns from, too.
#[test]
fn a_learning_curve_ends_at_what_cross_validation_measures() {
    let comments = samples();
    let points = learning_curve(&comments, &default_settings(), &|_| ()).expect("learns");
    let counts: Vec<usize> = points.iter().map(|point| point.comments).collect();
    assert!(counts.windows(2).all(|pair| pair[1].abs_diff(2 * pair[0]) <= 2), "{counts:?}");
    let last = points.last().expect("a point");
    assert_eq!(last.comments, comments.len() * 4 / 5);
    let measured = trained(&comments, default_settings()).expect("trains").metrics().roc_auc;
    assert!((last.roc_auc - measured).abs() < 1e-3, "{} {measured}", last.roc_auc);
}

#[test]
fn measures_that_weigh_nothing_get_no_weight_from_either_solver() {
    for memory in [DEFAULT_MEMORY, 0] {
        let without = Settings { measure_scale: 0.0, ..default_settings() };
        let trained = train(&samples(), "test", without, memory, &|_| ()).expect("trains");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let manifest = trained.write(folder.path(), None).expect("writes");
        let tensors = std::fs::read(folder.path().join(TENSORS)).expect("reads");
        let weights = manifest.vocabulary(&tensors).expect("parses").measure_weights;
        assert!(weights.iter().all(|weight| *weight == 0.0), "{}: {weights:?}", manifest.fit.solver);
    }
}

#[test]
fn texts_without_text_and_later_edits_are_not_learned_from() {
    let mut clean = samples();
    let mut tagged = clean.clone();
    let count = clean.len();
    clean.push_text("A plain remark about the method.", false);
    tagged.push_text("A plain remark about the method.\n\nEdit: thanks for the gold!", false);
    tagged.push_text("[removed]", true);
    tagged.push_text(" [deleted] ", false);
    assert_eq!((clean.len(), tagged.len()), (count + 1, count + 1));
    let hash =
        |comments: &LabelledComments| trained(comments, default_settings()).expect("trains").training().sha256.clone();
    assert_eq!(hash(&clean), hash(&tagged));
}

#[test]
fn what_cant_be_learned_from_is_refused_with_the_reason() {
    let settings = default_settings;
    let refused = |rows: &[(&str, bool)]| trained(&texts(rows), settings()).expect_err("it is refused").to_string();
    assert!(refused(&[]).contains("no comments"));
    assert!(refused(&[("a b", false), ("b c", false)]).contains("0 removed and 2 kept"));
    let unique: Vec<(String, bool)> = (0..40).map(|index| (format!("word{index}"), index % 2 == 0)).collect();
    let rows: Vec<(&str, bool)> = unique.iter().map(|(text, removed)| (text.as_str(), *removed)).collect();
    assert!(refused(&rows).contains("no term stands in 2 comments"));
    assert!(
        trained(&samples(), Settings { folds: 1, ..settings() }).expect_err("refused").to_string().contains("folds")
    );
    for (number, part) in [(f64::NAN, "number"), (f64::INFINITY, "number"), (-0.1, "above 0")] {
        for wrong in [
            Settings { measure_scale: number, ..settings() },
            Settings { subword_scale: number, ..settings() },
            Settings { inverse_regularisation: number, ..settings() },
        ] {
            assert!(trained(&samples(), wrong).expect_err("refused").to_string().contains(part));
        }
    }
    let weak = Settings { inverse_regularisation: 1e9, measure_scale: 1e4, ..settings() };
    assert!(matches!(trained(&samples(), weak), Err(TrainError::Fit(FitError::NotConverged { .. }))));
}

#[test]
fn verdicts_that_the_texts_say_the_opposite_of_are_refused() {
    // Within a fold's training comments each text leans one way, held-out ones the other: equal texts share a fold.
    let mut comments = LabelledComments::default();
    for index in 0..60_u32 {
        comments.push_text(&format!("alike {index}"), index.is_multiple_of(2));
    }
    match trained(&comments, default_settings()) {
        Err(TrainError::NoSignal) => {}
        Ok(trained) => assert!(trained.metrics().roc_auc < 0.75, "nothing was there to learn"),
        Err(other) => panic!("{other}"),
    }
}

/// The talk's pipeline reaches 0.776 on these comments, five folds (spaCy lemmas, 1,000 TF-IDF features, logistic regression).
#[test]
fn on_real_comments_it_beats_the_talks_pipeline() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data/rscience_train.csv");
    if !path.is_file() {
        println!("skipped: the real comments are not on this machine");
        return;
    }
    let trained = trained(&comments(&path), default_settings()).expect("trains");
    let metrics = trained.metrics();
    println!("{metrics:?}");
    assert!(metrics.roc_auc > 0.794, "{metrics:?}");
    assert!(metrics.ece < 0.02, "{metrics:?}");
}

/// Each fifth of the comments is held out from a model in turn, and counted by the share that the model promises from its score up.
#[test]
fn on_real_comments_a_promised_share_is_kept_where_the_model_has_not_seen_them() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data/rscience_train.csv");
    if !path.is_file() {
        println!("skipped: the real comments are not on this machine");
        return;
    }
    let all = comments(&path);
    const PROMISED: [f64; 4] = [0.02, 0.05, 0.1, 0.2];
    let mut reached = [0_usize; PROMISED.len()];
    for fifth in 0..5 {
        let mut learned = LabelledComments::default();
        let in_fifth = |row: &(usize, (&str, bool))| row.0 % 5 == fifth;
        all.iter().enumerate().filter(|row| !in_fifth(row)).for_each(|(_, (text, removed))| {
            learned.push_text(text, removed);
        });
        // Sparse rows: the same weights, found sooner.
        let trained = train(&learned, "test", default_settings(), 1, &|_| ()).expect("trains");
        let folder = tempfile::tempdir().expect("a temporary folder");
        trained.write(folder.path(), None).expect("writes");
        let model = artifact::open(folder.path()).expect("loads");
        let mut scratch = Scratch::default();
        for (_, (text, _)) in all.iter().enumerate().filter(in_fifth) {
            let share = model.operating_point(model.score(text, &mut scratch)).share;
            reached.iter_mut().zip(PROMISED).for_each(|(reached, promised)| *reached += usize::from(share <= promised));
        }
    }
    let seen = reached.map(|reached| reached as f64 / all.len() as f64);
    println!("promised {PROMISED:?}, seen {seen:?}");
    for (seen, promised) in seen.into_iter().zip(PROMISED).skip(1) {
        assert!((seen / promised - 1.0).abs() < 0.1, "promised {promised}, seen {seen}");
    }
}
