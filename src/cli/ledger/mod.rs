//! `fedroot ledger`: check, read and carry on the record.

mod auditors;
mod checkpoint;
mod export;
mod proof;
mod rebuild;
mod recover;
mod show;
mod verify;
mod witness;

use clap::Subcommand;

pub(super) use self::proof::Trusted;

use super::ui::Output;
use super::{Common, hinted};
use crate::base::fault::Fault;
use crate::ceremony::VerifierKey;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check chain, seals, pairs and checkpoints; needs no secret
    Verify(verify::Verify),
    /// Read the entries with an auditor's identity
    Show(show::Show),
    /// Go on after a crash that opening cannot mend by itself, or after a break that people acknowledge
    Recover(recover::Recover),
    /// Make the vault's journal of keys anew from the ledger, or compare the two, with an auditor's identity
    Rebuild(rebuild::Rebuild),
    /// Sign what the ledger is now, to be carried off the machine
    Checkpoint(checkpoint::Checkpoint),
    /// Prove that an entry is in the ledger, without showing what it says
    Prove(proof::Prove),
    /// Check a proof; needs no vault
    CheckProof(proof::CheckProof),
    /// Open one entry to somebody else, and no other
    Disclose(proof::Disclose),
    /// Check an entry that was disclosed, and read it; needs no vault
    CheckDisclosure(proof::CheckDisclosure),
    /// Write the entries in another format, or what others check without us
    Export(export::Export),
    /// Answer an auditor's challenge with an entry at the end of the ledger
    Audit(proof::Audit),
    /// Say who reads the ledger, and change it
    #[command(subcommand)]
    Auditors(auditors::Command),
    /// Wrap the keys of old sessions for a new auditor, without touching the ledger
    Rewrap(auditors::Rewrap),
    /// Bring a copy of the log on another medium up to date
    Mirror(witness::Mirror),
    /// Have another machine sign that the ledger only grew
    #[command(subcommand)]
    Witness(witness::Command),
}

/// The key of a log or witness.
fn witness_key(text: &str) -> Result<VerifierKey, String> {
    VerifierKey::parse(text).map_err(|fault| hinted(&fault))
}

impl Command {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        match self {
            Self::Verify(verify) => verify.run(common),
            Self::Show(show) => show.run(common),
            Self::Recover(recover) => recover.run(common),
            Self::Rebuild(rebuild) => rebuild.run(common),
            Self::Checkpoint(checkpoint) => checkpoint.run(common),
            Self::Prove(prove) => prove.run(common),
            Self::CheckProof(check) => check.run(),
            Self::Disclose(disclose) => disclose.run(common),
            Self::CheckDisclosure(check) => check.run(),
            Self::Export(export) => export.run(common),
            Self::Audit(audit) => audit.run(common),
            Self::Auditors(auditors) => auditors.run(common),
            Self::Rewrap(rewrap) => rewrap.run(common),
            Self::Mirror(mirror) => mirror.run(common),
            Self::Witness(witness) => witness.run(common),
        }
    }
}
