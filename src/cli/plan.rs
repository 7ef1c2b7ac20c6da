//! `fedroot rotate plan`: the schedule of a rotation, as text, picture, calendar or JSON. Touches nothing.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::ui::Output;
use super::{Common, USAGE, parsed};
use crate::base::clock::{Instant, Span};
use crate::base::disk;
use crate::base::fault::Fault;
use crate::base::text::visible;
use crate::key::Line;
use crate::lifecycle::{self, History, Timeline};
use crate::policy::Profile;

/// How far a plan looks, where nothing is said.
const AHEAD: Span = Span::of_days(182);

/// `fedroot rotate plan`
#[derive(Args, Debug)]
pub(super) struct Plan {
    /// The key line
    #[arg(value_parser = parsed::<Line>)]
    line: Line,
    /// Plan until this time; half a year, when absent
    #[arg(long, value_name = "TIME", value_parser = parsed::<Instant>)]
    until: Option<Instant>,
    /// Plan from this time on, instead of now
    #[arg(long, value_name = "TIME", value_parser = parsed::<Instant>)]
    at: Option<Instant>,
    /// Write the ceremonies as a calendar into this file; it must not exist
    #[arg(long, value_name = "FILE")]
    ical: Option<PathBuf>,
    /// Draw the plan as SVG into this file; it must not exist
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

impl Plan {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        let catalogue = common.catalogue()?;
        catalogue.records(&self.line)?;
        let from = self.at.unwrap_or_else(super::now);
        let until = self.until.map_or_else(|| from.after(AHEAD), Ok)?;
        let situation = catalogue.situation(&self.line)?;
        check_period(from, until, &situation.history)?;
        let lifetime = Profile::parse(&catalogue.profile_text(&self.line)?)?.rotation.lifetime;
        let plan = lifecycle::plan(&self.line, &situation, from, until, lifetime)?;
        let timeline = Timeline::of(&plan, &catalogue.signed(&self.line)?);
        let mut output = Output::json(json!({
            "line": self.line.to_string(),
            "from": from.to_string(),
            "until": until.to_string(),
            "unfinished": plan.is_unfinished(),
            "held": plan.held.iter().map(|held| json!({
                "key": self.line.version(held.version).to_string(),
                "channel": held.channel,
                "documents": held.documents,
                "until": held.until.instant().map(|until| until.to_string()),
                "never": held.never,
            })).collect::<Vec<_>>(),
            "channels": plan.cadences.iter().map(|(name, cadence)| json!({
                "channel": name,
                "cache_bound": cadence.cache_bound.to_string(),
                "slack": cadence.slack.map(|slack| slack.to_string()),
                "survives_missed": cadence.survives_missed,
                "exposure": cadence.exposure.to_string(),
            })).collect::<Vec<_>>(),
            "ceremonies": plan.ceremonies.iter().map(|ceremony| json!({
                "at": ceremony.at.to_string(),
                "moves": ceremony.moves.iter().map(|(act, version, waited)| json!({
                    "act": act.name(), "key": self.line.version(*version).to_string(),
                    "not_before": waited.map(|at| at.to_string()),
                })).collect::<Vec<_>>(),
                "signed": ceremony.signed,
            })).collect::<Vec<_>>(),
        }));
        for line in timeline.to_text().lines() {
            output.line(visible(line).to_string());
        }
        if let Some(path) = &self.ical {
            write(&mut output, path, &lifecycle::calendar(&plan))?;
        }
        if let Some(path) = &self.svg {
            write(&mut output, path, &lifecycle::picture(&timeline))?;
        }
        if plan.is_unfinished() {
            output.warn("a key is still on its way when the plan ends: plan further with --until");
        }
        Ok(output)
    }
}

/// Refuses a plan of no time, and one that begins before what has happened.
fn check_period(from: Instant, until: Instant, history: &History) -> Result<(), Fault> {
    if until <= from {
        return Err(USAGE
            .fault(format!("the plan would end at {until}, and begins at {from}"))
            .hint("plan until a later time with --until"));
    }
    match history.steps().last().filter(|last| from < last.at) {
        Some(last) => Err(USAGE
            .fault(format!("the plan would begin at {from}, and #{} has moved at {}", last.version, last.at))
            .hint("plan from a later time with --at")),
        None => Ok(()),
    }
}

/// Writes a picture or a calendar.
pub(super) fn write(output: &mut Output, path: &Path, text: &str) -> Result<(), Fault> {
    disk::create(path, text.as_bytes())?;
    output.note(format!("written: {}", visible(&path.display().to_string())));
    Ok(())
}
