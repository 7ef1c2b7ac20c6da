//! What one document and a batch of them have in common when they are signed: who signs the copy, and what is on record when
//! nothing was signed.

use std::path::Path;

use serde_json::json;

use super::COPY;
use crate::artefact::Kind;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::custody::{Catalogue, Vault};
use crate::key::Line;
use crate::lifecycle::{self, Method, STAGE};

/// That something is to be signed.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) kind: &'a dyn Kind,
    pub(super) line: &'a Line,
    pub(super) document: &'a Path,
    pub(super) reason: Option<&'a str>,
    pub(super) dry_run: bool,
}

impl Attempt<'_> {
    /// Records that nothing was signed, and why.
    pub(super) fn refuse(&self, vault: &mut Vault<'_>, fault: Fault) -> Fault {
        let fault = fault.but("nothing was signed");
        if self.dry_run {
            return fault;
        }
        let about = json!({
            "kind": self.kind.name(),
            "key": self.line.to_string(),
            "document": self.document.display().to_string(),
            "reason": self.reason,
        });
        vault.deny("sign", &about, fault)
    }
}

/// The other key of a double publication, which signs the copy.
///
/// # Errors
/// [`COPY`]: documents of this kind introduce the next key in another way. [`STAGE`]: no other key signs now.
pub fn other_signer(catalogue: &Catalogue, line: &Line, kind: &dyn Kind, now: Instant) -> Result<u32, Fault> {
    let name = kind.name();
    match lifecycle::Kind::of_document(name).method() {
        Method::Double => {}
        Method::Chained => {
            return Err(COPY
                .fault(format!(
                    "documents of the kind {name} are signed by one key; the active one introduces the next"
                ))
                .hint("leave --copy out: what the line signs lists the next key once it is published"));
        }
        _ => {
            return Err(COPY
                .fault(format!("documents of the kind {name} are signed by one key, and introduce no other"))
                .hint("leave --copy out, and carry the next key to those who rely on it"));
        }
    }
    let active = catalogue.signing_record(line)?.key()?;
    let others = catalogue.signers(line, name, now)?;
    others.into_iter().find(|version| *version != active.version).ok_or_else(|| {
        STAGE
            .fault(format!("no other key of {line} signs its own copy now"))
            .hint("a successor does once it is published, and a predecessor until its notice is over: `fedroot status`")
    })
}
