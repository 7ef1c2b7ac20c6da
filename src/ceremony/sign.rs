//! The heart of the program: review, approve, record, sign, verify, and only then let go.

use std::io::Write;
use std::path::{Path, PathBuf};

use rand_core::CryptoRng;
use serde_json::json;

use super::audit::{deliver, fresh};
use super::{Approver, review};
use crate::artefact::Kind;
use crate::base::bytes::Hashing;
use crate::base::disk::{self, Document, Pending};
use crate::base::fault::Fault;
use crate::custody::{Delivered, Signed, Vault};
use crate::key::{Environment, Line};
use crate::policy::{Profile, Review};

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
    let (review, prepared) = review(vault, kind, &document, line, signing.environment, vault.now(), random)?;
    approver.show(&review)?;
    review.check()?;
    if signing.dry_run {
        return Ok((review, None));
    }
    let mut output = Pending::beside(signing.output)?;
    output.reserve(prepared.length_max())?;
    let proof_path = proof_path(vault, line, signing.output)?;
    let proof = proof_path.as_deref().map(fresh).transpose()?;
    let confirmation = approver.confirm(&review.request)?;
    let octets = prepared.octets().to_vec();
    let approval = review.approve(octets, prepared.scheme(), &confirmation, signing.reason)?;
    *touched = true;
    let (signed, review) = vault.sign(approval, approver, &mut |signature| {
        let mut hashing = Hashing::new(&mut output);
        prepared.finish(signature, &mut hashing)?;
        hashing.flush().map_err(|e| disk::fault("write", signing.output, &e))?;
        Ok(Delivered { digest: hashing.finish().0, name: signing.output.display().to_string() })
    })?;
    if let (Some(path), Some(pending)) = (&proof_path, proof) {
        // Before the document: none is out without its proof.
        deliver(Some(pending), Some(path), &vault.evidence()?.text())?;
    }
    output.publish()?;
    vault.remember(line, kind.name(), &review.facts)?;
    Ok((review, Some(signed)))
}

/// Where the proof of the signature goes, when the profile asks for one.
fn proof_path(vault: &Vault<'_>, line: &Line, output: &Path) -> Result<Option<PathBuf>, Fault> {
    let profile = Profile::parse(&vault.profile_text(line)?)?;
    let name = profile.ledger.proof.then(|| {
        let mut name = output.as_os_str().to_owned();
        name.push(".tlog-proof");
        PathBuf::from(name)
    });
    Ok(name)
}
