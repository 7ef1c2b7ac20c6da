//! `fedroot identity`: age identities.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::ui::Output;
use crate::base::clock::{Clock, SystemClock};
use crate::base::disk;
use crate::base::fault::Fault;
use crate::base::recipient::Identities;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an age identity in the file format of age-keygen, and print its recipient
    Generate(Generate),
}

/// `fedroot identity generate`
#[derive(Args, Debug)]
pub(super) struct Generate {
    /// The file for the identity; it must not exist
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

impl Command {
    pub(super) fn run(self) -> Result<Output, Fault> {
        match self {
            Self::Generate(generate) => generate.run(),
        }
    }
}

impl Generate {
    fn run(self) -> Result<Output, Fault> {
        let (file, recipient) = Identities::generate(SystemClock.now());
        disk::create(&self.output, file.expose().as_bytes())?;
        let recipient = recipient.to_string();
        let mut output =
            Output::json(json!({"recipient": recipient, "file": self.output.display().to_string()}));
        output.line(&recipient);
        output.note(format!(
            "the identity is in {}: whoever has it reads what is sealed to the recipient",
            self.output.display()
        ));
        Ok(output)
    }
}
