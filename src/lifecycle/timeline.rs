//! The timeline of a key line: stages, overlaps, artefacts and ceremonies as plain data, and as text for a terminal, readable
//! without colour.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::plan::{Ceremony, Held, Plan};
use super::{History, Move, Stage, When};
use crate::base::clock::{Instant, Span};
use crate::base::text::counted;
use crate::key::Line;

/// A stretch of time, half-open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Band {
    /// Its first second.
    pub from: Instant,
    /// The first second after it.
    pub to: Instant,
}

impl Band {
    /// The part of it that lies within another band.
    fn within(self, frame: Self) -> Option<Self> {
        let band = Self { from: self.from.max(frame.from), to: self.to.min(frame.to) };
        (band.from < band.to).then_some(band)
    }

    fn holds(self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }

    /// Where an instant lies in this band, from 0 to `width`.
    pub(super) fn place(self, at: Instant, width: i64) -> i64 {
        let whole = self.to.seconds_since(self.from).max(1);
        let part = i128::from(at.seconds_since(self.from)) * i128::from(width) / i128::from(whole);
        i64::try_from(part).unwrap_or(width).clamp(0, width)
    }
}

/// What there is to draw.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The key line.
    pub title: String,
    /// What is shown.
    pub frame: Band,
    /// The time that divides what was from what is planned.
    pub now: Instant,
    /// For every key, its stages.
    pub keys: Vec<(u32, Vec<(Stage, Band)>)>,
    /// When a key and the one before it were valid side by side: the version of the new one.
    pub overlaps: Vec<(u32, Band)>,
    /// The artefacts of the plan, from signature to end.
    pub artefacts: Vec<Band>,
    /// The ceremonies of the plan.
    pub ceremonies: Vec<Ceremony>,
    /// What the channels allow, a sentence each.
    pub notes: Vec<String>,
}

impl Timeline {
    /// The timeline of a plan, with as much of the past as a quarter of what lies ahead. `signed`: when artefacts were signed
    /// so far, and when they end.
    pub fn of(plan: &Plan, signed: &[(Instant, When)]) -> Self {
        let past = Span::of_seconds(plan.until.seconds_since(plan.from) / 4);
        let earliest = plan.from.after(Span::of_seconds(-past.seconds())).unwrap_or(plan.from);
        let first = plan.history.steps().first().map_or(plan.from, |step| step.at);
        let frame = Band { from: first.clamp(earliest, plan.from), to: plan.until };
        let ahead = plan.ceremonies.iter().flat_map(|ceremony| {
            let end = plan.validity.map(|validity| When::At(ceremony.at).later(validity));
            let end = end.filter(|end| *end != When::Never);
            std::iter::repeat_n(end.map(|end| (ceremony.at, end)), ceremony.signed).flatten()
        });
        let all: Vec<_> = signed.iter().copied().filter(|(at, _)| *at < plan.from).chain(ahead).collect();
        Self {
            title: plan.line.to_string(),
            frame,
            now: plan.from,
            keys: stages(&plan.history, frame),
            overlaps: overlaps(&plan.history, frame),
            artefacts: valid(&all, frame),
            ceremonies: plan.ceremonies.clone(),
            notes: notes(plan),
        }
    }

    /// The life of a line so far, and what is valid beyond now.
    pub fn lived(line: &Line, history: &History, signed: &[(Instant, When)], now: Instant) -> Self {
        let mut ceremonies: BTreeMap<Instant, Ceremony> = BTreeMap::new();
        let held = |at: Instant| Ceremony { at, moves: vec![], signed: 0 };
        for step in history.steps() {
            let moves = &mut ceremonies.entry(step.at).or_insert_with(|| held(step.at)).moves;
            moves.push((step.act, step.version, None));
        }
        for (at, _) in signed {
            ceremonies.entry(*at).or_insert_with(|| held(*at)).signed += 1;
        }
        let first = ceremonies.keys().next().copied().unwrap_or(now).min(now);
        let next = now.after(Span::of_seconds(1)).unwrap_or(now);
        let ends = signed.iter().filter_map(|(_, end)| end.instant());
        let frame = Band { from: first, to: ends.max().unwrap_or(next).max(next) };
        let past = Band { from: first, to: next };
        let end = signed.iter().map(|(_, end)| *end).max().filter(|end| !end.has_come(now));
        let note = end.map(|end| format!("the last of what is signed ends: {end}"));
        Self {
            title: line.to_string(),
            frame,
            now,
            keys: stages(history, past),
            overlaps: overlaps(history, past),
            artefacts: valid(signed, frame),
            ceremonies: ceremonies.into_values().collect(),
            notes: note.into_iter().collect(),
        }
    }

