//! Numbers as people read them.

use maud::{Markup, html};

use crate::stats::{Interval, Rate};

/// What stands where there is no number.
pub(crate) const NONE: &str = "\u{2013}";

/// A count, with commas between thousands.
pub(crate) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of comments.
pub(crate) fn comments(number: usize) -> String {
    if number == 1 { "1 comment".to_owned() } else { format!("{} comments", count(number)) }
}

/// A number with three decimals.
pub(crate) fn decimal(number: f64) -> String {
    if number.is_finite() { format!("{number:.3}") } else { NONE.to_owned() }
}

/// A share, as a percentage.
pub(crate) fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1}\u{a0}%", share * 100.0) } else { NONE.to_owned() }
}

/// An interval of shares.
pub(crate) fn percents(Interval { low, high }: Interval) -> String {
    format!("{:.1}\u{2013}{:.1}\u{a0}%", low * 100.0, high * 100.0)
}

/// An interval of numbers.
pub(crate) fn decimals(Interval { low, high }: Interval) -> String {
    format!("{low:.3}\u{2013}{high:.3}")
}

/// A rate, with its interval in small print.
pub(crate) fn rate(rate: Rate) -> Markup {
    html! {
        @match rate.wilson() {
            Some(interval) => { (percent(rate.share())) " " small { (percents(interval)) } }
            None => (NONE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_have_commas() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn what_is_no_number_is_a_dash() {
        assert_eq!((decimal(f64::NAN), percent(f64::NAN)), (NONE.to_owned(), NONE.to_owned()));
        assert_eq!(rate(Rate { part: 0, of: 0 }).0, NONE);
    }
}
