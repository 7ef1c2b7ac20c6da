//! `fedroot rotate emergency`: what to do about a stolen key, in one ceremony.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::rotate::{AskedFor, Step, Subject, answers, refuse};
use super::ui::Output;
use super::{Common, USAGE, parsed};
use crate::base::clock::Instant;
use crate::base::disk::{self, Pending};
use crate::base::fault::Fault;
use crate::base::text::visible;
use crate::ceremony::{self, Moved, Moving, fresh};
use crate::custody::Catalogue;
use crate::key::{KeyId, Line};
use crate::lifecycle::{Cause, Emergency, Move, ORDER, Stage};

/// `fedroot rotate emergency`
#[derive(Args, Debug)]
pub(super) struct Theft {
    #[command(flatten)]
    step: Step,
    /// The earliest time at which somebody else may have held it
    #[arg(long, value_name = "TIME", value_parser = parsed::<Instant>)]
    since: Option<Instant>,
    /// The file for the notice that is to be published; it must not exist
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// `fedroot rotate notice`
#[derive(Args, Debug)]
pub(super) struct Notice {
    /// The key that was revoked: TENANT/ENVIRONMENT/PURPOSE#VERSION, or its line: the one that was revoked last
    #[arg(value_parser = parsed::<Subject>, value_name = "LINE[#N]")]
    subject: Subject,
    /// The file for the notice; it must not exist. It is shown, when absent
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Says what is at risk until when.
pub(super) fn at_risk(output: &mut Output, emergency: &Emergency) {
    let mut rows = Vec::new();
    for risk in &emergency.at_risk {
        let until = risk.until.to_string();
        output.line(format!(
            "at risk in {}: {} signatures, {} artefacts that list it; until {until}",
            visible(&risk.channel),
            risk.signed,
            risk.listing
        ));
        for name in risk.never.iter().take(NAMED_MAX) {
            output.row("never ends", name);
        }
        rows.push(json!({
            "channel": risk.channel, "signed": risk.signed, "listing": risk.listing, "never": risk.never,
            "until": risk.until.instant().map(|at| at.to_string()),
        }));
    }
    let breaks = emergency.breaks.iter().map(|broken| {
        json!({"channel": broken.channel, "who": broken.who, "until": broken.until.instant().map(|at| at.to_string())})
    });
    output.json.insert("breaks".into(), Value::Array(breaks.collect()));
    output.json.insert("at_risk".into(), Value::Array(rows));
}

/// Says who cannot go on until when.
fn breaks(output: &mut Output, emergency: &Emergency) {
    for broken in &emergency.breaks {
        let channel = visible(&broken.channel);
        output.line(format!("breaks in {channel} until {}: {}", broken.until, broken.who));
    }
}

/// So many names are shown of what never ends.
const NAMED_MAX: usize = 10;

impl Theft {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        let since = self.since;
        check_since(since)?;
        // Before the key is revoked: the notice has its place, and the state of affairs names the key that takes over.
        let asked = &self.step.asked;
        let place = self.output.as_ref().map(|path| fresh(path)).transpose()?.filter(|_| !asked.dry_run);
        let catalogue = common.catalogue()?;
        let vacant = self.vacant(&catalogue)?;
        let key = vacant.clone().map_or_else(|| self.stolen(&catalogue), Ok)?;
        let emergency = ceremony::emergency(&catalogue, &key, since, super::now())?;
        let notice = notice(&catalogue, &key, &emergency)?;
        let successor = emergency.successor.map(|version| key.line.version(version));
        let signs_on = emergency
            .successor
            .is_some_and(|it| catalogue.history(&key.line).is_ok_and(|all| all.active() == Some(it)));
        let named = successor.as_ref().map_or_else(|| "no key".to_owned(), ToString::to_string);
        let (mut output, moved) = match vacant {
            Some(_) => self.go_on(successor.clone(), common)?,
            None => self.step.run_with(Move::Revoke, common, |moving| Moving {
                cause: Cause::Compromised,
                since,
                emergency: true,
                successor: Some(named.clone()),
                ..moving
            })?,
        };
        at_risk(&mut output, &emergency);
        breaks(&mut output, &emergency);
        if asked.dry_run && moved.act == Move::Revoke {
            output.row("would revoke", &key.to_string());
            let label = if signs_on { "would go on" } else { "would take over" };
            output.row(label, &named);
        }
        if moved.refused.is_some() || asked.dry_run {
            return Ok(output);
        }
        match successor {
            Some(_) if moved.act == Move::Activate => {}
            Some(successor) if signs_on => {
                output.note(format!("{successor} is active and goes on signing"));
                output.json.insert("successor".into(), successor.to_string().into());
            }
            Some(successor) => {
                // the key is revoked whatever comes of this: what is at risk and the notice are told all the same
                let taken = take_over(&successor, asked, common, &mut output);
                output.refusal = taken.err().map(|fault| {
                    let hint = "the key before it is revoked: see to that, then run `fedroot rotate emergency` again";
                    fault.at(format_args!("{successor} did not take over")).hint(hint)
                });
            }
            None => output.warn(format!(
                "no standby key is there: `{}`, then run `fedroot rotate emergency` again",
                standby(&key.line)
            )),
        }
        if since.is_none() {
            output.warn("the notice believes what the key signed before now: --since says when it may have been stolen");
        }
        tell(&mut output, notice, self.output.as_deref().zip(place));
        Ok(output)
    }

