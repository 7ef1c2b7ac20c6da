//! `fedroot ledger recover`: goes on after a break, and says so for ever.

use clap::Args;
use serde_json::json;

use crate::base::bytes::{base64, hex};
use crate::base::clock::SystemClock;
use crate::base::fault::Fault;
use crate::ceremony::{Measure, Recovered};
use crate::cli::ui::Output;
use crate::cli::{Common, operator};
use crate::custody::Vault;

/// `fedroot ledger recover`
#[derive(Args, Debug)]
pub(in crate::cli) struct Recover {
    /// Go on although entries are lost or were changed, or the clock was ahead: every later check will tell
    #[arg(long, requires = "reason")]
    acknowledge: bool,
    /// What happened, for the ledger
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Recover {
    pub(super) fn run(&self, common: &Common) -> Result<Output, Fault> {
        let done = Vault::recover(
            common.vault()?,
            &operator(),
            &SystemClock,
            self.acknowledge,
            self.reason.as_deref(),
        )?;
        let (what, entry, known, junk) = match done {
            Recovered::Nothing => ("nothing", None, None, None),
            Recovered::TakenUp(index) => ("taken up", Some(index), None, None),
            Recovered::ClosedOff { index, junk } => ("closed off", Some(index), None, Some(junk)),
            Recovered::Resealed { index, known, junk } => ("resealed", Some(index), known, junk),
        };
        let mut output = Output::json(json!({
            "changed": entry.is_some(),
            "recovered": what,
            "entry": entry,
            "known": known.map(|known| json!({"entries": known.count, "root": base64(&known.hash)})),
            "junk": junk.map(|junk| json!({"bytes": junk.count, "sha256": hex(&junk.hash)})),
        }));
        output.line(text(done));
        if let Some(Measure { count, hash }) = junk {
            output.row("no entry", &format!("{count} bytes, sha256:{}", hex(&hash)));
        }
        if let Some(Measure { count, hash }) = known {
            output.row("known before", &format!("{count} entries, root {}", hex(&hash)));
        }
        self.close_intents(common, &mut output)?;
        if entry.is_some() {
            output.note("next: fedroot ledger verify, then fedroot ledger checkpoint");
        }
        Ok(output)
    }

    /// Intents that a crash left open stay open until somebody says what became of them.
    fn close_intents(&self, common: &Common, output: &mut Output) -> Result<(), Fault> {
        let mut vault = common.open_vault()?;
        let open: Vec<u64> = vault.open_intents().collect();
        if let Some(reason) = &self.reason {
            vault.close_intents(reason)?;
            for intent in &open {
                output.row("closed", &format!("entry {intent}, with an unknown outcome"));
            }
        } else if !open.is_empty() {
            let count = open.len();
            output.warn(format!(
                "open intents: {count}; say what became of them with --reason, which closes them"
            ));
        }
        output.json.insert("open".into(), json!(open));
        output.json.insert("closed".into(), json!(self.reason.is_some()));
        Ok(())
    }
}

fn text(done: Recovered) -> String {
    match done {
        Recovered::Nothing => "log and state agree: there is nothing to recover".into(),
        Recovered::TakenUp(index) => format!("entry {index}, which a crash had left, was taken up"),
        Recovered::ClosedOff { index, .. } => {
            format!("the bytes of a write that was cut short stay where they are; entry {index} names them")
        }
        Recovered::Resealed { index, .. } => {
            format!("entry {index} begins the seals anew; every later check will tell of the break")
        }
    }
}
