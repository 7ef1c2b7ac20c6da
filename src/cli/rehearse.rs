//! `fedroot rotate rehearse`: the plan of a line, held with throw-away keys and real documents. Touches no vault.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::Args;

use super::progress::Progress;
use super::sign::check_outside;
use super::signals::interrupts;
use super::ui::Output;
use super::{Common, INTERRUPTED, algorithms, operator, parsed};
use crate::artefact::{Kind, kind};
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::base::text::visible;
use crate::ceremony::{self, Held, REJECTED, Rehearsed, Rehearsing};
use crate::custody::{Catalogue, Record};
use crate::key::{Line, algorithm};
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
    /// The algorithm of the throw-away keys; that of the line's key, when absent
    #[arg(long, value_parser = algorithms())]
    algorithm: Option<String>,
    /// Keep what was published, by ceremony, with the public keys that consumers trust then and `steps.json`; the folder must
    /// not exist
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Rehearse {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        let catalogue = common.catalogue()?;
        let record = catalogue.signing_record(&self.line)?;
        let name = match &self.algorithm {
            Some(name) => name.clone(),
            None => record.public()?.algorithm().name().to_owned(),
        };
        if let Some(output) = &self.output {
            check_outside(output, common)?;
        }
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
            _ if others.is_empty() => Ok(None),
            Some(line) => Ok(Some((line.clone(), catalogue.profile_text(line)?))),
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
            output.note(format!("not as planned: {difference}"));
        }
        let (number, count) = (rehearsed.consumers.len(), rehearsed.rejections.len());
        let consumers = if number == 1 { "1 consumer".to_owned() } else { format!("{number} consumers") };
        output.line("");
        if count == 0 {
            output.line(format!("{consumers} would have rejected nothing"));
        } else {
            for rejection in rehearsed.rejections.iter().take(SHOWN_MAX) {
                let file = rejection.file.as_deref().unwrap_or("no file");
                output.line(format!("rejected {}  {file}", rejection.at));
                output.line(format!("  {}", visible(&rejection.why)));
                output.line(format!("  by {}", rejection.who));
            }
            if count > SHOWN_MAX {
                output.line(format!("and {} more: --json has all of them", count - SHOWN_MAX));
            }
            if let Some(folder) = &self.output {
                output.line(format!("what was published is in {}", visible(&folder.display().to_string())));
            }
            let what = format!("{count} times one of {consumers} would have rejected what is published");
            output.refusal = Some(REJECTED.fault(what).hint(
                "look at the times of the channel in the profile: validity, period, delay, distribution, notice",
            ));
        }
        if rehearsed.keys.len() == 1 {
            output.note("no key was rotated: rehearse further with --to");
        } else if rehearsed.is_unfinished() {
            output.note("a key is still on its way when the rehearsal ends: rehearse further with --to");
        }
        if let Some(folder) = &self.output {
            output.note(format!("written: {}", visible(&folder.display().to_string())));
        }
        output
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
