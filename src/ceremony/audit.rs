//! Auditing: anyone checks the ledger, auditors read it.

use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::base::recipient::Identities;
use crate::custody::Catalogue;
use crate::ledger;

pub use crate::ledger::{Agreement, Body, Break, Entry, EntryKind, Measure, Recovered, Summary};

/// Checks the ledger of a vault, and holds it against the state beside it. Needs no secret.
pub fn audit(catalogue: &Catalogue) -> Result<(Summary, Agreement), Fault> {
    let (summary, agreement) = ledger::verify_folder(&catalogue.ledger_folder())?;
    match agreement {
        Agreement::LogShorter(missing) => Err(ledger::TRUNCATED
            .fault(format!("the ledger lacks {missing} entries that this machine has written"))
            .hint(ledger::KEEP)),
        Agreement::Differs => Err(ledger::STATE
            .fault("the ledger is not the one that this machine has written")
            .hint(ledger::KEEP)),
        Agreement::Same | Agreement::LogLonger(_) | Agreement::NotCompared => Ok((summary, agreement)),
    }
}

/// Reads every entry with an auditor's identities, checking on the way.
pub fn read_ledger(
    catalogue: &Catalogue,
    identities: &Identities,
    visit: &mut dyn FnMut(Entry),
) -> Result<Summary, Fault> {
    let log = Document::open(&catalogue.ledger_folder().join(ledger::LOG))?;
    let mut reader = ledger::read(log.reader(), identities);
    for entry in &mut reader {
        visit(entry?);
    }
    reader.summary()
}
