//! The timeline as a picture: SVG 1.1 in one piece, no script, nothing loaded, readable without colour.

use std::fmt::Write as _;

use super::Stage;
use super::timeline::{Band, Timeline, ticks};
use crate::base::clock::Instant;

const WIDTH: i64 = 1_000;
const LEFT: i64 = 170;
const RIGHT: i64 = 30;
const TOP: i64 = 84;
const ROW: i64 = 34;
const LETTER: i64 = 7;

/// Patterns: a stage is told by its texture and by its name, not by its colour.
const PATTERNS: &str = concat!(
    "<defs>",
    "<pattern id=\"hatch\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">",
    "<rect width=\"8\" height=\"8\" fill=\"#fff\"/><path d=\"M0 8L8 0\" stroke=\"#9aa7b5\"/></pattern>",
    "<pattern id=\"dots\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">",
    "<rect width=\"6\" height=\"6\" fill=\"#fff\"/><circle cx=\"2\" cy=\"2\" r=\"1\" fill=\"#7b8794\"/></pattern>",
    "<pattern id=\"cross\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">",
    "<rect width=\"8\" height=\"8\" fill=\"#fff\"/><path d=\"M0 0L8 8M0 8L8 0\" stroke=\"#b05050\"/></pattern>",
    "<pattern id=\"bars\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">",
    "<rect width=\"6\" height=\"6\" fill=\"#fff\"/><path d=\"M1 0V6\" stroke=\"#9aa7b5\"/></pattern>",
    "</defs>\n",
);

const STYLE: &str = "text{font:13px ui-sans-serif,sans-serif;fill:#111}.date{font-size:11px;fill:#444}\
.title{font-size:17px;font-weight:600}.note{fill:#333}.in{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}\
.white{fill:#fff}";

