//! `fedroot ledger auditors` and `rewrap`: who reads the ledger, over time.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::base::fault::Fault;
use crate::ceremony;
use crate::cli::ui::Output;
use crate::cli::{Common, prompt};
use crate::ledger::Auditor;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Show who reads what is written now
    List,
    /// Ask a future auditor to show that he can decrypt, and with his answer add him
    Add(Add),
    /// Answer the challenge to a future auditor: open it
    Answer(Answer),
    /// Remove an auditor: he goes on reading what was written while he was one
    Remove(Remove),
}

/// `fedroot ledger auditors add`
#[derive(Args, Debug)]
pub(in crate::cli) struct Add {
    /// The age recipient of the auditor
    #[arg(value_name = "age1…", value_parser = Auditor::parse)]
    auditor: Auditor,
    /// The file for the challenge; it must not exist
    #[arg(long, short, value_name = "FILE", required_unless_present = "answer", conflicts_with = "answer")]
    output: Option<PathBuf>,
    /// What the auditor found in the challenge
    #[arg(long, value_name = "TEXT")]
    answer: Option<String>,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// `fedroot ledger auditors answer`
#[derive(Args, Debug)]
pub(in crate::cli) struct Answer {
    /// The challenge
    #[arg(value_name = "FILE")]
    challenge: PathBuf,
    /// The auditor's age identity file, which only its owner may read
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
}

/// `fedroot ledger auditors remove`
#[derive(Args, Debug)]
pub(in crate::cli) struct Remove {
    /// The age recipient of the auditor
    #[arg(value_name = "age1…", value_parser = Auditor::parse)]
    auditor: Auditor,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Command {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        match self {
            Self::List => Ok(list(&common.catalogue()?.configuration().auditors, None)),
            Self::Add(add) => add.run(common),
            Self::Answer(answer) => {
                let found =
                    ceremony::answer_challenge(&answer.challenge, &prompt::identities(&answer.identity)?)?;
                let mut output = Output::json(json!({"answer": found}));
                output.line(crate::base::text::visible(&found).to_string());
                Ok(output)
            }
            Self::Remove(remove) => {
                let mut vault = common.open_vault()?;
                vault.remove_auditor(&remove.auditor, remove.reason.as_deref())?;
                let mut output = list(&vault.configuration().auditors, Some(true));
                output.warn(
                    "what was written so far stays readable for who was removed; it cannot be called back",
                );
                Ok(output)
            }
        }
    }
}

impl Add {
    fn run(&self, common: &Common) -> Result<Output, Fault> {
        let mut vault = common.open_vault()?;
        if let Some(answer) = &self.answer {
            vault.add_auditor(&self.auditor, answer, self.reason.as_deref())?;
            let mut output = list(&vault.configuration().auditors, Some(true));
            output.note("what was written before needs: fedroot ledger rewrap --identity OLD --to RECIPIENT --output FILE");
            return Ok(output);
        }
        let file = self.output.as_deref().unwrap_or(Path::new(""));
        ceremony::challenge(&vault, &self.auditor, file)?;
        let (file, auditor) = (file.display().to_string(), self.auditor.to_string());
        let mut output = Output::json(json!({"changed": false, "auditor": auditor, "challenge": file}));
        output.line("nobody was added yet: the auditor has to open the challenge");
        output.row("auditor", &auditor);
        output.row("challenge", &file);
        output.note(format!("next, the auditor: fedroot ledger auditors answer {file} --identity FILE"));
        output.note(format!("then here: fedroot ledger auditors add {auditor} --answer TEXT"));
        Ok(output)
    }
}

fn list(auditors: &[String], changed: Option<bool>) -> Output {
    let mut output = Output::json(json!({"auditors": auditors}));
    output.json.extend(changed.map(|changed| ("changed".into(), changed.into())));
    for auditor in auditors {
        output.line(crate::base::text::visible(auditor).to_string());
    }
    output
}

/// `fedroot ledger rewrap`
#[derive(Args, Debug)]
pub(in crate::cli) struct Rewrap {
    /// The identity file of somebody who can read the old sessions
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    /// The age recipient who shall read them too (can be repeated)
    #[arg(long, value_name = "age1…", required = true, value_parser = Auditor::parse)]
    to: Vec<Auditor>,
    /// The file for the wrapped keys; it must not exist
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

impl Rewrap {
    pub(super) fn run(&self, common: &Common) -> Result<Output, Fault> {
        let identities = prompt::identities(&self.identity)?;
        let (wrapped, sessions) =
            ceremony::rewrap(&common.catalogue()?, &identities, &self.to, &self.output)?;
        let file = self.output.display().to_string();
        let mut output = Output::json(json!({"wrapped": wrapped, "sessions": sessions, "output": file}));
        output.line(format!("{wrapped} of {sessions} sessions were wrapped; the ledger was only read"));
        output.row("file", &file);
        output.note(format!("next, the auditor: fedroot ledger show --rewrapped {file} --identity FILE"));
        Ok(output)
    }
}
