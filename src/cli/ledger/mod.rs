//! `fedroot ledger`: check, read and carry on the record.

mod show;
mod verify;

use clap::Subcommand;

use super::Common;
use super::ui::Output;
use crate::base::fault::Fault;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check chain, seals and the pairing of intents; needs no secret
    Verify,
    /// Read the entries with an auditor's identity
    Show(show::Show),
}

impl Command {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        let catalogue = common.catalogue()?;
        match self {
            Self::Verify => verify::verify(&catalogue),
            Self::Show(show) => show.run(&catalogue),
        }
    }
}
