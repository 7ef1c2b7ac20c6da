//! `fedroot ledger prove`, `disclose`, `audit` and what checks them: single entries, shown to others.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::ceremony::{self, Evidence, Note, Proved, Trust, VerifierKey};
use crate::cli::ui::Output;
use crate::cli::{Common, USAGE, number, prompt};

/// `fedroot ledger prove`
#[derive(Args, Debug)]
pub(in crate::cli) struct Prove {
    /// The number of the entry
    #[arg(value_name = "INDEX", value_parser = number::<u64>)]
    index: u64,
    /// The file for the proof; it must not exist
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

impl Prove {
    pub(super) fn run(&self, common: &Common) -> Result<Output, Fault> {
        let vault = common.open_vault()?;
        let evidence = ceremony::prove(&vault, self.index, None, &self.output)?;
        let mut output = made(&evidence, self.index, &self.output);
        output.note("it shows that the entry is there, and not what it says");
        Ok(output)
    }
}

/// `fedroot ledger disclose`
#[derive(Args, Debug)]
pub(in crate::cli) struct Disclose {
    #[command(flatten)]
    prove: Prove,
    /// The auditor's age identity file, which only its owner may read
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
}

impl Disclose {
    pub(super) fn run(&self, common: &Common) -> Result<Output, Fault> {
        let identities = prompt::identities(&self.identity)?;
        let vault = common.open_vault()?;
        let (index, file) = (self.prove.index, &self.prove.output);
        let evidence = ceremony::prove(&vault, index, Some(&identities), file)?;
        let mut output = made(&evidence, index, file);
        output.note("whoever has the file reads this entry, and no other");
        Ok(output)
    }
}

/// `fedroot ledger audit`
#[derive(Args, Debug)]
pub(in crate::cli) struct Audit {
    /// What the auditor asks for: something that nobody could know before
    #[arg(long, value_name = "TEXT")]
    nonce: String,
    /// The file for the answer; it must not exist
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

impl Audit {
    pub(super) fn run(&self, common: &Common) -> Result<Output, Fault> {
        let mut vault = common.open_vault()?;
        let evidence = ceremony::answer(&mut vault, &self.nonce, &self.output)?;
        let mut output = made(&evidence, evidence.checkpoint().size - 1, &self.output);
        output.note("next, the auditor: fedroot ledger check-disclosure FILE --nonce TEXT --ledger COPY");
        Ok(output)
    }
}

fn made(evidence: &Evidence, index: u64, file: &Path) -> Output {
    let (checkpoint, file) = (evidence.checkpoint(), file.display().to_string());
    let mut output = Output::json(json!({
        "index": index,
        "origin": checkpoint.origin,
        "entries": checkpoint.size,
        "output": file,
    }));
    output.line(format!("entry {index} is proved against the checkpoint of {} entries", checkpoint.size));
    output.row("ledger", &checkpoint.origin);
    output.row("proof", &file);
    output
}

/// What a proof is held against; at least one.
#[derive(Args, Debug)]
pub(in crate::cli) struct Trusted {
    /// A checkpoint of the same size that came over another channel (can be repeated)
    #[arg(long = "trust-note", value_name = "NOTE")]
    notes: Vec<PathBuf>,
    /// The key of a witness that must have signed the checkpoint: NAME+ID+KEY (can be repeated)
    #[arg(long = "trust-key", value_name = "KEY", value_parser = super::witness_key)]
    keys: Vec<VerifierKey>,
    /// A copy of the ledger
    #[arg(long = "ledger", value_name = "LOG")]
    log: Option<PathBuf>,
}

impl Trusted {
    /// Refuses what would not be looked at.
    pub(in crate::cli) fn none_given(&self) -> Result<Option<u64>, Fault> {
        if self.notes.is_empty() && self.keys.is_empty() && self.log.is_none() {
            return Ok(None);
        }
        Err(USAGE
            .fault("something to trust was given, and no proof")
            .hint("name the proof with --proof FILE"))
    }

    /// Reads and checks a proof.
    pub(in crate::cli) fn check(&self, proof: &Path) -> Result<(Evidence, Proved), Fault> {
        let notes = self.notes.iter().map(|path| ceremony::note(path)).collect::<Result<Vec<Note>, _>>()?;
        let log = self.log.as_deref().map(Document::open).transpose()?;
        ceremony::check_proof(proof, &Trust { notes: &notes, keys: &self.keys, log: log.as_ref() })
    }
}

/// `fedroot ledger check-proof`
#[derive(Args, Debug)]
pub(in crate::cli) struct CheckProof {
    /// The proof
    #[arg(value_name = "FILE")]
    proof: PathBuf,
    /// The document whose signature the entry must record
    #[arg(long, value_name = "OUT")]
    document: Option<PathBuf>,
    #[command(flatten)]
    trusted: Trusted,
}

impl CheckProof {
    pub(super) fn run(&self) -> Result<Output, Fault> {
        let (evidence, proved) = self.trusted.check(&self.proof)?;
        let mut output = shown(&evidence, &proved, false);
        if let Some(document) = &self.document {
            ceremony::check_artefact(&proved, &Document::open(document)?)?;
            let name = document.display().to_string();
            output.json.insert("document".into(), name.clone().into());
            output.row("document", &format!("{name}: this is the entry of its signature"));
        }
        Ok(output)
    }
}

/// `fedroot ledger check-disclosure`
#[derive(Args, Debug)]
pub(in crate::cli) struct CheckDisclosure {
    /// The proof that opens an entry
    #[arg(value_name = "FILE")]
    proof: PathBuf,
    /// The nonce that the entry must answer
    #[arg(long, value_name = "TEXT")]
    nonce: Option<String>,
    #[command(flatten)]
    trusted: Trusted,
}

impl CheckDisclosure {
    pub(super) fn run(&self) -> Result<Output, Fault> {
        let (evidence, proved) = self.trusted.check(&self.proof)?;
        ceremony::check_disclosure(&proved, self.nonce.as_deref())?;
        Ok(shown(&evidence, &proved, true))
    }
}

fn shown(evidence: &Evidence, proved: &Proved, with_body: bool) -> Output {
    let checkpoint = evidence.checkpoint();
    let mut output = Output::json(json!({
        "index": proved.index,
        "type": proved.kind.name(),
        "time": proved.time.to_string(),
        "re": proved.re,
        "origin": checkpoint.origin,
        "entries": checkpoint.size,
        "body": proved.body.as_ref().filter(|_| with_body),
    }));
    output.line(format!("the proof is good: entry {} is in the ledger", proved.index));
    output.row("ledger", &checkpoint.origin);
    output.row("checkpoint", &format!("{} entries", checkpoint.size));
    output.row("kind", proved.kind.name());
    output.row("time", &proved.time.to_string());
    if let Some(Value::Object(members)) = proved.body.as_ref().filter(|_| with_body) {
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            output.row(name, value.as_str().unwrap_or(&value.to_string()));
        }
    }
    output
}
