//! `fedroot ledger verify`: what anybody can check without a secret.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::base::bytes::{base64, hex};
use crate::base::fault::Fault;
use crate::base::text::counted;
use crate::ceremony::{self, Agreement, Break, Checked, EntryKind, Note, Summary};
use crate::cli::Common;
use crate::cli::progress::Progress;
use crate::cli::ui::Output;

/// `fedroot ledger verify`
#[derive(Args, Debug)]
pub(in crate::cli) struct Verify {
    /// A checkpoint that was kept elsewhere: the ledger must go on from it (can be repeated)
    #[arg(long, value_name = "NOTE")]
    since: Vec<PathBuf>,
    /// A copy of the ledger, or the folder of its mirror, instead of the one in the vault: needs no vault
    #[arg(long, value_name = "LOG", conflicts_with = "vault")]
    ledger: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(&self, common: &Common) -> Result<Output, Fault> {
        let since = self.since.iter().map(|path| ceremony::note(path)).collect::<Result<Vec<_>, _>>()?;
        let progress = Progress::working("verifying the ledger");
        let checked = match &self.ledger {
            Some(copy) => ceremony::audit_copy(copy, &since)?,
            None => ceremony::audit(&common.catalogue()?, &since)?,
        };
        let Checked { summary, agreement, complete, kept, lost } = checked;
        drop(progress);
        let mut output = Output::json(json!({
            "verdict": if complete.is_some() { "complete" } else { "consistent" },
            "complete": complete.is_some(),
            "complete_to": complete,
            "origin": summary.origin,
            "entries": summary.entries,
            "head": base64(&summary.head),
            "root": base64(&summary.root),
            "first": summary.first.to_string(),
            "last": summary.last.to_string(),
            "open": summary.open,
            "sessions": summary.sessions,
            "clock_steps_back": summary.clock_steps_back,
            "recoveries": summary.recoveries,
            "reseals": summary.reseals,
            "breaks": summary.breaks.iter().map(break_json).collect::<Vec<_>>(),
            "checkpoints": kept.iter().map(note_json).collect::<Vec<_>>(),
            "checkpoints_lost": lost.iter().map(note_json).collect::<Vec<_>>(),
            "pending": matches!(agreement, Agreement::LogLonger(_)),
        }));
        output.line("the ledger is consistent: every entry follows the one before and bears its seal");
        if let Some(complete) = complete {
            output.line(format!(
                "it is complete up to the checkpoint of {complete} entries: none is missing or changed"
            ));
        }
        show(&mut output, &summary);
        if let Some(note) = kept.iter().rfind(|note| note.signers().count() > 1) {
            let signers: Vec<_> = note.signers().skip(1).collect();
            output.row("witnessed", &format!("{} entries, by {}", note.checkpoint.size, signers.join(", ")));
        }
        for note in &lost {
            output.row(
                "lost",
                &format!("a checkpoint of {} entries left, and they are not all here", note.checkpoint.size),
            );
        }
        if matches!(agreement, Agreement::LogLonger(_)) {
            output
                .warn("the last entry is not in the state file yet: an act is running, or ended in a crash");
        }
        output.warn(match complete {
            None => "consistent is not complete: that no entries are missing at the end shows only against a checkpoint kept elsewhere (--since NOTE)".into(),
            Some(complete) => format!("what came after the first {complete} entries is consistent, and not shown to be complete"),
        });
        Ok(output)
    }
}

fn show(output: &mut Output, summary: &Summary) {
    output.row("ledger", &summary.origin);
    output.row("entries", &summary.entries.to_string());
    output.row("from", &summary.first.to_string());
    output.row("to", &summary.last.to_string());
    output.row("root", &base64(&summary.root));
    for open in &summary.open {
        output.row(
            "open intent",
            &format!("entry {open}: a key may have been used, and no outcome was recorded"),
        );
    }
    if !summary.open.is_empty() {
        output.warn("a batch that went on later has a receipt with what it had signed; whoever keeps the vault closes open intents with `fedroot ledger recover --reason WHAT`");
    }
    for it in &summary.breaks {
        output.row(it.kind.name(), &break_text(it));
    }
    if summary.clock_steps_back > 0 {
        output.row(
            "clock",
            &format!(
                "earlier than that of the entry before, in {}",
                counted(summary.clock_steps_back, "entry", "entries")
            ),
        );
    }
    if summary.reseals > 0 {
        output.warn(format!(
            "{} the record broke and people went on from what was left: ask them, and compare checkpoints from before",
            counted(summary.reseals, "time", "times")
        ));
    }
}

fn break_text(it: &Break) -> String {
    let junk = it.junk.map(|junk| format!("{} bytes before it are no entry", junk.count));
    let known = match (it.kind, it.known) {
        (EntryKind::Reseal, Some(known)) if known.count == it.index => Some(
            "nothing is missing before it; its clock had been ahead, and people acknowledged that".to_owned(),
        ),
        (EntryKind::Reseal, Some(known)) => Some(format!(
            "the machine knew {} entries and found {}, and people acknowledged that",
            known.count, it.index
        )),
        (EntryKind::Reseal, None) => Some(format!(
            "the machine had lost its state and found {} entries, and people acknowledged that",
            it.index
        )),
        _ => None,
    };
    let told: Vec<String> = known.into_iter().chain(junk).collect();
    format!("entry {}, {}: {}", it.index, it.time, told.join("; "))
}

fn note_json(note: &Note) -> Value {
    json!({
        "entries": note.checkpoint.size,
        "root": base64(&note.checkpoint.root),
        "signed_by": note.signers().collect::<Vec<_>>(),
    })
}

fn break_json(it: &Break) -> Value {
    json!({
        "index": it.index,
        "type": it.kind.name(),
        "time": it.time.to_string(),
        "known": it.known.map(|known| json!({"entries": known.count, "root": base64(&known.hash)})),
        "junk": it.junk.map(|junk| json!({"bytes": junk.count, "sha256": hex(&junk.hash)})),
    })
}