    /// The letter that stands for a stage.
    pub(super) const fn letter(stage: Stage) -> char {
        match stage {
            Stage::Generated => 'g',
            Stage::Standby => 'b',
            Stage::Published => 'p',
            Stage::Active => 'A',
            Stage::Retiring => 'r',
            Stage::Retired => '-',
            Stage::Destroyed => 'x',
            Stage::Suspended => 's',
            Stage::Revoked => 'R',
        }
    }

    /// The stages that occur, in the order of life.
    pub(super) fn stages_shown(&self) -> Vec<Stage> {
        let shown =
            |stage: &Stage| self.keys.iter().flat_map(|(_, bands)| bands).any(|(shown, _)| shown == stage);
        Stage::ALL.into_iter().filter(shown).collect()
    }

    /// For a terminal of 80 columns: no colour, ASCII.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n\n{}\n", self.title, self.chart());
        for note in &self.notes {
            let _ = writeln!(text, "{}", note.replace("; ", "\n  "));
        }
        text.push('\n');
        for ceremony in self.ceremonies.iter().filter(|ceremony| !ceremony.moves.is_empty()) {
            text.push_str(&wrapped(&ceremony.at.to_string(), &said(ceremony)));
        }
        text
    }

    /// The same without what is said of it: one row for each key, overlap and so on, and a legend.
    pub fn chart(&self) -> String {
        let mut text = String::new();
        put(&mut text, "", &axis(self.frame));
        put(&mut text, "now", &cells(self.frame, |cell| cell.holds(self.now).then_some('|')));
        for (version, bands) in &self.keys {
            put(&mut text, &format!("#{version}"), &cells(self.frame, |cell| letter_of(bands, cell)));
        }
        for (version, band) in &self.overlaps {
            let name = format!("#{} and #{version}", version.saturating_sub(1));
            put(&mut text, &name, &cells(self.frame, |cell| cell.within(*band).map(|_| '=')));
        }
        if !self.artefacts.is_empty() {
            put(&mut text, "valid artefacts", &cells(self.frame, |cell| self.count_at(cell.from)));
        }
        let held = |cell: Band| self.ceremonies.iter().any(|ceremony| cell.holds(ceremony.at));
        put(&mut text, "ceremonies", &cells(self.frame, |cell| held(cell).then_some('^')));
        let legend: Vec<_> =
            self.stages_shown().iter().map(|stage| format!("{} {stage}", Self::letter(*stage))).collect();
        let both = if self.overlaps.is_empty() { "" } else { ", = both valid" };
        let _ = write!(text, "\n{}{both}\n", legend.join(", "));
        text
    }

    fn count_at(&self, at: Instant) -> Option<char> {
        let count = self.artefacts.iter().filter(|band| band.holds(at)).count();
        let digit = u32::try_from(count.min(9)).ok().and_then(|count| char::from_digit(count, 10));
        digit.filter(|_| count > 0)
    }
}

/// What happens at a ceremony, in words.
pub(super) fn said(ceremony: &Ceremony) -> String {
    let acts = ceremony.moves.iter().map(|(act, version, waited)| {
        let waited = waited.map_or_else(String::new, |at| format!(" (not before {at})"));
        format!("{act} #{version}{waited}")
    });
    let signed = (ceremony.signed > 0).then(|| format!("sign {}", ceremony.signed));
    acts.chain(signed).collect::<Vec<_>>().join(", ")
}

/// A row of 80 columns, and more of them where that is not enough.
fn wrapped(name: &str, said: &str) -> String {
    let mut text = format!("{name} ");
    let mut width = text.len();
    for part in said.split_inclusive(", ") {
        if width + 1 + part.trim_end().len() > WIDTH {
            text.truncate(text.trim_end().len());
            let _ = write!(text, "\n{:<width$}", "", width = name.len() + 1);
            width = name.len() + 1;
        }
        let part = part.trim_end();
        let _ = write!(text, " {part}");
        width += 1 + part.len();
    }
    text.push('\n');
    text
}

/// From when to when artefacts are valid, within the frame.
fn valid(signed: &[(Instant, When)], frame: Band) -> Vec<Band> {
    let band = |(from, end): &(Instant, When)| {
        Band { from: *from, to: end.instant().unwrap_or(frame.to) }.within(frame)
    };
    signed.iter().filter_map(band).collect()
}

/// The stages of every key within the frame. A stage lasts until the next one starts; the last goes on.
fn stages(history: &History, frame: Band) -> Vec<(u32, Vec<(Stage, Band)>)> {
    let mut replayed = History::default();
    let mut changes: Vec<(u32, Stage, Instant)> = Vec::new();
    for step in history.steps() {
        if replayed.apply(step.clone()).is_err() {
            break;
        }
        for (version, key) in replayed.keys() {
            let last = changes.iter().rev().find(|(of, ..)| *of == version);
            if last.is_none_or(|(_, stage, _)| *stage != key.stage) {
                changes.push((version, key.stage, step.at));
            }
        }
    }
    let bands = |version: u32| {
        let mut own = changes.iter().filter(move |(of, ..)| *of == version).peekable();
        let mut bands = Vec::new();
        while let Some((_, stage, from)) = own.next() {
            let to = own.peek().map_or(frame.to, |(.., next)| *next);
            bands.extend(Band { from: *from, to }.within(frame).map(|band| (*stage, band)));
        }
        bands
    };
    let all = history.keys().map(|(version, _)| (version, bands(version)));
    all.filter(|(_, bands)| !bands.is_empty()).collect()
}

