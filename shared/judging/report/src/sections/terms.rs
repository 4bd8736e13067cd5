use maud::{Markup, Render as _, html};

use super::{Section, columns, missing};
use crate::Report;
use crate::html::signed;
use crate::html::{cut, isolate_direction};
use crate::numbers::count;
use crate::terms::Push;

/// How many terms are shown each way.
const SHOWN_EACH_WAY: usize = 15;
/// How many characters of a term are shown: a longer one would leave no room for its bar.
const MAX_TERM_CHARS: usize = 40;

pub(super) fn section(report: &Report<'_>) -> Section {
    let removal = report.terms.strongest(1.0, SHOWN_EACH_WAY);
    let mut keeping = report.terms.strongest(-1.0, SHOWN_EACH_WAY);
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
            .render(),
        content,
    }
}

fn table(pushes: &[Push]) -> Markup {
    let most = pushes.iter().map(|push| push.overall.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let row = |push: &Push| {
        vec![
            isolate_direction(&cut(&push.term, MAX_TERM_CHARS)),
            bar(push.overall / most),
            signed(push.mean).render(),
            count(push.comments).render(),
        ]
    };
    let columns = columns(["Term", "Keep \u{2190} \u{2192} remove", "Mean", "Comments"]);
    html! { div.terms { (super::table(&columns, pushes.iter().map(row))) } }
}

/// A bar from the middle: to the right above 0, to the left below.
fn bar(length: f64) -> Markup {
    let (class, half) = if length > 0.0 { ("removed", "left:50%") } else { ("kept", "right:50%") };
    html! {
        div.bar { i class=(class) style=(format!("{half};width:{:.1}%", length.abs() * 50.0)) {} }
    }
}
