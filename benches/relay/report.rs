//! Figures, their ratios, and the page that they are written to.

use std::fmt::Write as _;

use crate::servers::Servers;

/// One comparison.
pub(crate) struct Figure {
    what: &'static str,
    unit: &'static str,
    ours: Vec<f64>,
    theirs: Vec<f64>,
    ratio: f64,
}

impl Figure {
    /// A figure that is good when it is large: the ratio is ours over theirs.
    pub(crate) fn more_is_better(
        what: &'static str,
        unit: &'static str,
        ours: Vec<f64>,
        theirs: Vec<f64>,
    ) -> Self {
        let ratio = median(ours.clone()) / median(theirs.clone());
        Self { what, unit, ours, theirs, ratio }
    }

    /// A figure that is good when it is small: the ratio is theirs over ours.
    pub(crate) fn less_is_better(
        what: &'static str,
        unit: &'static str,
        ours: Vec<f64>,
        theirs: Vec<f64>,
    ) -> Self {
        let ratio = median(theirs.clone()) / median(ours.clone());
        Self { what, unit, ours, theirs, ratio }
    }

    fn row(&self) -> String {
        let spread = |values: &[f64]| {
            let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), &v| (l.min(v), h.max(v)));
            format!("{:.1} ({low:.1}–{high:.1})", median(values.to_vec()))
        };
        format!(
            "| {} | {} | {} | {} | {:.2} |",
            self.what,
            self.unit,
            spread(&self.ours),
            spread(&self.theirs),
            self.ratio
        )
    }
}

/// The middle value.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The page.
pub(crate) struct Report {
    text: String,
}

impl Report {
    pub(crate) fn new(servers: &Servers) -> Self {
        let mut text = String::from(
            "# Results\n\nMade by `make bench`, which says how; read the ratios, not the absolute figures.\n\n",
        );
        let _ = writeln!(text, "{}\n", servers.versions());
        text.push_str("| what | unit | Portcullis, median (range) | nginx, median (range) | ratio, 1.00 = as good as nginx |\n");
        text.push_str("|---|---|---|---|---|\n");
        Self { text }
    }

    pub(crate) fn add(&mut self, figure: Figure) {
        println!("{}", figure.row());
        let _ = writeln!(self.text, "{}", figure.row());
    }

    pub(crate) fn note(&mut self, note: &str) {
        println!("{note}");
        let _ = writeln!(self.text, "\n{note}");
    }

    pub(crate) fn finish(&self) {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/RESULTS.md"), &self.text).unwrap();
        println!("written to benches/RESULTS.md");
    }
}
