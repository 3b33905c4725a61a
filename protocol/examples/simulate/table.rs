use crate::honest::Honest;
use crate::parameters::Parameters;
use crate::random::real;
use crate::theft::{Spans, Thefts};
use holdfast_protocol::pop::Timing;
use std::fmt::Write as _;

/// One setting and what came of it.
pub(crate) struct Row {
    pub timing: Timing,
    pub honest: Honest,
    pub thieves: Thefts,
    pub relays: Thefts,
}

const YEAR_MS: f64 = 365.25 * 86_400_000.0;
const HOUR_MS: f64 = 3_600_000.0;

impl Row {
    /// Of so many, in a year of one connection.
    pub(crate) fn a_year(&self, count: u64) -> f64 {
        real(count) * YEAR_MS / real(self.honest.connected_ms).max(1.0)
    }

    pub(crate) fn bytes_an_hour(&self) -> f64 {
        real(self.honest.bytes) * HOUR_MS / real(self.honest.connected_ms).max(1.0)
    }

    /// While all the connections are open at once.
    pub(crate) fn signatures_a_second(&self, connections: u32) -> f64 {
        let connected_s = real(self.honest.connected_ms).max(1.0) / 1_000.0;
        real(self.honest.signatures) * f64::from(connections) / connected_s
    }

    /// The defaults in the code.
    pub(crate) fn is_default(&self) -> bool {
        self.timing == Timing::default()
    }

    fn name(&self) -> String {
        let [interval, jitter, timeout] =
            [self.timing.interval_ms, self.timing.jitter_ms, self.timing.answer_within_ms]
                .map(|ms| f64::from(ms) / 1_000.0);
        let mark = if self.is_default() { '*' } else { ' ' };
        format!("{mark}{interval:>3.0} ±{jitter:>3.0} s {timeout:>4.0} s")
    }
}

/// Both tables: what honest browsers pay, and what thieves get.
pub(crate) fn write(rows: &[Row], parameters: &Parameters) -> String {
    let mut text = String::new();
    let Parameters { connections, hours, thieves, relays, .. } = *parameters;
    let years = f64::from(connections) * f64::from(hours) / (24.0 * 365.25);
    let _ = writeln!(
        text,
        "{connections} honest connections, hours of each: {hours}; {years:.1} connection-years a line \
         (* the defaults in the code)\n"
    );
    let _ = writeln!(
        text,
        "                          ended with 4401, a connection-year      held, a  signatures          bytes a\n \
         interval  timeout     false  just back no network     asleep conn.-year    a second  connection-hour"
    );
    for row in rows {
        let Honest { held, ended_there, ended_just_back, ended_without_network, ended_asleep, .. } =
            row.honest;
        let [there, back, without_network, asleep, held] =
            [ended_there, ended_just_back, ended_without_network, ended_asleep, held]
                .map(|count| row.a_year(count));
        let (signatures, bytes) = (row.signatures_a_second(connections), row.bytes_an_hour());
        let _ = writeln!(
            text,
            "{} {there:>9.3} {back:>10.1} {without_network:>10.1} {asleep:>10.1} {held:>10.2} {signatures:>11.1} {bytes:>16.0}",
            row.name()
        );
    }
    let _ = writeln!(
        text,
        "\nfalse: the browser was awake and on the network all the time that it had for both answers.\n\
         just back: it was so at the end, too late for TCP, which sends a lost packet again after longer and \
         longer waits.\n\
         asleep: the laptop slept or the tab was frozen. Whoever was ended comes back with a new ticket, without \
         the person.\n\
         held: as false, but after one answer: data waits for the next one, and the connection goes on.\n"
    );
    let _ =
        writeln!(text, "{thieves} thieves, {relays} relays; seconds from the theft: half, 99 of 100, all\n");
    let _ = writeln!(
        text,
        "                          thief silent      thief cut off       relay silent      relay cut off\n \
         interval  timeout   50 %  99 %   max   50 %  99 %   max   50 %  99 %   max   50 %  99 %   max"
    );
    for row in rows {
        let spans =
            [&row.thieves.silent, &row.thieves.cut_off, &row.relays.silent, &row.relays.cut_off].map(three);
        let _ = writeln!(text, "{} {}", row.name(), spans.join(" "));
    }
    text
}

fn three(spans: &Spans) -> String {
    let shown = |span_s: Option<f64>| span_s.map_or("none".to_owned(), |span_s| format!("{span_s:.1}"));
    let [half, most, all] = [50, 99, 100].map(|per_cent| shown(spans.percentile_s(per_cent)));
    format!("{half:>6}{most:>6}{all:>6}")
}
