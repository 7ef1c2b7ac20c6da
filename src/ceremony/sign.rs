//! The heart of the program: review, approve, record, sign, verify, and only then let go.

use std::io::Write;
use std::path::{Path, PathBuf};

use rand_core::CryptoRng;
use serde_json::json;

use super::audit::{deliver, fresh};
use super::{Approver, Terms, review};
use crate::artefact::{Kind, Prepared};
use crate::base::bytes::{Digest, Hashing};
use crate::base::disk::{self, Document, Pending};
use crate::base::fault::{Fault, INTERNAL};
use crate::custody::{Delivered, Signed, Vault};
use crate::key::{Environment, Line, Signature};
use crate::policy::{Approval, Profile, Review};

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

/// What came of it.
pub struct Done {
    /// The review.
    pub review: Review,
    /// The signature; `None` after a dry run.
    pub signed: Option<Signed>,
    /// The files beside the document.
    pub beside: Vec<PathBuf>,
    /// What went wrong after the document was out: nothing that takes it back.
    pub afterthought: Option<Fault>,
}

/// Signs a document. A refusal, whatever its cause, is recorded as a denied attempt.
pub fn sign(
    vault: &mut Vault<'_>,
    signing: &Signing<'_>,
    approver: &mut dyn Approver,
    random: &mut dyn CryptoRng,
) -> Result<Done, Fault> {
    let document = (signing.open)(signing.document).map_err(|fault| refuse(vault, signing, fault))?;
    let ready = ready(vault, signing, &document, approver, random);
    let ready = match ready.map_err(|fault| refuse(vault, signing, fault))? {
        Ready::Dry(dry) => {
            let (review, beside) = *dry;
            return Ok(Done { review, signed: None, beside, afterthought: None });
        }
        Ready::Signing(ready) => ready,
    };
    let Approved { prepared, mut output, mut beside, proof, mut record, approval } = *ready;
    let (signed, review) = vault.sign(approval, approver, &mut |signature| {
        let mut hashing = Hashing::new(&mut output);
        prepared.finish(signature, &mut hashing, &mut record)?;
        hashing.flush().map_err(|e| disk::fault("write", signing.output, &e))?;
        let written = write_beside(prepared.as_ref(), signature, &mut beside)?;
        let name = signing.output.display().to_string();
        Ok(Delivered { digest: hashing.finish().0, name, beside: written })
    })?;
    let (beside, pending) = beside.into_iter().unzip();
    publish(vault, output, pending, proof).map_err(|fault| {
        let entry = signed.intent;
        fault.but(&format!("it was signed and recorded as entry {entry}, and not delivered: sign it again"))
    })?;
    let afterthought = record.replace().err();
    Ok(Done { review, signed: Some(signed), beside, afterthought })
}

/// Records that a document was not signed, and why.
fn refuse(vault: &mut Vault<'_>, signing: &Signing<'_>, fault: Fault) -> Fault {
    let fault = fault.but("nothing was signed");
    if signing.dry_run {
        return fault;
    }
    let about = json!({
        "kind": signing.kind.name(),
        "key": signing.line.to_string(),
        "document": signing.document.display().to_string(),
        "reason": signing.reason,
    });
    vault.deny("sign", &about, fault)
}

enum Ready<'d> {
    Dry(Box<(Review, Vec<PathBuf>)>),
    Signing(Box<Approved<'d>>),
}

struct Approved<'d> {
    prepared: Box<dyn Prepared + 'd>,
    output: Pending,
    /// What stands beside the document, in the order in which the kind names it.
    beside: Vec<(PathBuf, Pending)>,
    proof: Option<(PathBuf, Pending)>,
    /// What the next review compares with.
    record: Pending,
    approval: Approval,
}

/// Everything that comes before the ledger and the key.
fn ready<'d>(
    vault: &Vault<'_>,
    signing: &Signing<'_>,
    document: &'d Document,
    approver: &mut dyn Approver,
    random: &mut dyn CryptoRng,
) -> Result<Ready<'d>, Fault> {
    let output = fresh(signing.output)?;
    let (kind, line) = (signing.kind, signing.line);
    let terms =
        Terms { line, environment: signing.environment, released: signing.released, now: vault.now() };
    let (review, prepared) = review(vault, kind, document, terms, random)?;
    let beside = prepared.beside().into_iter().map(|ending| {
        let path = followed_by(signing.output, ending);
        fresh(&path).map(|file| (path, file))
    });
    let beside = beside.collect::<Result<Vec<_>, Fault>>()?;
    approver.show(&review)?;
    review.check()?;
    if signing.dry_run {
        return Ok(Ready::Dry(Box::new((review, beside.into_iter().map(|(path, _)| path).collect()))));
    }
    output.reserve(prepared.length_max())?;
    let proof = proof_path(vault, line, signing.output)?.map(|path| fresh(&path).map(|file| (path, file)));
    let proof = proof.transpose()?;
    let record = vault.last_signed_pending(line, kind.name(), &kind.subject(document)?)?;
    let confirmation = approver.confirm(&review.request)?;
    let octets = prepared.octets().to_vec();
    let approval = review.approve(octets, prepared.scheme(), &confirmation, signing.reason)?;
    Ok(Ready::Signing(Box::new(Approved { prepared, output, beside, proof, record, approval })))
}

/// Writes what stands beside the document; yields names and digests.
fn write_beside(
    prepared: &dyn Prepared,
    signature: &Signature,
    pending: &mut [(PathBuf, Pending)],
) -> Result<Vec<(String, Digest)>, Fault> {
    let contents = prepared.finish_beside(signature)?;
    if contents.len() != pending.len() {
        return Err(INTERNAL.fault("another number of files stands beside the document than was said"));
    }
    let mut written = Vec::new();
    for ((path, pending), bytes) in pending.iter_mut().zip(contents) {
        pending.write_all(&bytes).map_err(|e| disk::fault("write", path, &e))?;
        written.push((path.display().to_string(), Digest::of(&bytes)));
    }
    Ok(written)
}

/// The proof and what stands beside the document before the document: none is out without them.
fn publish(
    vault: &mut Vault<'_>,
    output: Pending,
    beside: Vec<Pending>,
    proof: Option<(PathBuf, Pending)>,
) -> Result<(), Fault> {
    if let Some((path, pending)) = proof {
        deliver(Some(pending), Some(&path), &vault.evidence()?.text())?;
    }
    beside.into_iter().try_for_each(Pending::publish)?;
    output.publish()
}

/// A path with this ending.
fn followed_by(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Where the proof of the signature goes, when the profile asks for one.
fn proof_path(vault: &Vault<'_>, line: &Line, output: &Path) -> Result<Option<PathBuf>, Fault> {
    let profile = Profile::parse(&vault.profile_text(line)?)?;
    Ok(profile.ledger.proof.then(|| followed_by(output, ".tlog-proof")))
}
