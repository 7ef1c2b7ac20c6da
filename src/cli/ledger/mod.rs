//! `fedroot ledger`: check, read and carry on the record.

mod recover;
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
    /// Go on after a crash that opening cannot mend by itself, or after a break that people acknowledge
    Recover(recover::Recover),
}

impl Command {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        match self {
            Self::Verify => verify::verify(&common.catalogue()?),
            Self::Show(show) => show.run(&common.catalogue()?),
            Self::Recover(recover) => recover.run(common),
        }
    }
}
