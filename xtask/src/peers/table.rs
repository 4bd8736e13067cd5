//! Tables: aligned for a terminal, or Markdown. The first column is text, all others are numbers.

use console::{Alignment, measure_text_width, pad_str};

pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(header: &[&str]) -> Self {
        Self { header: header.iter().copied().map(String::from).collect(), rows: Vec::new() }
    }

    pub(super) fn aligned(&self) -> String {
        let mut widths: Vec<usize> = self.header.iter().map(|cell| measure_text_width(cell)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = measure_text_width(cell).max(*width);
            }
        }
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                let side = if column == 0 { Alignment::Left } else { Alignment::Right };
                pad_str(cell, width, side, None).into_owned()
            });
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        };
        std::iter::once(&self.header).chain(&self.rows).map(line).collect()
    }

    pub(super) fn markdown(&self) -> String {
        let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
        let rule = format!("|---|{}\n", "--:|".repeat(self.header.len() - 1));
        line(&self.header) + &rule + &self.rows.iter().map(line).collect::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["", "ROC-AUC", "size"]);
        table.rows.push(vec!["modstream".into(), "0.793".into(), "4.9 MB".into()]);
        table.rows.push(vec!["fastText".into(), "0.771 [-.031,-.015]".into(), "17 MB".into()]);
        table
    }

    #[test]
    fn numbers_are_aligned_at_the_right() {
        let lines = [
            "                       ROC-AUC    size\n",
            "modstream                0.793  4.9 MB\n",
            "fastText   0.771 [-.031,-.015]   17 MB\n",
        ];
        assert_eq!(table().aligned(), lines.concat());
    }

    #[test]
    fn markdown_has_a_rule_under_the_header() {
        let lines = [
            "|  | ROC-AUC | size |\n",
            "|---|--:|--:|\n",
            "| modstream | 0.793 | 4.9 MB |\n",
            "| fastText | 0.771 [-.031,-.015] | 17 MB |\n",
        ];
        assert_eq!(table().markdown(), lines.concat());
    }
}
