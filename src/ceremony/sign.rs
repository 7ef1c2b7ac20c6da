//! The heart of the program: review, approve, record, sign, verify, and only then let go.

use std::io::Write;
use std::path::Path;

use rand_core::CryptoRng;
use serde_json::json;

use super::{Approver, Terms, review};
use crate::artefact::Kind;
use crate::base::bytes::Hashing;
use crate::base::disk::{self, Document, Pending};
use crate::base::fault::Fault;
use crate::custody::{Delivered, Signed, Vault};
use crate::key::{Environment, Line};
use crate::policy::Review;

/// What is to be signed, with which key, and where it goes.
pub struct Signing<'a> {
    /// The kind of document.
    pub kind: &'a dyn Kind,
    /// The document.
    pub document: &'a Path,
    /// Opens the document.
    pub open: &'a dyn Fn(&Path) -> Result<Document, Fault>,
    /// The key line.
    pub line: &'a Line,
    /// The environment that the caller says it works for.
    pub environment: Option<Environment>,
    /// The file that appears once everything is done; it must not exist.
    pub output: &'a Path,
    /// Why.
    pub reason: Option<&'a str>,
    /// Why the profile's brake is released, when it is.
    pub released: Option<&'a str>,
    /// Do everything but the signature.
    pub dry_run: bool,
}

/// Signs a document. A refusal, whatever its cause, is recorded as a denied attempt.
pub fn sign(
    vault: &mut Vault<'_>,
    signing: &Signing<'_>,
    approver: &mut dyn Approver,
    random: &mut dyn CryptoRng,
) -> Result<(Review, Option<Signed>), Fault> {
    let mut touched = false;
    attempt(vault, signing, approver, random, &mut touched).map_err(|fault| {
        let fault = fault.but("nothing was signed");
        if touched || signing.dry_run {
            return fault;
        }
        let about = json!({
            "kind": signing.kind.name(),
            "key": signing.line.to_string(),
            "document": signing.document.display().to_string(),
            "reason": signing.reason,
        });
        vault.deny("sign", &about, fault)
    })
}

fn attempt(
    vault: &mut Vault<'_>,
    signing: &Signing<'_>,
    approver: &mut dyn Approver,
    random: &mut dyn CryptoRng,
    touched: &mut bool,
) -> Result<(Review, Option<Signed>), Fault> {
    if disk::exists(signing.output) {
        return Err(disk::EXISTS
            .fault(format!("{} exists already", signing.output.display()))
            .hint("name another file with --output, or move the old one away"));
    }
    let (kind, line, document) = (signing.kind, signing.line, (signing.open)(signing.document)?);
    let terms =
        Terms { line, environment: signing.environment, released: signing.released, now: vault.now() };
    let (review, prepared) = review(vault, kind, &document, terms, random)?;
    approver.show(&review)?;
    review.check()?;
    if signing.dry_run {
        return Ok((review, None));
    }
    let mut output = Pending::beside(signing.output)?;
    output.reserve(prepared.length_max())?;
    let mut record = vault.last_signed_pending(line, kind.name())?;
    let confirmation = approver.confirm(&review.request)?;
    let octets = prepared.octets().to_vec();
    let approval = review.approve(octets, prepared.scheme(), &confirmation, signing.reason)?;
    *touched = true;
    let (signed, review) = vault.sign(approval, approver, &mut |signature| {
        let mut hashing = Hashing::new(&mut output);
        prepared.finish(signature, &mut hashing, &mut record)?;
        hashing.flush().map_err(|e| disk::fault("write", signing.output, &e))?;
        Ok(Delivered { digest: hashing.finish().0, name: signing.output.display().to_string() })
    })?;
    output.publish()?;
    record.replace()?;
    Ok((review, Some(signed)))
}
