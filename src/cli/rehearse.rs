//! `fedroot rotate rehearse`: the plan of a line, held with throw-away keys and real documents. Touches no vault.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::{Args, ValueEnum};

use super::progress::Progress;
use super::signals::interrupts;
use super::ui::Output;
use super::{Common, INTERRUPTED, algorithms, operator, parsed};
use crate::artefact::{Kind, kind};
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::base::text::visible;
use crate::ceremony::{self, Exposure, Held, Incident, REJECTED, Rehearsed, Rehearsing, Rejection, Standby};
use crate::custody::{Catalogue, Record};
use crate::key::{Line, algorithm};
use crate::lifecycle::When;
use crate::policy::Profile;

/// So many rejections are shown.
const SHOWN_MAX: usize = 10;

/// `fedroot rotate rehearse`
#[derive(Args, Debug)]
pub(super) struct Rehearse {
    /// The key line
    #[arg(value_parser = parsed::<Line>)]
    line: Line,
    /// The time of the first ceremony
    #[arg(long, value_name = "TIME", value_parser = parsed::<Instant>)]
    from: Instant,
    /// The end of the rehearsal
    #[arg(long, value_name = "TIME", value_parser = parsed::<Instant>)]
    to: Instant,
    /// A document that is signed at each ceremony, as `fedroot sign KIND FILE` takes it (can be repeated)
    #[arg(long = "document", num_args = 2, value_names = ["KIND", "FILE"])]
    documents: Vec<PathBuf>,
    /// The line that signs documents of kinds that the rehearsed line does not sign, and that carry its keys: its profile holds
    /// for them. Without one, built-in defaults do, with the validity and cache duration of the channel
    #[arg(long, value_name = "LINE", value_parser = parsed::<Line>)]
    signer: Option<Line>,
    /// Keep another key for an emergency: hidden until it takes over, or published as soon as that is allowed
    #[arg(long, value_name = "HOW")]
    standby: Option<Kept>,
    /// The active key is stolen then; the standby key takes its place at once, or one that is made only now
    #[arg(long, value_name = "TIME", value_parser = parsed::<Instant>)]
    emergency: Option<Instant>,
    /// The algorithm of the throw-away keys; that of the line's key, when absent
    #[arg(long, value_parser = algorithms())]
    algorithm: Option<String>,
    /// Keep what was published, by ceremony, with the public keys that consumers trust then and `steps.json`; the folder must
    /// not exist
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// How a standby key is kept.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kept {
    /// Nobody knows it before it takes over
    Hidden,
    /// Documents list it, or people carry it
    Published,
}

impl Rehearse {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        let catalogue = common.catalogue()?;
        let record = catalogue.signing_record(&self.line)?;
        let name = match &self.algorithm {
            Some(name) => name.clone(),
            None => record.public()?.algorithm().name().to_owned(),
        };
        let interrupted = interrupts()?;
        let go_on = || {
            let stop = interrupted.load(Ordering::Relaxed);
            let fault = stop.then(|| INTERRUPTED.fault("interrupted; no file is left of the rehearsal"));
            fault.map_or(Ok(()), Err)
        };
        let profile_text = catalogue.profile_text(&self.line)?;
        let documents = self.documents()?;
        let signer = self.signer(&catalogue, &profile_text, &documents)?;
        let own = catalogue.records(&self.line)?.iter().map(Record::public).collect::<Result<Vec<_>, _>>()?;
        let progress = Progress::working("rehearsing");
        let rehearsed = ceremony::rehearse(&Rehearsing {
            line: &self.line,
            profile_text: &profile_text,
            algorithm: algorithm(&name)?,
            from: self.from,
            to: self.to,
            documents: &documents,
            own: &own,
            standby: self.standby.map(|kept| match kept {
                Kept::Hidden => Standby::Hidden,
                Kept::Published => Standby::Published,
            }),
            emergency: self.emergency,
            signer: signer.as_ref().map(|(line, profile)| (line, profile.as_str())),
            operator: operator(),
            scratch: &std::env::temp_dir(),
            output: self.output.as_deref(),
            go_on: &go_on,
        });
        drop(progress);
        Ok(self.told(&rehearsed?))
    }

    fn documents(&self) -> Result<Vec<(&'static dyn Kind, PathBuf)>, Fault> {
        let pair = |pair: &[PathBuf]| match pair {
            [name, path] => Ok((kind(&name.to_string_lossy())?, path.clone())),
            _ => Err(super::USAGE.fault("--document takes a kind and a file")),
        };
        self.documents.chunks(2).map(pair).collect()
    }

    /// Who signs the documents that the line does not sign, where there are some, and the profile for them.
    fn signer(
        &self,
        catalogue: &Catalogue,
        profile_text: &str,
        documents: &[(&'static dyn Kind, PathBuf)],
    ) -> Result<Option<(Line, String)>, Fault> {
        let own = Profile::parse(profile_text)
            .map_err(|fault| fault.at(format_args!("the profile of {}", self.line)))?;
        let others = documents
            .iter()
            .map(|(kind, _)| kind.name())
            .filter(|name| !own.kinds.iter().any(|own| own == name));
        let others: BTreeSet<&str> = others.collect();
        match &self.signer {
            Some(line) if others.is_empty() || *line == self.line => Err(super::USAGE
                .fault(format!("--signer {line} has nothing to sign"))
                .hint("it signs documents of kinds that the rehearsed line does not sign; leave it out")),
            _ if others.is_empty() => Ok(None),
            Some(line) => {
                catalogue.records(line)?;
                Ok(Some((line.clone(), catalogue.profile_text(line)?)))
            }
            None => {
                let kinds: Vec<&str> = others.into_iter().collect();
                ceremony::stand_in(&self.line, &own, &kinds).map(Some)
            }
        }
    }

    fn told(&self, rehearsed: &Rehearsed) -> Output {
        let mut output = Output::json(rehearsed.to_json());
        output.line(format!("{}: rehearsed with throw-away keys", visible(&self.line.to_string())));
        for held in &rehearsed.ceremonies {
            ceremony(&mut output, held);
        }
        output.line(format!("\n{}", rehearsed.timeline.chart().trim_end()));
        for difference in rehearsed.differences() {
            output.warn(format!("not as planned: {difference}"));
        }
        if let Some(incident) = &rehearsed.incident {
            emergency(&mut output, incident, self.to);
        }
        let (number, count) = (rehearsed.consumers.len(), rehearsed.rejections.len());
        let consumers = if number == 1 { "1 consumer".to_owned() } else { format!("{number} consumers") };
        output.line("");
        if count == 0 {
            let beyond = if rehearsed.incident.is_some() { " beyond that" } else { "" };
            output.line(format!("{consumers} would have rejected nothing{beyond}"));
        } else {
            rejected(&mut output, "rejected", &rehearsed.rejections);
            if let Some(folder) = &self.output {
                output.line(format!("what was published is in {}", visible(&folder.display().to_string())));
            }
            let what = format!("{count} times one of {consumers} would have rejected what is published");
            output.refusal = Some(REJECTED.fault(what).hint(
                "look at the times of the channel in the profile: validity, period, delay, distribution, notice",
            ));
        }
        if rehearsed.keys.len() == 1 {
            output.warn("no key was rotated: rehearse further with --to");
        } else if rehearsed.is_unfinished() {
            output.warn("a key is still on its way when the rehearsal ends: rehearse further with --to");
        }
        if let Some(folder) = &self.output {
            output.note(format!("written: {}", visible(&folder.display().to_string())));
        }
        output
    }
}

/// What could not be accepted: of what one consumer did not for one reason, the first and how many more.
fn rejected(output: &mut Output, word: &str, rejections: &[Rejection]) {
    let mut groups: Vec<Vec<&Rejection>> = Vec::new();
    for rejection in rejections {
        let is_same = |it: &&mut Vec<&Rejection>| {
            it.last().is_some_and(|last| (&last.who, &last.why) == (&rejection.who, &rejection.why))
        };
        match groups.last_mut().filter(is_same) {
            Some(group) => group.push(rejection),
            None => groups.push(vec![rejection]),
        }
    }
    for group in groups.iter().take(SHOWN_MAX) {
        let [Rejection { at, who, file, why, .. }, rest @ ..] = group.as_slice() else { continue };
        let until = group.iter().map(|it| it.until).max().unwrap_or(*at);
        let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        output.line(format!("{word} {at} until {until}: {}{more}", file.as_deref().unwrap_or("no file")));
        output.line(format!("  {}", visible(why)));
        output.line(format!("  by {who}"));
    }
    if let Some(more) = groups.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
        output.line(format!("and {more} more: --json has all of them"));
    }
}

