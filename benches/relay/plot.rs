//! Bars with whiskers, as SVG.

use std::fmt::Write as _;

use crate::round::Spread;

const LEFT: f64 = 250.0;
const WIDTH: f64 = 430.0;
const ROW: f64 = 34.0;
const TOP: f64 = 58.0;

/// One bar for each: its median, with a line from the lowest to the highest round.
pub(crate) fn bars(title: &str, axis: &str, bars: &[(&str, Spread)]) -> String {
    let largest = bars.iter().map(|(_, spread)| spread.high).fold(0.0, f64::max);
    let scale = |value: f64| WIDTH * value / largest.max(f64::MIN_POSITIVE);
    let height = TOP + ROW * bars.len() as f64 + 12.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"{height}\" viewBox=\"0 0 800 {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"800\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"16\" y=\"24\" font-size=\"16\" font-weight=\"bold\">{}</text>\n<text x=\"16\" y=\"44\" fill=\"#666\">{}</text>\n",
        escaped(title),
        escaped(axis)
    );
    for (number, (name, spread)) in bars.iter().enumerate() {
        let top = TOP + ROW * number as f64;
        let (middle, text_at) = (top + 11.0, top + 16.0);
        let colour = if name.starts_with("Portcullis") { "#2563eb" } else { "#9ca3af" };
        let (bar, low, high) = (scale(spread.median), LEFT + scale(spread.low), LEFT + scale(spread.high));
        let _ = write!(
            text,
            "<text x=\"{}\" y=\"{text_at}\" text-anchor=\"end\">{}</text>\n\
             <rect x=\"{LEFT}\" y=\"{top}\" width=\"{bar:.1}\" height=\"22\" fill=\"{colour}\"/>\n\
             <path d=\"M{low:.1} {middle}H{high:.1}M{low:.1} {}v8M{high:.1} {}v8\" stroke=\"#111\" fill=\"none\"/>\n\
             <text x=\"{:.1}\" y=\"{text_at}\">{}</text>\n",
            LEFT - 8.0,
            escaped(name),
            middle - 4.0,
            middle - 4.0,
            high + 8.0,
            figure(spread.median),
        );
    }
    text + "</svg>\n"
}

fn figure(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
