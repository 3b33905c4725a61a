use super::text;
use crate::{
    ui::{Element, classed, element, p},
    words::Tone,
};
use holdfast_protocol::connections::{BEATS, Beat};

const STEP: u32 = 24;
const WIDTH: u32 = 720;
const LOW: u32 = 46;
const SPAN: u32 = 36;
/// What fills the picture at least: a fast network draws a calm line.
const FULL_MS: u32 = 120;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Point {
    x: u32,
    y: u32,
    beat: Beat,
}

/// Where the beats are drawn: the newest at the right edge, a slow answer higher up.
fn points(beats: &[Beat]) -> Vec<Point> {
    let slowest = beats.iter().map(|beat| rtt(*beat)).max().unwrap_or_default().max(FULL_MS);
    let newest = beats.iter().rev().take(BEATS);
    let mut points: Vec<Point> = (0_u32..)
        .zip(newest)
        .map(|(back, beat)| {
            let height = match beat {
                Beat::Proven { rtt_ms } => SPAN * (*rtt_ms).min(slowest) / slowest,
                Beat::Failed => SPAN,
            };
            Point { x: (WIDTH - STEP).saturating_sub(back * STEP), y: LOW - height, beat: *beat }
        })
        .collect();
    points.reverse();
    points
}

fn rtt(beat: Beat) -> u32 {
    match beat {
        Beat::Proven { rtt_ms } => rtt_ms,
        Beat::Failed => 0,
    }
}

/// The round trip in the middle of all.
pub(super) fn median_ms(beats: &[Beat]) -> Option<u32> {
    let times = || {
        beats.iter().filter_map(|beat| match beat {
            Beat::Proven { rtt_ms } => Some(*rtt_ms),
            Beat::Failed => None,
        })
    };
    // Thirty times at most: counting is smaller than sorting.
    let half = times().count() / 2;
    times().find(|time| {
        let below = times().filter(|other| other < time).count();
        let equal = times().filter(|other| other == time).count();
        (below..below + equal).contains(&half)
    })
}

fn line(points: &[Point]) -> String {
    let mut d = String::with_capacity(points.len() * 8);
    for point in points.iter().filter(|point| point.beat != Beat::Failed) {
        d.push(if d.is_empty() { 'M' } else { 'L' });
        d.push_str(&point.x.to_string());
        d.push(' ');
        d.push_str(&point.y.to_string());
    }
    d
}

fn said(beats: &[Beat]) -> String {
    let proven = beats.iter().filter(|beat| matches!(beat, Beat::Proven { .. })).count();
    text::pulse(proven, beats.len() - proven, median_ms(beats).unwrap_or_default())
}

/// The last answers of a connection, as a picture and in words.
pub(super) fn pulse(beats: &[Beat], tone: Tone) -> Element {
    if beats.is_empty() {
        return p("small muted").with(text::NO_BEATS);
    }
    let class = if tone == Tone::Held { "pulse held" } else { "pulse wait" };
    let points = points(beats);
    let last = points.last().copied();
    let dots = points.iter().map(|point| {
        let (class, r) = match point.beat {
            Beat::Proven { .. } => ("dot", "2.6"),
            Beat::Failed => ("dot missed", "4.5"),
        };
        circle(class, point, r)
    });
    classed("svg", class)
        .attr("viewBox", "0 0 720 64")
        .attr("preserveAspectRatio", "xMaxYMid slice")
        .attr("role", "img")
        .attr("aria-label", said(beats))
        .with(classed("path", "rail").attr("d", "M0 46H672"))
        .with(classed("path", "trace").attr("d", line(&points)))
        .with(element("g").with_each(dots))
        .with(last.map(|last| circle("beat", &last, "4")))
}

fn circle(class: &'static str, at: &Point, r: &'static str) -> Element {
    classed("circle", class).attr("cx", at.x.to_string()).attr("cy", at.y.to_string()).attr("r", r)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proven(rtt_ms: u32) -> Beat {
        Beat::Proven { rtt_ms }
    }

    #[test]
    fn the_newest_beat_is_at_the_right_and_the_slowest_on_top() {
        let points = points(&[proven(40), proven(300), Beat::Failed, proven(30)]);
        assert_eq!(points.iter().map(|point| point.x).collect::<Vec<_>>(), [624, 648, 672, 696]);
        assert_eq!(points[1].y, LOW - SPAN);
        assert_eq!(points[2].y, LOW - SPAN);
        assert!(points[3].y > points[0].y);
    }

    #[test]
    fn no_number_of_beats_leaves_the_picture() {
        let many = vec![proven(u32::MAX / 64); 200];
        assert!(points(&many).iter().all(|point| point.x < WIDTH && (LOW - SPAN..=LOW).contains(&point.y)));
        assert!(points(&[]).is_empty());
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median_ms(&[]), None);
        assert_eq!(median_ms(&[Beat::Failed]), None);
        assert_eq!(median_ms(&[proven(9), proven(1), Beat::Failed, proven(5)]), Some(5));
        assert_eq!(median_ms(&[proven(7), proven(7), proven(1)]), Some(7));
    }

    #[test]
    fn a_missed_answer_leaves_a_gap_in_the_line_and_a_word() {
        let beats = [proven(40), Beat::Failed, proven(40)];
        assert_eq!(line(&points(&beats)), "M648 34L696 34");
        assert_eq!(said(&beats), "The last 3 answers: 2 on time, about 40 milliseconds; 1 late or missing.");
        assert_eq!(said(&[proven(12)]), "The last 1 answer: 1 on time, about 12 milliseconds.");
    }
}
