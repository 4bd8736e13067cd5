//! Scoring allocates nothing once it is warm. A program of its own, since it replaces the allocator.

use std::path::Path;

use modstream_classifier::{Scratch, artifact};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

#[test]
fn from_text_to_probability_nothing_is_allocated_once_warm() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let model = artifact::open(root.join("models/rscience")).expect("the shipped model");
    let samples = std::fs::read_to_string(root.join("events/samples/comments.jsonl")).expect("samples");
    let texts: Vec<&str> =
        samples.lines().chain(["", "\u{7814}\u{7A76} na\u{EF}ve &amp; <U+1F44F> www.example.com!!!"]).collect();
    let mut scratch = Scratch::default();
    let sum = |scratch: &mut Scratch| texts.iter().map(|text| model.score(text, scratch).probability()).sum::<f64>();
    let before = sum(&mut scratch);

    let _profiler = dhat::Profiler::builder().testing().build();
    let after = sum(&mut scratch);
    let blocks = dhat::HeapStats::get().total_blocks;
    assert_eq!((before, blocks), (after, 0));
}
