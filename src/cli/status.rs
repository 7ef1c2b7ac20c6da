//! `fedroot status`: what is due, what is missing, what ends soon. Needs no secret and touches nothing.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::key::strays;
use super::ui::Output;
use super::{Common, parsed, plan};
use crate::base::clock::{Instant, Span};
use crate::base::fault::{Class, Code, Fault};
use crate::base::text::visible;
use crate::custody::Catalogue;
use crate::key::Line;
use crate::lifecycle::{
    self, Asked, Channel, Kind as ChannelKind, Method, Move, Situation, Stage, Timeline, When, answers,
};

/// Something is due.
pub(super) const DUE: Code =
    Code::new("status.due", Class::NotYet, "something is due, missing or about to end");

/// So long before keys and certificates end somebody has to know.
const WITHIN: Span = Span::of_days(60);

/// `fedroot status`
#[derive(Args, Debug)]
pub(super) struct Status {
    /// The key line, whose life so far is drawn; all of them, when absent
    #[arg(value_parser = parsed::<Line>)]
    line: Option<Line>,
    /// Draw the life of the line so far as SVG into this file; it must not exist
    #[arg(long, value_name = "FILE", requires = "line")]
    svg: Option<PathBuf>,
    /// Warn of what ends within this time; when absent, of keys and certificates that end within 60 days, and of documents that
    /// end before what the next ceremony signs can stand in their place
    #[arg(long, value_name = "DURATION", value_parser = parsed::<Span>)]
    within: Option<Span>,
    /// End with 4 when something is due, overdue, missing or about to end
    #[arg(long)]
    exit_code: bool,
    /// Judge by this time, instead of now
    #[arg(long, value_name = "TIME", value_parser = parsed::<Instant>)]
    at: Option<Instant>,
}

/// One thing that somebody has to see to.
struct Due {
    key: String,
    what: String,
    at: Option<Instant>,
}

