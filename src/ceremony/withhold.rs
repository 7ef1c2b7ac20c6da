//! That a document was signed and never published. It is a record, and takes nothing away: the signature stays in the ledger, and
//! whoever says so answers for it there, by name.

use serde_json::json;

use crate::base::bytes::Digest;
use crate::base::fault::Fault;
use crate::custody::{Catalogue, Vault};
use crate::key::Line;
use crate::lifecycle::{RECEIPT, Receipt, UNSEEN};

/// A line for which it is on record.
pub struct Unpublished {
    /// The line that signed the document, or whose keys it carries.
    pub line: Line,
    /// The entry that has it.
    pub entry: u64,
    /// Whether it was not on record before.
    pub is_new: bool,
}

/// Notes that a document was never published, for each line that waits for its end.
///
/// # Errors
/// [`RECEIPT`]: nothing of this digest was signed here, it is one of a batch, or somebody saw it. The attempt is on record.
pub fn withhold(
    vault: &mut Vault<'_>,
    line: Option<&Line>,
    digest: &Digest,
    reason: &str,
) -> Result<Vec<Unpublished>, Fault> {
    let about = json!({"digest": digest.to_string(), "reason": reason});
    let found = find(vault, line, digest).map_err(|fault| fault.but("nothing was noted"));
    let lines = found.map_err(|fault| vault.deny("withhold", &about, fault))?;
    let now = vault.now();
    let noted = lines.into_iter().map(|line| {
        let (entry, is_new) = vault.withhold(&line, digest, reason, now)?;
        Ok(Unpublished { line, entry, is_new })
    });
    noted.collect()
}

/// The lines that know the document. One receipt is enough to refuse, whichever line has it.
fn find(catalogue: &Catalogue, line: Option<&Line>, digest: &Digest) -> Result<Vec<Line>, Fault> {
    let lines = match line {
        Some(line) => catalogue.check_line(line).map(|()| vec![line.clone()])?,
        None => catalogue.lines()?,
    };
    for line in catalogue.lines()? {
        if let Some(seen) = catalogue.seen(&line, digest)? {
            return Err(RECEIPT
                .fault(format!("{digest} was seen {seen}: it is published"))
                .hint("wait until it has ended, and sign what takes its place"));
        }
    }
    let mut found = Vec::new();
    for line in lines {
        if catalogue.signed_alone(&line, digest)?.is_some() {
            found.push(line);
        }
    }
    match found.is_empty() {
        false => Ok(found),
        true if catalogue.journal()?.knows(digest)? => Err(RECEIPT
            .fault(format!("{digest} is one of a batch, or was signed elsewhere"))
            .hint("wait until it has ended: documents of a batch are published together")),
        true => Err(RECEIPT
            .fault(format!("nothing of the digest {digest} was signed here"))
            .hint("give the very file that was signed, or the digest that `sign` printed")),
    }
}

/// Whether a receipt is of a document that was said never to have been published: it was, and counts again.
///
/// # Errors
/// [`UNSEEN`]: it would have been seen before it was signed.
pub(super) fn unheld(catalogue: &Catalogue, line: &Line, receipt: &Receipt) -> Result<bool, Fault> {
    if !catalogue.is_withheld(line, &receipt.digest)? {
        return Ok(false);
    }
    match catalogue.signed_alone(line, &receipt.digest)?.filter(|signed| receipt.seen < *signed) {
        None => Ok(true),
        Some(signed) => Err(UNSEEN
            .fault(format!("seen at {}, and signed only at {signed}", receipt.seen))
            .hint("set --seen-at to the time of the fetch, in UTC")),
    }
}
