//! `fedroot ledger mirror` and `witness`: the ledger beyond one machine.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::base::clock::{Clock, SystemClock};
use crate::base::fault::Fault;
use crate::ceremony::{self, VerifierKey};
use crate::cli::ui::Output;
use crate::cli::{Common, number};

/// `fedroot ledger mirror`
#[derive(Args, Debug)]
pub(in crate::cli) struct Mirror {
    /// The folder of the copy, on another medium
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Mirror {
    pub(super) fn run(&self, common: &Common) -> Result<Output, Fault> {
        let vault = common.open_vault()?;
        let (summary, added) = ceremony::mirror(&vault, &self.folder)?;
        let file = self.folder.join("ledger.jsonl").display().to_string();
        let mut output = Output::json(json!({
            "changed": added > 0,
            "mirror": file,
            "bytes_added": added,
            "entries": summary.entries,
        }));
        output.line(format!("the mirror holds all {} entries; {added} bytes were added", summary.entries));
        output.row("mirror", &file);
        Ok(output)
    }
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Write a request to a witness: the newest checkpoint, and the proof that it goes on from an older one
    Request(Request),
    /// As a witness, sign a checkpoint that goes on from the last one signed; needs no vault
    Sign(Sign),
    /// Keep what a witness sent back beside the ledger
    Add(Add),
}

/// `fedroot ledger witness request`
#[derive(Args, Debug)]
pub(in crate::cli) struct Request {
    /// The size that the witness knows (that of the last checkpoint kept with a witness's signature by default)
    #[arg(long, value_name = "SIZE", value_parser = number::<u64>)]
    old: Option<u64>,
    /// The file for the request; it must not exist
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

/// `fedroot ledger witness sign`
#[derive(Args, Debug)]
pub(in crate::cli) struct Sign {
    /// The request
    #[arg(value_name = "FILE")]
    request: PathBuf,
    /// The folder of the witness: its key, and what it signed last. It is made when it is not there
    #[arg(long, value_name = "DIR")]
    memory: PathBuf,
    /// The name of the witness, such as witness.example.org/w1
    #[arg(long, value_name = "NAME")]
    name: String,
    /// A copy of the ledger, to check its own signature too
    #[arg(long, value_name = "LOG")]
    ledger: Option<PathBuf>,
    /// The file for the signed checkpoint; it must not exist
    #[arg(long, short, value_name = "NOTE")]
    output: PathBuf,
}

/// `fedroot ledger witness add`
#[derive(Args, Debug)]
pub(in crate::cli) struct Add {
    /// What the witness sent back: a signed checkpoint, or signature lines
    #[arg(value_name = "FILE")]
    reply: PathBuf,
    /// The key of the witness: NAME+ID+KEY
    #[arg(long, value_name = "KEY", value_parser = super::witness_key)]
    key: VerifierKey,
}

impl Command {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        match self {
            Self::Request(request) => request.run(common),
            Self::Sign(sign) => sign.run(),
            Self::Add(add) => add.run(common),
        }
    }
}

impl Request {
    fn run(&self, common: &Common) -> Result<Output, Fault> {
        let mut vault = common.open_vault()?;
        let request = ceremony::witness_request(&mut vault, self.old, &self.output)?;
        let (checkpoint, file) = (&request.note.checkpoint, self.output.display().to_string());
        let mut output = Output::json(json!({
            "origin": checkpoint.origin,
            "entries": checkpoint.size,
            "old": request.old,
            "output": file,
        }));
        output.line(format!("the request goes on from {} to {} entries", request.old, checkpoint.size));
        output.row("ledger", &checkpoint.origin);
        output.row("request", &file);
        output.note(
            "next, the witness: fedroot ledger witness sign FILE --memory DIR --name NAME --output NOTE",
        );
        Ok(output)
    }
}

impl Sign {
    fn run(&self) -> Result<Output, Fault> {
        let (note, key, last) = ceremony::witness_sign(
            &self.request,
            &self.memory,
            &self.name,
            self.ledger.as_deref(),
            &self.output,
            SystemClock.now(),
        )?;
        let (checkpoint, file) = (&note.checkpoint, self.output.display().to_string());
        let mut output = Output::json(json!({
            "origin": checkpoint.origin,
            "entries": checkpoint.size,
            "before": last,
            "key": key.to_string(),
            "output": file,
        }));
        output.line(match last {
            Some(last) => format!("{} entries go on from the {last} signed before", checkpoint.size),
            None => format!("{} entries, the first that this witness signs of this ledger", checkpoint.size),
        });
        output.row("ledger", &checkpoint.origin);
        output.row("checkpoint", &file);
        output.row("witness key", &key.to_string());
        if self.ledger.is_none() {
            output.warn(
                "whether the ledger itself signed it was not checked: that takes a copy of it (--ledger LOG)",
            );
        }
        Ok(output)
    }
}

impl Add {
    fn run(&self, common: &Common) -> Result<Output, Fault> {
        let vault = common.open_vault()?;
        let (size, time) = ceremony::witness_add(&vault, &self.reply, &self.key)?;
        let time = time.map(|time| time.to_string());
        let mut output = Output::json(json!({"entries": size, "witness": self.key.name(), "time": time}));
        output.line(format!("the checkpoint of {size} entries is kept with the witness's signature"));
        output.row("witness", self.key.name());
        output.row("time", &time.unwrap_or_default());
        Ok(output)
    }
}
