//! `fedroot ledger verify`: what anybody can check without a secret.

use serde_json::json;

use crate::base::bytes::{base64, hex};
use crate::base::fault::Fault;
use crate::ceremony::{self, Agreement};
use crate::cli::ui::Output;
use crate::custody::Catalogue;

pub(super) fn verify(catalogue: &Catalogue) -> Result<Output, Fault> {
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
