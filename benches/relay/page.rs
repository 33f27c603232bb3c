//! The page that the results are written to, and the plots beside it.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::plot;
use crate::round::{Series, Spread};
use crate::targets::Target;

/// Everything that has been measured.
pub(crate) struct Page {
    preface: String,
    sections: String,
    reached: Vec<(Target, f64)>,
    plots: Vec<(String, String)>,
    /// Half of what the slower of Portcullis and nginx bears, in requests a second; 0 until it is known.
    pub(crate) half_load: f64,
}

/// One workload and how everybody did.
pub(crate) struct Table<'a> {
    pub(crate) title: &'a str,
    /// The plot's file name.
    pub(crate) slug: &'a str,
    /// What work is counted in, and what the counts are divided by for that.
    pub(crate) unit: &'a str,
    pub(crate) divisor: f64,
    /// What the ratios are against.
    pub(crate) ours: &'a str,
    pub(crate) series: &'a [Series],
}

impl Page {
    pub(crate) fn new(preface: String) -> Self {
        Self { preface, sections: String::new(), reached: Vec::new(), plots: Vec::new(), half_load: 0.0 }
    }

    pub(crate) fn table(&mut self, table: &Table<'_>) {
        let mut text = format!(
            "## {}\n\n![{}](plots/{}.svg)\n\n| | {unit} per CPU-second, median (range) | {unit}/s, median (range) | processor busy | ours against it, per CPU-second |\n|---|---|---|---|---|",
            table.title,
            table.title,
            table.slug,
            unit = table.unit
        );
        let ours = table
            .series
            .iter()
            .find(|series| series.name == table.ours)
            .map(|series| series.per_cpu().median);
        let mut bars = Vec::new();
        for series in table.series {
            let scaled = |spread: Spread| Spread {
                median: spread.median / table.divisor,
                low: spread.low / table.divisor,
                high: spread.high / table.divisor,
            };
            let (cpu, second) = (scaled(series.per_cpu()), scaled(series.per_second()));
            let ratio =
                ours.map_or_else(|| "–".to_owned(), |ours| format!("{:.2}", ours / series.per_cpu().median));
            let busy = series.share().median * 100.0;
            let _ = write!(
                text,
                "\n| {} | {} | {} | {busy:.0} % | {ratio} |",
                series.name,
                shown(cpu),
                shown(second)
            );
            bars.push((series.name, cpu));
        }
        let axis = format!("{} per CPU-second", table.unit);
        self.plots.push((table.slug.to_owned(), plot::bars(table.title, &axis, &bars)));
        self.note(&text);
    }

    pub(crate) fn note(&mut self, text: &str) {
        println!("{text}\n");
        let _ = writeln!(self.sections, "{text}\n");
    }

    pub(crate) fn reached(&mut self, target: Target, figure: f64) {
        let row = target.row();
        println!("→ {} against {}: {figure:.2} ({})\n", row.what, row.against, row.verdict(figure));
        self.reached.push((target, figure));
    }

    fn targets(&self) -> String {
        let mut text =
            String::from("| what | against | must | aim | reached | |\n|---|---|---|---|---|---|\n");
        for target in Target::ALL {
            let row = target.row();
            let figure = self.reached.iter().find(|(known, _)| *known == target).map(|(_, figure)| *figure);
            let (figure, verdict) = match figure {
                Some(figure) if figure >= 100.0 => (format!("{figure:.0}"), row.verdict(figure)),
                Some(figure) => (format!("{figure:.2}"), row.verdict(figure)),
                None => ("–".to_owned(), "not measured"),
            };
            let sign = if row.less { "≤ " } else { "" };
            let _ = writeln!(
                text,
                "| {} | {} | {sign}{} | {sign}{} | {figure} | {verdict} |",
                row.what, row.against, row.must, row.aim
            );
        }
        text
    }

    pub(crate) fn finish(&self) {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/benches"));
        fs::create_dir_all(folder.join("plots")).expect("a writable folder");
        for (slug, plot) in &self.plots {
            fs::write(folder.join("plots").join(format!("{slug}.svg")), plot).expect("a writable folder");
        }
        let text = format!("{}\n{}\n{}", self.preface, self.targets(), self.sections.trim_end());
        fs::write(folder.join("RESULTS.md"), text + "\n").expect("a writable folder");
        println!("{}\nwritten to benches/RESULTS.md", self.targets());
    }
}

fn shown(spread: Spread) -> String {
    if spread.median >= 100.0 {
        format!("{:.0} ({:.0}–{:.0})", spread.median, spread.low, spread.high)
    } else {
        format!("{:.1} ({:.1}–{:.1})", spread.median, spread.low, spread.high)
    }
}