/// The timeline of a key line as an SVG document.
pub fn picture(timeline: &Timeline) -> String {
    let lanes = artefact_lanes(timeline);
    let rows = timeline.keys.len() + timeline.overlaps.len() + lanes.len().min(1) + 1;
    let artefacts = i64::try_from(lanes.len().saturating_sub(1)).unwrap_or(0) * 14;
    let body = TOP + i64::try_from(rows).unwrap_or(0) * ROW + artefacts;
    let notes = i64::try_from(timeline.notes.len()).unwrap_or(0);
    let height = body + 54 + notes * 18;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"title desc\">\n<title id=\"title\">Rotation of {0}</title>\n\
         <desc id=\"desc\">{1}</desc>\n<style>{STYLE}</style>\n{PATTERNS}\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text class=\"title\" x=\"20\" y=\"32\">{0}</text>\n",
        safe(&timeline.title),
        safe(&timeline.notes.join(". ")),
    );
    grid(&mut svg, timeline, body);
    let mut y = TOP;
    for (version, bands) in &timeline.keys {
        label(&mut svg, y, &format!("key #{version}"));
        for (stage, band) in bands {
            stage_band(&mut svg, timeline.frame, y, *stage, *band);
        }
        y += ROW;
    }
    for (version, band) in &timeline.overlaps {
        label(&mut svg, y, &format!("#{} and #{version} valid", version.saturating_sub(1)));
        overlap(&mut svg, timeline.frame, y, *band);
        y += ROW;
    }
    if !lanes.is_empty() {
        label(&mut svg, y, "artefacts valid");
        for lane in &lanes {
            for band in lane {
                artefact(&mut svg, timeline.frame, y, *band);
            }
            y += 14;
        }
        y += ROW - 14;
    }
    ceremonies(&mut svg, timeline, y);
    legend(&mut svg, timeline, body + 22);
    for (note, line) in timeline.notes.iter().zip(0..) {
        let _ = writeln!(
            svg,
            "<text class=\"note\" x=\"20\" y=\"{}\">{}</text>",
            body + 50 + line * 18,
            safe(note)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Text for XML. Names of lines need none of it; it costs nothing to be sure.
fn safe(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn x(frame: Band, at: Instant) -> i64 {
    LEFT + frame.place(at, WIDTH - LEFT - RIGHT)
}

fn label(svg: &mut String, y: i64, text: &str) {
    let _ = writeln!(svg, "<text x=\"20\" y=\"{}\">{}</text>", y + 18, safe(text));
}

fn grid(svg: &mut String, timeline: &Timeline, body: i64) {
    for (at, date) in ticks(timeline.frame, 7) {
        let x = x(timeline.frame, at);
        let _ = writeln!(
            svg,
            "<path d=\"M{x} 66V{body}\" stroke=\"#ddd\"/><text class=\"date\" x=\"{x}\" y=\"60\">{date}</text>"
        );
    }
    let now = x(timeline.frame, timeline.now);
    let _ = writeln!(
        svg,
        "<path d=\"M{now} 70V{body}\" stroke=\"#111\" stroke-dasharray=\"2 3\"/>\
         <text class=\"date\" x=\"{}\" y=\"80\">now</text>",
        now + 3
    );
}

/// How a stage is filled.
const fn fill(stage: Stage) -> &'static str {
    match stage {
        Stage::Active => "#1f3a5f",
        Stage::Published | Stage::Standby => "url(#hatch)",
        Stage::Retiring => "url(#dots)",
        Stage::Suspended => "url(#bars)",
        Stage::Revoked => "url(#cross)",
        Stage::Generated | Stage::Retired | Stage::Destroyed => "#fff",
    }
}

/// How the edge of a stage is drawn.
const fn dash(stage: Stage) -> &'static str {
    match stage {
        Stage::Retired => " stroke-dasharray=\"4 3\"",
        Stage::Destroyed => " stroke-dasharray=\"1 5\"",
        _ => "",
    }
}

fn stage_band(svg: &mut String, frame: Band, y: i64, stage: Stage, band: Band) {
    let (from, to) = (x(frame, band.from), x(frame, band.to));
    let width = (to - from).max(2);
    let dash = dash(stage);
    let _ = writeln!(
        svg,
        "<rect x=\"{from}\" y=\"{y}\" width=\"{width}\" height=\"24\" fill=\"{}\" stroke=\"#1f3a5f\"{dash}>\
         <title>{stage} {} to {}</title></rect>",
        fill(stage),
        band.from,
        band.to
    );
    let name = stage.name();
    let long = i64::try_from(name.len()).unwrap_or(0) * LETTER + 8;
    let shown = if long <= width { name.to_owned() } else { Timeline::letter(stage).to_string() };
    let class = if stage == Stage::Active { "white" } else { "in" };
    if width >= LETTER + 8 {
        let _ = writeln!(svg, "<text class=\"{class}\" x=\"{}\" y=\"{}\">{shown}</text>", from + 5, y + 17);
    }
}

fn overlap(svg: &mut String, frame: Band, y: i64, band: Band) {
    let (from, to, middle) = (x(frame, band.from), x(frame, band.to), y + 12);
    let _ = writeln!(
        svg,
        "<path d=\"M{from} {y}V{0}M{from} {middle}H{to}M{to} {y}V{0}\" stroke=\"#111\" stroke-width=\"2\" fill=\"none\"/>\
         <text class=\"in\" x=\"{1}\" y=\"{2}\">{3}</text>",
        y + 24,
        from + 8,
        y + 8,
        crate::base::clock::Span::of_seconds(band.to.seconds_since(band.from))
    );
}

/// So many artefacts are drawn one below the other.
const LANES_MAX: usize = 8;

/// Artefacts in lanes, so that none covers another.
fn artefact_lanes(timeline: &Timeline) -> Vec<Vec<Band>> {
    let mut lanes: Vec<Vec<Band>> = Vec::new();
    for band in &timeline.artefacts {
        let free = |lane: &Vec<Band>| lane.last().is_none_or(|last| last.to <= band.from);
        let place = lanes.iter().position(free).unwrap_or(lanes.len());
        match lanes.get_mut(place) {
            Some(lane) => lane.push(*band),
            None if place < LANES_MAX => lanes.push(vec![*band]),
            None => {}
        }
    }
    lanes
}

fn artefact(svg: &mut String, frame: Band, y: i64, band: Band) {
    let (from, to) = (x(frame, band.from), x(frame, band.to));
    let _ = writeln!(
        svg,
        "<rect x=\"{from}\" y=\"{}\" width=\"{}\" height=\"9\" fill=\"#e8edf3\" stroke=\"#55616e\"/>",
        y + 8,
        (to - from - 1).max(1)
    );
}

fn ceremonies(svg: &mut String, timeline: &Timeline, y: i64) {
    label(svg, y, "ceremonies");
    for ceremony in &timeline.ceremonies {
        let x = x(timeline.frame, ceremony.at);
        let filled = if ceremony.moves.is_empty() { "#fff" } else { "#111" };
        let _ = writeln!(
            svg,
            "<path d=\"M{x} {}l5 12h-10z\" fill=\"{filled}\" stroke=\"#111\"><title>{} {}</title></path>",
            y + 6,
            ceremony.at,
            safe(&super::timeline::said(ceremony))
        );
    }
}

fn legend(svg: &mut String, timeline: &Timeline, y: i64) {
    let mut at = 20;
    for stage in timeline.stages_shown() {
        let text = format!("{} {stage}", Timeline::letter(stage));
        let dash = dash(stage);
        let _ = writeln!(
            svg,
            "<rect x=\"{at}\" y=\"{}\" width=\"22\" height=\"13\" fill=\"{}\" stroke=\"#1f3a5f\"{dash}/>\
             <text x=\"{}\" y=\"{y}\">{text}</text>",
            y - 11,
            fill(stage),
            at + 28
        );
        at += 48 + i64::try_from(text.len()).unwrap_or(0) * LETTER;
    }
    let _ = writeln!(
        svg,
        "<path d=\"M{0} {1}l5 12h-10z\" fill=\"#111\" stroke=\"#111\"/><text x=\"{2}\" y=\"{y}\">ceremony with a move</text>",
        at + 6,
        y - 11,
        at + 18
    );
}
