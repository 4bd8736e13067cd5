use super::{Section, missing};
use crate::Report;
use crate::escape::{cut, foreign};
use crate::numbers::{count, signed};
use crate::terms::Push;

/// How many terms to show each way.
const MOST: usize = 15;
/// A longer term would leave no room for its bar.
const LONGEST: usize = 40;

pub(super) fn section(report: &Report<'_>) -> Section {
    let removal = report.terms.strongest(1.0, MOST);
    let mut keeping = report.terms.strongest(-1.0, MOST);
    // The strongest stand outermost.
    keeping.reverse();
    let pushes: Vec<Push> = removal.into_iter().chain(keeping).collect();
    let content = if pushes.is_empty() { missing("No term moved a score.") } else { table(&pushes) };
    Section {
        id: "terms",
        title: "What moves scores",
        how: "Bars to the right push towards removal, to the left towards keeping, as far as each term moves the log-odds of \
              all comments on average; the mean is over those that hold it. A name in brackets is a measure of the whole \
              text."
            .to_owned(),
        content,
    }
}

fn table(pushes: &[Push]) -> String {
    let most = pushes.iter().map(|push| push.overall.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let row = |push: &Push| {
        vec![foreign(&cut(&push.term, LONGEST)), bar(push.overall / most), signed(push.mean), count(push.comments)]
    };
    let columns = ["Term", "Keep \u{2190} \u{2192} remove", "Mean", "Comments"];
    format!("<div class=\"terms\">\n{}\n</div>", super::table(&columns, pushes.iter().map(row)))
}

/// A bar from the middle: to the right above 0, to the left below.
fn bar(length: f64) -> String {
    let (class, half) = if length > 0.0 { ("removed", "left:50%") } else { ("kept", "right:50%") };
    format!("<div class=\"bar\"><i class=\"{class}\" style=\"{half};width:{:.1}%\"></i></div>", length.abs() * 50.0)
}
