use crate::table::Row;
use std::fmt::Write as _;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 500.0;
const TOP: f64 = 96.0;
const BOTTOM: f64 = 420.0;

/// A picture of the choice: to the right a thief has longer, upwards honest people pay more.
pub(crate) fn draw(rows: &[Row]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"title\">\n\
         <title id=\"title\">What a shorter interval or timeout costs, and what it buys</title>\n{STYLE}\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n\
         <text class=\"title\" x=\"70\" y=\"34\">What a shorter interval or timeout costs, and what it buys</text>\n\
         <text x=\"70\" y=\"56\">Each point is an interval and a timeout; the filled one is the default in \
         the code. Lower and further left is better.</text>\n"
    );
    let ended = |row: &Row| row.a_year(row.honest.ended_there + row.honest.ended_just_back);
    panel(&mut svg, rows, 70.0, "ended though awake and on the network, a connection-year", ended);
    panel(&mut svg, rows, 550.0, "bytes a connection-hour", Row::bytes_an_hour);
    svg.push_str("</svg>\n");
    svg
}

const STYLE: &str = "<style>\n\
    svg { color-scheme: light dark; }\n\
    text { font: 13px system-ui, sans-serif; fill: #1d2733; }\n\
    .title { font-size: 19px; font-weight: 600; }\n\
    .page { fill: #ffffff; }\n\
    .grid { stroke: #d5dbe2; }\n\
    .point { fill: #ffffff; stroke: #0b62c4; stroke-width: 2; }\n\
    .default { fill: #0b62c4; }\n\
    @media (prefers-color-scheme: dark) {\n\
    text { fill: #e6ebf1; }\n\
    .page { fill: #12171d; }\n\
    .grid { stroke: #333d48; }\n\
    .point { fill: #12171d; stroke: #6db1ff; }\n\
    .default { fill: #6db1ff; }\n\
    }\n</style>\n";

fn panel(svg: &mut String, rows: &[Row], left: f64, what: &str, value: impl Fn(&Row) -> f64) {
    let right = left + 370.0;
    let across = Axis::over(rows.iter().filter_map(cut_off_s), left, right);
    let up = Axis::over(rows.iter().map(&value), BOTTOM, TOP);
    let _ = writeln!(svg, "<text x=\"{left}\" y=\"{}\">{what}</text>", TOP - 12.0);
    for (tick, y) in up.ticks() {
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\n\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{tick}</text>",
            left - 8.0,
            y + 4.0
        );
    }
    for (tick, x) in across.ticks() {
        let below = BOTTOM + 20.0;
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{below}\" text-anchor=\"middle\">{tick}</text>");
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">seconds until a thief is cut off, at most</text>",
        (left + right) / 2.0,
        BOTTOM + 46.0
    );
    for (at, row) in rows.iter().enumerate() {
        let Some(cut_off_s) = cut_off_s(row) else { continue };
        let (x, y) = (across.place(cut_off_s), up.place(value(row)));
        // Points of one interval lie close together: their names stand above and below in turn.
        let before = rows.iter().take(at).filter(|other| other.timing.interval_ms == row.timing.interval_ms);
        let name_y = if before.count().is_multiple_of(2) { y - 11.0 } else { y + 20.0 };
        let class = if row.is_default() { "point default" } else { "point" };
        let [interval, timeout] =
            [row.timing.interval_ms, row.timing.answer_within_ms].map(|ms| f64::from(ms) / 1_000.0);
        let _ = writeln!(
            svg,
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>\n\
             <text x=\"{x:.1}\" y=\"{name_y:.1}\" text-anchor=\"middle\">{interval} / {timeout} s</text>"
        );
    }
}

fn cut_off_s(row: &Row) -> Option<f64> {
    row.thieves.cut_off.percentile_s(100)
}

/// From nothing to a round number that all values fit below.
struct Axis {
    step: f64,
    steps: u32,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        // A little room, so that no point sits on the edge.
        let most = values.fold(0.0, f64::max).max(1e-3) * 1.08;
        let power = 10_f64.powf((most / 5.0).log10().floor());
        let steps_of = |step: f64| (most / step).ceil();
        let step = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power).into_iter().find(|s| steps_of(*s) <= 6.0);
        let step = step.unwrap_or(most);
        let steps = (1..=6).find(|steps| f64::from(*steps) >= steps_of(step)).unwrap_or(6);
        Self { step, steps, from, to }
    }

    fn place(&self, value: f64) -> f64 {
        self.from + (self.to - self.from) * value / (self.step * f64::from(self.steps))
    }

    fn ticks(&self) -> Vec<(String, f64)> {
        let decimals = if self.step < 0.01 {
            4
        } else if self.step < 1.0 {
            2
        } else {
            0
        };
        let values = (0..=self.steps).map(|step| f64::from(step) * self.step);
        values.map(|value| (format!("{value:.decimals$}"), self.place(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_holds_all_values_below_a_round_number() {
        for (most, last) in [(55.1, "60"), (109.0, "120"), (76_331.0, "100000"), (0.4, "0.50"), (9.9, "12")] {
            let ticks = Axis::over([most, 0.0].into_iter(), 0.0, 100.0).ticks();
            let (text, place) = ticks.last().unwrap();
            assert_eq!((text.as_str(), place.round()), (last, 100.0), "{most}");
            assert!(ticks.len() <= 7, "{} ticks up to {most}", ticks.len());
        }
    }

    #[test]
    fn nothing_at_all_is_drawn_too() {
        let svg = draw(&[]);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
    }
}