/// From the publication of a key until the retirement of the one before it.
fn overlaps(history: &History, frame: Band) -> Vec<(u32, Band)> {
    let when = |act: Move, version: u32| {
        let found = history.steps().iter().find(|step| step.act == act && step.version == version);
        found.map(|step| step.at)
    };
    let overlap = |version: u32| {
        let ends = [Move::Retire, Move::Revoke].map(|act| when(act, version.saturating_sub(1)));
        let to = ends.into_iter().flatten().min().unwrap_or(frame.to);
        Band { from: when(Move::Publish, version)?, to }.within(frame)
    };
    history.keys().filter_map(|(version, _)| Some((version, overlap(version)?))).collect()
}

fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, cadence) in &plan.cadences {
        let slack = cadence.slack.map_or("nothing expires".to_owned(), |slack| {
            let missed = if cadence.survives_missed { "one may be missed" } else { "none may be missed" };
            format!("a ceremony may be {slack} late, {missed}")
        });
        notes.push(format!(
            "{name}: {slack}; caches turn over in {}; a stolen key does harm for up to {}",
            cadence.cache_bound, cadence.exposure
        ));
    }
    for Held { version, channel, documents, until, .. } in &plan.held {
        let documents = counted(*documents, "document", "documents");
        let until = until
            .instant()
            .map_or("one of which never ends".to_owned(), |end| format!("the last until {end}"));
        notes.push(format!(
            "{channel}: #{version} retires after what it signed has ended: {documents}, {until}"
        ));
    }
    if plan.is_unfinished() {
        notes.push("the plan ends before the rotation does: plan for longer".to_owned());
    }
    notes
}

/// Columns of a row: its name, and the time.
const LABEL: usize = 18;
const COLUMNS: i64 = 62;
const WIDTH: usize = 80;

fn put(text: &mut String, name: &str, row: &str) {
    let _ = writeln!(text, "{}", format!("{name:<LABEL$}{row}").trim_end());
}

/// One character for every column of the frame.
fn cells(frame: Band, mut of: impl FnMut(Band) -> Option<char>) -> String {
    let edge = |column: i64| {
        let whole = i128::from(frame.to.seconds_since(frame.from));
        let part = i64::try_from(whole * i128::from(column) / i128::from(COLUMNS)).unwrap_or(0);
        frame.from.after(Span::of_seconds(part)).unwrap_or(frame.to)
    };
    (0..COLUMNS).map(|column| of(Band { from: edge(column), to: edge(column + 1) }).unwrap_or(' ')).collect()
}

/// The letter of the last stage that begins in, or holds, a column.
fn letter_of(bands: &[(Stage, Band)], cell: Band) -> Option<char> {
    let shown = bands.iter().rev().find(|(_, band)| band.within(cell).is_some());
    shown.map(|(stage, _)| Timeline::letter(*stage))
}

/// Dates above the columns where they begin.
fn axis(frame: Band) -> String {
    let mut row = String::new();
    for (at, label) in ticks(frame, 5) {
        let column = usize::try_from(frame.place(at, COLUMNS)).unwrap_or(0);
        row.push_str(&" ".repeat(column.saturating_sub(row.len())));
        row.push('|');
        row.push_str(&label);
    }
    row
}

/// So many instants, evenly spread over the frame, with their dates: at full days where a day fits between them; otherwise the
/// time of day stands for a date that is there already.
pub(super) fn ticks(frame: Band, count: i64) -> Vec<(Instant, String)> {
    let day = 86_400;
    let step = frame.to.seconds_since(frame.from) / count.max(1);
    let place = |number: i64| {
        let at = frame.from.unix().saturating_add(step.saturating_mul(number));
        let rounded = if step > day && number > 0 { at - at.rem_euclid(day) } else { at };
        Instant::from_unix(rounded).ok()
    };
    let mut ticks: Vec<(Instant, String)> = Vec::new();
    let mut before = String::new();
    for at in (0..count).filter_map(place) {
        let text = at.to_string();
        let (date, time) = text.trim_end_matches('Z').split_once('T').unwrap_or((&text, ""));
        if ticks.last().is_none_or(|(last, _)| *last != at) {
            let label = if date == before { time } else { date };
            ticks.push((at, label.to_owned()));
        }
        date.clone_into(&mut before);
    }
    ticks
}
