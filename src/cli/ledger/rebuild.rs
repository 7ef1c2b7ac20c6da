//! `fedroot ledger rebuild`: makes the journal of the vault anew from the ledger, or shows that it is the ledger's.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::base::fault::Fault;
use crate::ceremony;
use crate::cli::Common;
use crate::cli::prompt::identities;
use crate::cli::ui::Output;

/// `fedroot ledger rebuild`
#[derive(Args, Debug)]
pub(in crate::cli) struct Rebuild {
    /// The auditor's age identity file, which only its owner may read
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    /// Compare only: refuse when the journal is not what the ledger says
    #[arg(long)]
    compare: bool,
}

impl Rebuild {
    pub(super) fn run(&self, common: &Common) -> Result<Output, Fault> {
        let mut catalogue = common.catalogue()?;
        let rebuilt = ceremony::rebuild(&mut catalogue, &identities(&self.identity)?, self.compare)?;
        let mut output =
            Output::json(json!({"lines": rebuilt.lines, "changed": rebuilt.changed, "lost": rebuilt.lost}));
        output.line(if rebuilt.changed {
            format!("the journal was made anew: {} lines", rebuilt.lines)
        } else {
            format!("the journal is what the ledger says: {} lines", rebuilt.lines)
        });
        if let Some(entry) = rebuilt.lost {
            output.warn(format!(
                "the ledger began anew with entry {entry}, and the journal has no line of that: what entries that were lost there \
                 said of keys, nobody knows; look for another copy of the journal"
            ));
        }
        Ok(output)
    }
}