impl Status {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        let catalogue = common.catalogue()?;
        let now = self.at.unwrap_or_else(super::now);
        let lines = match &self.line {
            Some(line) => catalogue.check_line(line).map(|()| vec![line.clone()])?,
            None => catalogue.lines()?,
        };
        let (mut output, mut due, mut rows) = (Output::default(), Vec::new(), Vec::new());
        if let Err(fault) = catalogue.check_ledger(super::now()) {
            let way_out = fault.way_out().map_or(String::new(), |hint| format!("; {hint}"));
            due.push(Due { key: "ledger".into(), what: format!("{fault}{way_out}"), at: None });
        }
        for line in &lines {
            match self.line(&catalogue, line, now, &mut output, &mut due) {
                Ok(row) => rows.push(row),
                Err(fault) if fault.code().class == Class::Ledger => return Err(fault),
                // One line that cannot be read hides no other.
                Err(fault) => due.push(Due { key: line.to_string(), what: fault.to_string(), at: None }),
            }
        }
        for (key, fault) in catalogue.harmed(self.line.as_ref())? {
            due.push(Due { key: key.to_string(), what: fault.to_string(), at: None });
        }
        if let Some(line) = &self.line {
            self.draw(&catalogue, line, now, &mut output)?;
        }
        for intent in catalogue.journal()?.unknown() {
            output.warn(format!(
                "nobody knows what became of intent {intent} of the ledger: it may have been signed"
            ));
        }
        for item in &due {
            let at = item.at.map_or(String::new(), |at| format!(" ({at})"));
            output.line(format!("due: {}: {}{at}", item.key, item.what));
        }
        strays(&catalogue, &mut output)?;
        if lines.is_empty() {
            output.note("the vault holds no key yet: `fedroot key generate` makes one");
        } else if due.is_empty() {
            output.note(match self.within {
                Some(within) => format!("nothing is due within {within}"),
                None => "nothing is due".to_owned(),
            });
        }
        let due_json = due
            .iter()
            .map(|item| json!({"key": item.key, "what": item.what, "at": item.at.map(|at| at.to_string())}));
        output.json = Output::json(json!({
            "at": now.to_string(), "lines": rows, "due": due_json.collect::<Vec<_>>(),
        }))
        .json;
        if self.exit_code && !due.is_empty() {
            let fault = DUE.fault(match due.len() {
                1 => "one thing is due".to_owned(),
                count => format!("{count} things are due"),
            });
            output.refusal = Some(fault);
        }
        Ok(output)
    }

    /// Draws the life of a line so far.
    fn draw(
        &self,
        catalogue: &Catalogue,
        line: &Line,
        now: Instant,
        output: &mut Output,
    ) -> Result<(), Fault> {
        let timeline = Timeline::lived(line, &catalogue.history(line)?, &catalogue.signed(line)?, now);
        output.line("");
        for row in timeline.to_text().lines().skip(2) {
            output.line(visible(row).to_string());
        }
        output.line("");
        self.svg.as_ref().map_or(Ok(()), |path| plan::write(output, path, &lifecycle::picture(&timeline)))
    }

    /// Tells which kinds of documents have no valid one any more, or will have none before the next ceremony.
    fn documents(
        &self,
        catalogue: &Catalogue,
        line: &Line,
        situation: &Situation,
        now: Instant,
        due: &mut Vec<Due>,
    ) -> Result<(), Fault> {
        for ((kind, signer), end) in catalogue.newest_ends(line)? {
            // Where each key has files of its own, consumers of each want a valid one.
            let has_own = ChannelKind::of_document(&kind).method() == Method::Double;
            match signer {
                Some(version) if has_own && catalogue.signers(line, &kind, now)?.contains(&version) => {}
                None if !has_own || situation.history.active().is_none() => {}
                _ => continue,
            }
            let channel = Channel::of(&situation.channels, &kind);
            // The next ceremony has to come before that, and what it signs has to arrive.
            let needed = channel.map(|channel| &channel.timing).map(|timing| {
                Span::of_seconds(timing.period.seconds().saturating_add(timing.delay.seconds()))
            });
            let soon = now.after(self.within.or(needed).unwrap_or(WITHIN))?;
            let what = match (end <= now, ChannelKind::of_document(&kind).method()) {
                // Grants and releases end, and nobody has to renew them.
                (true, Method::OutOfBand) => continue,
                (true, _) => format!("the newest {kind} has ended"),
                (false, _) if end <= soon => format!("the newest {kind} ends"),
                (false, _) => continue,
            };
            let is_copy = signer.is_some() && signer != situation.history.active();
            let how = if is_copy { "sign with --copy" } else { "sign it anew" };
            let key = signer.map_or_else(|| line.to_string(), |version| line.version(version).to_string());
            due.push(Due { key, what: format!("{what}: {how}"), at: Some(end) });
        }
        Ok(())
    }

    /// Tells of one line.
    fn line(
        &self,
        catalogue: &Catalogue,
        line: &Line,
        now: Instant,
        output: &mut Output,
        due: &mut Vec<Due>,
    ) -> Result<Value, Fault> {
        let situation = catalogue.situation(line)?;
        let soon = now.after(self.within.unwrap_or(WITHIN))?;
        self.documents(catalogue, line, &situation, now, due)?;
        let mut keys = Vec::new();
        output.line(line.to_string());
        if situation.history.active().is_none() {
            due.push(Due { key: line.to_string(), what: "no key is active".into(), at: None });
        }
        for (version, key) in situation.history.keys() {
            let name = line.version(version).to_string();
            let mut channels = Vec::new();
            for channel in situation.everywhere(version, now) {
                let seen = situation.visibility(channel, version, now)?;
                let signed = situation.inventory.signed(&channel.name, version);
                let listing = situation.inventory.listing(&channel.name, version);
                let outstanding = signed.map_or(0, |signed| signed.count(now))
                    + listing.map_or(0, |listing| listing.count(now));
                let end = situation.inventory.end(&channel.name, version);
                let until = end.map_or_else(|| "-".to_owned(), |end| end.to_string());
                output.row(
                    &format!("#{version} {}", key.stage),
                    &format!("{}: {seen}; {outstanding} outstanding, until {until}", channel.name),
                );
                channels.push(json!({
                    "channel": channel.name, "visibility": seen.name(), "outstanding": outstanding,
                    "until": end.and_then(When::instant).map(|at| at.to_string()),
                    "never_ends": end == Some(When::Never),
                }));
            }
            let in_use = matches!(key.stage, Stage::Active | Stage::Published | Stage::Standby);
            if let Some(end) = situation.ends.get(&version).filter(|end| in_use && **end <= soon) {
                due.push(Due { key: name.clone(), what: "its certificate ends".into(), at: Some(*end) });
            }
            let waiting = next(&situation, version, key.stage, now, &name, due);
            keys.push(json!({
                "key": name, "stage": key.stage.name(), "since": key.since.to_string(), "channels": channels, "next": waiting,
            }));
        }
        Ok(json!({"line": line.to_string(), "keys": keys}))
    }
}

/// What a key waits for.
fn next(
    situation: &Situation,
    version: u32,
    stage: Stage,
    now: Instant,
    name: &str,
    due: &mut Vec<Due>,
) -> Value {
    let act = match stage {
        Stage::Generated => Move::Publish,
        Stage::Published => Move::Activate,
        Stage::Retiring => Move::Retire,
        _ => return Value::Null,
    };
    let asked = Asked { reason: Some("status"), persons: situation.quorum, emergency: false };
    let given = answers(situation, act, version, now, asked);
    if given.are_yes() {
        due.push(Due { key: name.to_owned(), what: format!("it is time to {act} it"), at: None });
    } else if !given.safety.yes {
        due.push(Due { key: name.to_owned(), what: given.safety.reason.clone(), at: None });
    }
    json!({
        "act": act.name(),
        "policy": given.policy.yes,
        "safety": given.safety.yes,
        "time": given.time.yes,
        "reason": if given.safety.yes { given.time.reason } else { given.safety.reason },
        "not_before": given.time.not_before.map(|at| at.to_string()),
    })
}