    /// The key that may be stolen. Who runs this twice does not lose the key that has just taken over, and no other is there.
    fn stolen(&self, catalogue: &Catalogue) -> Result<KeyId, Fault> {
        let key = self.step.subject.key(catalogue, Move::Revoke)?;
        let history = catalogue.history(&key.line)?;
        let last = history.steps().iter().rev().find(|step| step.act == Move::Activate);
        let is_ready = |stage| matches!(stage, Stage::Standby | Stage::Published | Stage::Generated);
        let is_last = !history.keys().any(|(_, key)| is_ready(key.stage));
        let took_over = last.filter(|last| last.emergency && last.version == key.version && is_last);
        match took_over.filter(|_| matches!(self.step.subject, Subject::Line(_))) {
            Some(last) => Err(ORDER
                .fault(format!("{key} took over in the emergency of {}; nothing was moved", last.at))
                .hint(format!(
                    "name it if it is stolen, too: fedroot rotate emergency {key}; the notice of that time once more: \
                     fedroot rotate notice {}",
                    key.line
                ))),
            None => Ok(key),
        }
    }

    /// The key that is revoked already, and in whose place nobody signs: no standby key was there, or the power went.
    fn vacant(&self, catalogue: &Catalogue) -> Result<Option<KeyId>, Fault> {
        let (line, named) = self.step.subject.parts();
        let vacant = catalogue.history(line)?.vacant();
        Ok(vacant
            .filter(|vacant| named.is_none_or(|named| named == *vacant))
            .map(|version| line.version(version)))
    }

    /// The rest of an emergency whose key is revoked already.
    fn go_on(&self, successor: Option<KeyId>, common: &Common) -> Result<(Output, Moved), Fault> {
        let subject = &self.step.subject;
        let Some(successor) = successor else {
            let (line, _) = subject.parts();
            let fault = ORDER
                .fault(format!("the key of {line} is revoked, and none is there to take its place"))
                .hint(format!("make one: `{}`", standby(line)));
            let is_dry = self.step.asked.dry_run;
            return Err(if is_dry {
                fault
            } else {
                refuse(&mut common.open_vault()?, subject, Move::Activate, fault)
            });
        };
        let stage = common.catalogue()?.history(&successor.line)?.key(successor.version)?.stage;
        let act = if stage == Stage::Generated { Move::Standby } else { Move::Activate };
        let step = Step { subject: Subject::Key(successor), asked: self.step.asked.clone() };
        step.run_with(act, common, |moving| Moving { emergency: true, ..moving })
    }
}

impl Notice {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        let place = self.output.as_ref().map(|path| fresh(path)).transpose()?;
        let catalogue = common.catalogue()?;
        let key = self.revoked(&catalogue)?;
        let emergency = ceremony::emergency(&catalogue, &key, None, super::now())?;
        let mut output = Output::json(json!({"key": key.to_string()}));
        at_risk(&mut output, &emergency);
        breaks(&mut output, &emergency);
        tell(&mut output, notice(&catalogue, &key, &emergency)?, self.output.as_deref().zip(place));
        Ok(output)
    }