/// What an emergency costs, channel by channel; `end`: that of the rehearsal.
fn emergency(output: &mut Output, incident: &Incident, end: Instant) {
    let Incident { at, revoked, successor, exposures } = incident;
    let foretold_until = |when: &When| match when {
        When::At(at) => at.to_string(),
        When::Never => "people act".to_owned(),
    };
    output.line(format!("\nemergency {at}: #{revoked} is revoked, #{successor} takes its place"));
    for Exposure { channel, trusted_until, foretold, breaks, cut_off } in exposures {
        let (channel, foretold) = (visible(channel), foretold_until(foretold));
        match trusted_until {
            Some(until) => {
                let more = if *until == end { " and longer" } else { "" };
                output.line(format!("{channel}: somebody trusts #{revoked} until {until}{more}"));
                output.line(format!("  foretold until {foretold}"));
            }
            None => output.line(format!("{channel}: nobody trusts #{revoked} any longer")),
        }
        match breaks {
            Some((who, until)) => {
                output.line(format!("{channel}: cut off are {who}"));
                output.line(format!("  foretold until {}", foretold_until(until)));
            }
            None => output.line(format!("{channel}: everybody knows #{successor}")),
        }
        rejected(output, "cut off", cut_off);
    }
}

/// What happened at a ceremony: moves, signatures, and what consumers trust when these have appeared.
fn ceremony(output: &mut Output, held: &Held) {
    let mut rows = Vec::new();
    for (act, version, waited) in &held.moves {
        let waited = waited.map_or_else(String::new, |at| format!(" (not before {at})"));
        rows.push(format!("{act} #{version}{waited}"));
    }
    for artefact in &held.artefacts {
        let name = artefact.file.split('/').nth(2).unwrap_or(artefact.kind);
        let until = artefact.verified.valid_until.map_or_else(String::new, |end| format!(" until {end}"));
        let by = artefact.by.map_or_else(|| "another line".to_owned(), |by| format!("#{by}"));
        let mut lists: Vec<String> = artefact.lists.values().map(names).collect();
        lists.dedup();
        let lists = if lists.is_empty() { String::new() } else { format!(", lists {}", lists.join(" and ")) };
        rows.push(format!("{by} signs {name}{until}{lists}"));
    }
    rows.push(format!("trusted then: {}", names(&held.trusted)));
    for (number, row) in rows.iter().enumerate() {
        let at = if number == 0 { held.at.to_string() } else { String::new() };
        output.line(format!("{at:<20}  {row}"));
    }
}

fn names(versions: &BTreeSet<u32>) -> String {
    versions.iter().map(|version| format!("#{version}")).collect::<Vec<_>>().join(" ")
}
