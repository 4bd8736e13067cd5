//! Real comments, where a checkout has them beside it: they are no part of the project.

use std::path::Path;

use modstream_corpus::{Reader, Row};

#[test]
fn the_comments_of_r_science_are_read_without_an_error() {
    let data = "shared/data/rscience_train.csv";
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3);
    let Some(path) = repository.and_then(Path::parent).map(|beside| beside.join(data)).filter(|path| path.exists())
    else {
        eprintln!("skipped: no {data} beside the checkout");
        return;
    };
    let rows: Vec<Row> = Reader::open(&path).expect("comments").collect::<Result<_, _>>().expect("no bad record");
    assert_eq!(rows.len(), 5688);
    assert_eq!(rows.iter().filter(|row| row.removed == Some(true)).count(), 1839);
    assert_eq!(rows.iter().filter(|row| row.removed.is_none()).count(), 0);
    assert_eq!(rows[0].line, 2);
    // ISO-8859-1 throughout: one character a byte, and none that was misread.
    let text: String = rows.iter().filter_map(|row| row.comment.body.as_deref()).collect();
    assert_eq!(text.chars().filter(|char| !char.is_ascii()).count(), 109);
    assert!(text.contains("na\u{EF}ve") && text.contains("25.5 ± 6.1 × 1022 J"));
}