    /// The key that may be stolen, and is revoked for that.
    fn revoked(&self, catalogue: &Catalogue) -> Result<KeyId, Fault> {
        let (line, named) = self.subject.parts();
        let history = catalogue.history(line)?;
        if let Some(version) = named {
            history.key(version)?;
        }
        let stolen = history.keys().filter(|(version, _)| named.is_none_or(|named| named == *version));
        let stolen = stolen.filter_map(|(version, key)| Some((version, key.revoked?)));
        let stolen = stolen.filter(|(_, revoked)| revoked.cause == Cause::Compromised);
        stolen.max_by_key(|(_, revoked)| revoked.at).map(|(version, _)| line.version(version)).ok_or_else(|| {
            let none = || format!("no key of {line} is revoked");
            let what = named.map_or_else(none, |version| format!("{} is not revoked", line.version(version)));
            ORDER
                .fault(format!("{what} because it may be stolen; no notice was written"))
                .hint("`fedroot rotate emergency` revokes a key for that reason; `fedroot status LINE` tells what was moved")
        })
    }
}

fn standby(line: &Line) -> String {
    format!("fedroot rotate stage {line} --standby")
}

/// Refuses a suspicion of what is still to come.
pub(super) fn check_since(since: Option<Instant>) -> Result<(), Fault> {
    let now = super::now();
    since.filter(|since| *since > now).map_or(Ok(()), |since| {
        Err(USAGE
            .fault(format!("the key may be stolen since {since}, which is still to come; nothing was moved"))
            .hint("give the earliest time of the suspicion with --since, in UTC"))
    })
}

/// Writes the notice to its place or, where there is none or it cannot be written, shows it: the moves are made.
fn tell(output: &mut Output, notice: String, place: Option<(&Path, Pending)>) {
    let written = place.map(|(path, mut pending)| {
        let written = pending.write_all(notice.as_bytes());
        written.map_err(|e| disk::fault("write", path, &e)).and_then(|()| pending.publish()).map(|()| path)
    });
    match written {
        Some(Ok(path)) => {
            output.note(format!("the notice to publish is in {}", visible(&path.display().to_string())));
        }
        failed => {
            notice.lines().for_each(|line| output.line(visible(line).to_string()));
            let failed = failed.and_then(Result::err).map(|fault| fault.but("the notice stands above"));
            output.refusal = output.refusal.take().or(failed);
        }
    }
    output.json.insert("notice".into(), notice.into());
}

/// The notice to publish, with the fingerprints of both keys.
fn notice(catalogue: &Catalogue, key: &KeyId, emergency: &Emergency) -> Result<String, Fault> {
    let print = |version: u32| -> Result<String, Fault> {
        Ok(catalogue.record(&key.line.version(version))?.public()?.fingerprint().to_string())
    };
    let next = emergency.successor.map(print).transpose()?;
    Ok(emergency.notice(&print(key.version)?, next.as_deref()))
}

/// Lets the successor sign at once. The revocation was confirmed, and an emergency is one act.
fn take_over(key: &KeyId, asked: &AskedFor, common: &Common, output: &mut Output) -> Result<(), Fault> {
    let mut vault = common.open_vault()?;
    let is_only_made = vault.history(&key.line)?.key(key.version)?.stage == Stage::Generated;
    for act in is_only_made.then_some(Move::Standby).into_iter().chain([Move::Activate]) {
        let plain = Moving::new(key.clone(), act, asked.reason.as_deref(), &asked.with);
        let moving = Moving { emergency: true, follows: true, ..plain };
        let moved = ceremony::advance(&mut vault, &moving, &mut answers(None, common))?;
        if let Some(fault) = moved.refused {
            return Err(fault);
        }
        if let Some(entry) = moved.entry.filter(|_| act == Move::Activate) {
            output.line(format!("{key} is active"));
            output.note(format!("the ledger has that as entry {entry}; sign all documents of the line anew"));
            output.json.insert("successor".into(), key.to_string().into());
        }
    }
    Ok(())
}
