//! `fedroot ledger`: check and read the record.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::ui::Output;
use super::{Common, prompt};
use crate::base::bytes::{base64, hex};
use crate::base::fault::Fault;
use crate::base::text::visible;
use crate::ceremony::{self, Agreement, Body, Entry};
use crate::custody::Catalogue;
use crate::key::Line;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check chain, seals and the pairing of intents; needs no secret
    Verify,
    /// Read the entries with an auditor's identity
    Show(Show),
}

/// `fedroot ledger show`
#[derive(Args, Debug)]
pub(super) struct Show {
    /// The auditor's age identity file, which only its owner may read
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    /// Only the entries about this key line
    #[arg(long = "key", value_name = "LINE")]
    line: Option<Line>,
}

impl Command {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        let catalogue = common.catalogue()?;
        match self {
            Self::Verify => verify(&catalogue),
            Self::Show(show) => show.run(&catalogue),
        }
    }
}

fn verify(catalogue: &Catalogue) -> Result<Output, Fault> {
    let (summary, agreement) = ceremony::audit(catalogue)?;
    let mut output = Output::json(json!({
        "verdict": "consistent",
        "complete": false,
        "origin": summary.origin,
        "entries": summary.entries,
        "head": base64(&summary.head),
        "root": base64(&summary.root),
        "first": summary.first.to_string(),
        "last": summary.last.to_string(),
        "open": summary.open,
        "sessions": summary.sessions,
        "clock_steps_back": summary.clock_steps_back,
        "reseals": summary.reseals,
        "pending": matches!(agreement, Agreement::LogLonger(_)),
    }));
    output.line("the ledger is consistent: every entry follows the one before and bears its seal");
    output.row("ledger", &summary.origin);
    output.row("entries", &summary.entries.to_string());
    output.row("from", &summary.first.to_string());
    output.row("to", &summary.last.to_string());
    output.row("root", &hex(&summary.root));
    for open in &summary.open {
        output.row("open intent", &format!("entry {open}: a key may have been used, and no outcome was recorded"));
    }
    if summary.clock_steps_back > 0 {
        output.row("clock", &format!("{} entries claim an earlier time than the one before", summary.clock_steps_back));
    }
    if matches!(agreement, Agreement::LogLonger(_)) {
        output.note("the last entry is not in the state file yet: an act is running, or ended in a crash");
    }
    output.note("consistent is not complete: that no entries are missing at the end shows only against a checkpoint kept elsewhere");
    Ok(output)
}

impl Show {
    fn run(self, catalogue: &Catalogue) -> Result<Output, Fault> {
        let identities = prompt::identities(&self.identity)?;
        let wanted = self.line.map(|line| line.to_string());
        let mut output = Output::default();
        let (mut entries, mut sealed) = (Vec::new(), 0_u64);
        let summary = ceremony::read_ledger(catalogue, &identities, &mut |entry| {
            sealed += u64::from(matches!(entry.body, Body::Sealed));
            if wanted.as_ref().is_none_or(|line| is_about(&entry.body, line)) {
                describe(&mut output, &entry);
                entries.push(json(&entry));
            }
        })?;
        output.json = Output::json(json!({"origin": summary.origin, "entries": entries, "unreadable": sealed})).json;
        if sealed > 0 {
            output.note(format!("{sealed} entries are sealed to other auditors"));
        }
        Ok(output)
    }
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

fn json(entry: &Entry) -> Value {
    let (state, body) = match &entry.body {
        Body::Open(value) => ("open", value.clone()),
        Body::Sealed => ("sealed", Value::Null),
        Body::Broken => ("broken", Value::Null),
    };
    json!({
        "index": entry.index,
        "type": entry.kind.name(),
        "time": entry.time.to_string(),
        "re": entry.re,
        "session": entry.session,
        "leaf": base64(&entry.leaf),
        "state": state,
        "body": body,
    })
}
