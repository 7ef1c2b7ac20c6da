//! `fedroot ledger show`: the entries, read with an auditor's identity.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::base::text::{counted, visible};
use crate::ceremony::{self, Body, Entry, EntryKind, Summary};
use crate::cli::ui::Output;
use crate::cli::{Common, parsed, prompt};
use crate::key::Line;
use crate::ledger::SEALED;

/// `fedroot ledger show`
#[derive(Args, Debug)]
pub(in crate::cli) struct Show {
    /// The auditor's age identity file, which only its owner may read
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    /// Only the entries about this key line
    #[arg(long = "key", value_name = "LINE", value_parser = parsed::<Line>)]
    line: Option<Line>,
    /// Only the entries that claim this time or a later one
    #[arg(long, value_name = "TIME", value_parser = parsed::<Instant>)]
    since: Option<Instant>,
    /// Only the entries of this kind (can be repeated)
    #[arg(long = "kind", value_name = "KIND", value_parser = kinds())]
    kinds: Vec<String>,
    /// Sessions that were rewrapped for this identity
    #[arg(long, value_name = "FILE")]
    rewrapped: Option<PathBuf>,
    /// A copy of the ledger, or the folder of its mirror, instead of the one in the vault: needs no vault
    #[arg(long, value_name = "LOG", conflicts_with = "vault")]
    ledger: Option<PathBuf>,
}

fn kinds() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(EntryKind::ALL.map(EntryKind::name))
}

impl Show {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        let identities = prompt::identities(&self.identity)?;
        let wanted = self.line.map(|line| line.to_string());
        let mut output = Output::default();
        let (mut entries, mut sealed) = (Vec::new(), 0_u64);
        // What closes an intent does not name the key again.
        let mut intents = BTreeSet::new();
        let rewrapped = self.rewrapped.as_deref().map(ceremony::rewrapped).transpose()?;
        let log = match &self.ledger {
            Some(copy) => ceremony::copy(copy)?,
            None => ceremony::log(&common.catalogue()?)?,
        };
        let summary = ceremony::read_log(&log, &identities, rewrapped.as_ref(), &mut |entry| {
            sealed += u64::from(matches!(entry.body, Body::Sealed));
            let is_about = wanted.as_ref().is_none_or(|line| {
                is_about(&entry.body, line) || entry.re.is_some_and(|re| intents.contains(&re))
            });
            if is_about {
                intents.insert(entry.index);
            }
            let is_wanted = is_about
                && self.since.is_none_or(|since| entry.time >= since)
                && (self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == entry.kind.name()));
            if is_wanted {
                describe(&mut output, &entry);
                entries.push(entry.to_json());
            }
        })?;
        check_read(sealed, &summary)?;
        if entries.is_empty() {
            output.note(format!("none of the {} entries is of this line, time and kind", summary.entries));
        }
        output.json =
            Output::json(json!({"origin": summary.origin, "entries": entries, "unreadable": sealed})).json;
        if sealed > 0 {
            output.warn(format!("sealed to other auditors: {}", counted(sealed, "entry", "entries")));
        }
        Ok(output)
    }
}

/// Refuses identities that read nothing at all.
pub(super) fn check_read(unreadable: u64, summary: &Summary) -> Result<(), Fault> {
    if unreadable < summary.entries {
        return Ok(());
    }
    Err(SEALED
        .fault(format!("the identity opens none of the {} entries of {}", summary.entries, summary.origin))
        .hint("give the identity of somebody who is or was an auditor: `fedroot ledger auditors list`"))
}

fn is_about(body: &Body, line: &str) -> bool {
    let Body::Open(value) = body else { return false };
    let key = value.get("key").or_else(|| value.get("about")?.get("key"));
    key.and_then(Value::as_str).is_some_and(|key| key.split('#').next() == Some(line))
}

fn describe(output: &mut Output, entry: &Entry) {
    let re = entry.re.map_or(String::new(), |re| format!(" of entry {re}"));
    output.line(format!("{:>5}  {}  {}{re}", entry.index, entry.time, entry.kind.name()));
    match &entry.body {
        Body::Open(Value::Object(members)) => {
            for (name, value) in members {
                match value {
                    Value::Null => {}
                    Value::String(text) => output.line(format!("       {name:<10} {}", visible(text))),
                    other => output.line(format!("       {name:<10} {}", visible(&other.to_string()))),
                }
            }
        }
        Body::Open(other) => output.line(format!("       {}", visible(&other.to_string()))),
        Body::Sealed => output.line("       sealed to other auditors"),
        Body::Broken => output.line("       broken: its session opens and it does not"),
    }
}
