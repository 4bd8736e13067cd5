use std::fmt::Display;

/// A number of things: `1 comment`, `2 comments`. The noun is one whose plural has an `s`; words may stand before it.
pub fn counted(number: impl TryInto<u64> + Display + Copy, noun: &str) -> String {
    format!("{number} {}", noun_of(number, noun))
}

/// The noun behind a number, where that stands apart: in a table, or written otherwise.
pub fn noun_of(number: impl TryInto<u64>, noun: &str) -> String {
    format!("{noun}{}", agree(number, "", "s"))
}

/// The word that agrees with a number: `is` or `are`, `was` or `were`.
pub fn agree<'w>(number: impl TryInto<u64>, one: &'w str, many: &'w str) -> &'w str {
    if number.try_into().is_ok_and(|number| number == 1) { one } else { many }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_no_plural() {
        let said = |number: usize| format!("{} {} left out", counted(number, "bad row"), agree(number, "is", "are"));
        assert_eq!(said(0), "0 bad rows are left out");
        assert_eq!(said(1), "1 bad row is left out");
        assert_eq!(said(2), "2 bad rows are left out");
        assert_eq!(counted(1_i64, "minute"), "1 minute");
        assert_eq!(counted(-1_i64, "minute"), "-1 minutes");
    }
}
