//! The heart of the program: review, approve, record, sign, verify, and only then let go.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rand_core::CryptoRng;

use super::attempt::{Attempt, other_signer};
use super::audit::fresh;
use super::carrying::Carrying;
use super::review::Standing;
use super::{Approver, STREAM, Terms};
use crate::artefact::{Kind, Prepared};
use crate::base::bytes::{Digest, Hashing};
use crate::base::clock::Instant;
use crate::base::disk::{self, Document, Pending};
use crate::base::fault::{Fault, INTERNAL};
use crate::base::gzip;
use crate::base::random::{Random, Repeated};
use crate::custody::{self, Carries, Delivered, Signed, Vault};
use crate::key::{Environment, Line, Signature};
use crate::policy::{Approval, MISCONFIRMED, Profile, Review};

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
    /// Which of its keys; the one that signs, when none is named.
    pub version: Option<u32>,
    /// The environment that the caller says it works for.
    pub environment: Option<Environment>,
    /// Where the signed document goes once everything is done.
    pub output: Target<'a>,
    /// Where the copy goes that the other key of a double publication signs: the successor, or the predecessor until its
    /// notice is over.
    pub copy: Option<&'a Path>,
    /// Why.
    pub reason: Option<&'a str>,
    /// Why the profile's brake is released, when it is.
    pub released: Option<&'a str>,
    /// Do everything but the signature.
    pub dry_run: bool,
}

/// Where a signed document goes; compressed, where the name ends in `.gz`.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    /// A file; it must not exist.
    File(&'a Path),
    /// A stream, which gets the document when it is signed, verified and recorded.
    Stream {
        /// What it is called.
        name: &'a str,
        /// The folder of the nameless file in which the document waits.
        folder: &'a Path,
        /// Writes it.
        deliver: &'a dyn Fn(&mut dyn Read) -> Result<(), Fault>,
    },
}

impl Target<'_> {
    /// What it is called.
    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stream { name, .. } => (*name).to_owned(),
        }
    }

    fn is_compressed(&self) -> bool {
        matches!(self, Self::File(path) if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz")))
    }

    /// A file on its way to the target.
    fn pending(&self) -> Result<Pending, Fault> {
        match self {
            Self::File(path) => fresh(path),
            Self::Stream { .. } => self.beside(),
        }
    }

    /// A nameless file where the target's own is.
    fn beside(&self) -> Result<Pending, Fault> {
        match self {
            Self::File(path) => Pending::beside(path),
            Self::Stream { folder, name, .. } => Pending::beside(&folder.join(name)),
        }
    }
}

impl<'a> Signing<'a> {
    fn attempt(&self) -> Attempt<'a> {
        let Self { kind, document, line, reason, dry_run, .. } = *self;
        Attempt { kind, line, document, reason, dry_run }
    }

    /// The same document for the other key of a double publication, where a copy was asked for.
    fn copy(&self, vault: &Vault<'_>, now: Instant) -> Result<Option<Self>, Fault> {
        let Some(path) = self.copy else { return Ok(None) };
        let version = Some(other_signer(vault, self.line, self.kind, now)?);
        Ok(Some(Self { version, output: Target::File(path), copy: None, ..*self }))
    }
}

/// What came of it.
pub struct Done {
    /// The review.
    pub review: Review,
    /// The signature; `None` after a dry run.
    pub signed: Option<Signed>,
    /// The files beside the document.
    pub beside: Vec<PathBuf>,
    /// The copy that another key signed.
    pub copy: Option<Copied>,
    /// What went wrong after the document was out: nothing that takes it back.
    pub afterthought: Option<Fault>,
}

/// The copy of a double publication.
pub struct Copied {
    /// Its review: the same document, another key.
    pub review: Review,
    /// The signature; `None` after a dry run.
    pub signed: Option<Signed>,
}

/// Signs a document. A refusal, whatever its cause, is recorded as a denied attempt.
pub fn sign(
    vault: &mut Vault<'_>,
    signing: &Signing<'_>,
    approver: &mut dyn Approver,
    mut random: &mut dyn CryptoRng,
) -> Result<Done, Fault> {
    let document =
        (signing.open)(signing.document).map_err(|fault| signing.attempt().refuse(vault, fault))?;
    // Of two copies that two keys sign, everything else is the same.
    let (seed, now) = (random.array(), vault.now());
    let both = ready(vault, signing, &document, approver, (now, seed)).and_then(|first| {
        let copy = signing.copy(vault, now)?;
        let second = copy.as_ref().map(|copy| ready(vault, copy, &document, approver, (now, seed)));
        Ok((first, copy.zip(second.transpose().map_err(of_copy)?)))
    });
    let (first, second) = match both.map_err(|fault| signing.attempt().refuse(vault, fault))? {
        (Ready::Dry(dry), second) => {
            let (review, beside) = *dry;
            let copy = second.and_then(|(_, second)| match second {
                Ready::Dry(dry) => Some(Copied { review: dry.0, signed: None }),
                Ready::Signing(_) => None,
            });
            return Ok(Done { review, signed: None, beside, copy, afterthought: None });
        }
        (Ready::Signing(first), second) => (first, second),
    };
    let left = first.left;
    let first = record(vault, signing, (*first, left), approver)?;
    let second = match second {
        Some((copy, Ready::Signing(second))) => Some(record(vault, &copy, (*second, left), approver)),
        _ => None,
    };
    let entry = first.signed.intent;
    let second = second.transpose().map_err(|fault| undelivered(entry, &fault.at("the copy")))?;
    let Recorded { review, signed, output, names: beside, files, kept, subject } = first;
    let (copy, mut before) = match second {
        Some(Recorded { review, signed, output, mut files, .. }) => {
            files.push(output);
            (Some(Copied { review, signed: Some(signed) }), files)
        }
        None => (None, vec![]),
    };
    before.extend(files);
    publish(signing.output, before, output).map_err(|fault| undelivered(entry, &fault))?;
    let afterthought = keep(vault, signing, &subject, &kept).err();
    Ok(Done { review, signed: Some(signed), beside, copy, afterthought })
}

/// The copy is a request of its own.
fn of_copy(fault: Fault) -> Fault {
    if fault.code() == &MISCONFIRMED {
        fault.at("the copy").hint("the copy wants its own --confirm, beside that of the document: `fedroot review --copy` prints it")
    } else {
        fault
    }
}

/// A document that is signed and recorded, and still unseen.
struct Recorded {
    review: Review,
    signed: Signed,
    output: Pending,
    /// What stands beside it.
    names: Vec<PathBuf>,
    /// The same on its way, behind the proof, where there is one.
    files: Vec<Pending>,
    kept: Pending,
    subject: String,
}

/// Lets the key sign what was approved; the record that is kept, of a copy and its original the same, has this digest.
fn record(
    vault: &mut Vault<'_>,
    signing: &Signing<'_>,
    (ready, left): (Approved<'_>, Digest),
    approver: &mut dyn Approver,
) -> Result<Recorded, Fault> {
    let Approved { subject, carries, prepared, mut output, mut beside, proof, record, approval, .. } = ready;
    let (channel, lists) = vault.channel_for(signing.line, signing.kind.name())?;
    let expires = prepared.expires();
    let (signed, review) = vault.sign(approval, approver, &mut |signatures| {
        let mut hashing = Hashing::new(&mut output);
        finish(prepared.as_ref(), signatures, signing.output, &mut hashing)?;
        let written = write_beside(prepared.as_ref(), signatures, &mut beside)?;
        let digest = hashing.finish().0;
        let document = custody::Document::new(&signing.output.name(), digest, expires, &lists);
        let document = document.carrying(&subject, carries.clone()).about(&subject);
        Ok(Delivered { digest, beside: written, channel: channel.clone(), document, record: Some(left) })
    })?;
    let (names, beside): (_, Vec<_>) = beside.into_iter().unzip();
    let proof = prove(vault, proof).map_err(|fault| undelivered(signed.intent, &fault))?;
    let files = proof.into_iter().chain(beside).collect();
    Ok(Recorded { review, signed, output, names, files, kept: record, subject })
}

/// Writes the proof of what was recorded last.
fn prove(vault: &mut Vault<'_>, proof: Option<(PathBuf, Pending)>) -> Result<Option<Pending>, Fault> {
    let Some((path, mut pending)) = proof else { return Ok(None) };
    let text = vault.evidence()?.text();
    pending.write_all(text.as_bytes()).map_err(|e| disk::fault("write", &path, &e))?;
    Ok(Some(pending))
}

fn undelivered(entry: u64, fault: &Fault) -> Fault {
    fault
        .clone()
        .but(&format!("it was signed and recorded as entry {entry}, and not delivered: sign it again"))
}

/// Keeps what the next review compares with.
fn keep(vault: &Vault<'_>, signing: &Signing<'_>, subject: &str, record: &Pending) -> Result<(), Fault> {
    let record = record.document("the record of what was signed")?;
    vault.keep_last_signed(signing.line, signing.kind.name(), subject, &record)
}

/// Writes and verifies the signed document.
fn finish(
    prepared: &dyn Prepared,
    signatures: &[Signature],
    target: Target<'_>,
    to: &mut dyn Write,
) -> Result<(), Fault> {
    let signature = signatures.first().ok_or_else(|| INTERNAL.fault("there is no signature"))?;
    // an error of the disk that no fault carries yet comes from the end of the compressed stream
    let compressed = |to: &mut dyn Write| {
        gzip::compressed(to, |to| prepared.finish(signature, to).map_err(io::Error::other)).map_err(|error| {
            error.downcast().unwrap_or_else(|error| disk::fault("write", target.name().as_ref(), &error))
        })
    };
    if target.is_compressed() { compressed(to) } else { prepared.finish(signature, to) }
}

enum Ready<'d> {
    Dry(Box<(Review, Vec<PathBuf>)>),
    Signing(Box<Approved<'d>>),
}

struct Approved<'d> {
    subject: String,
    carries: Vec<Carries>,
    prepared: Box<dyn Prepared + 'd>,
    output: Pending,
    /// What stands beside the document, in the order in which the kind names it.
    beside: Vec<(PathBuf, Pending)>,
    proof: Option<(PathBuf, Pending)>,
    /// What the next review compares with, and its digest.
    record: Pending,
    left: Digest,
    approval: Approval,
}

/// Everything that comes before the ledger and the key.
fn ready<'d>(
    vault: &Vault<'_>,
    signing: &Signing<'_>,
    document: &'d Document,
    approver: &mut dyn Approver,
    (now, seed): (Instant, [u8; 32]),
) -> Result<Ready<'d>, Fault> {
    let output = signing.output.pending()?;
    let mut record = signing.output.beside()?;
    let (kind, line) = (signing.kind, signing.line);
    let Signing { version, environment, released, .. } = *signing;
    let terms = Terms { line, version, environment, released, now };
    let standing = Standing::of(vault, kind, document, terms)?;
    let random = &mut Repeated::new(seed);
    let (review, prepared) = standing.review(kind, document, terms, random, Some(&mut record))?;
    let beside = beside(signing, prepared.as_ref())?;
    approver.show(&review)?;
    review.check()?;
    if signing.dry_run {
        return Ok(Ready::Dry(Box::new((review, beside.into_iter().map(|(path, _)| path).collect()))));
    }
    output.reserve(prepared.length_max())?;
    let left = record.document("the record of what is signed")?.digest()?;
    let (subject, profile) = (standing.about, standing.profile);
    let carries = Carrying::of(vault, line, kind.name(), prepared.examined())?.whole(&subject);
    let proof = proof_path(&profile, line, signing.output)?.map(|path| fresh(&path).map(|file| (path, file)));
    let proof = proof.transpose()?;
    let confirmation = approver.confirm(&review.request)?;
    let octets = prepared.octets().into_iter().map(<[u8]>::to_vec).collect();
    let approval = review.approve(octets, prepared.scheme(), &confirmation, signing.reason)?;
    Ok(Ready::Signing(Box::new(Approved {
        subject,
        carries,
        prepared,
        output,
        beside,
        proof,
        record,
        left,
        approval,
    })))
}

/// The files beside the output, on their way. A stream has none, and a signature of the text does not fit it compressed.
fn beside(signing: &Signing<'_>, prepared: &dyn Prepared) -> Result<Vec<(PathBuf, Pending)>, Fault> {
    let endings = prepared.beside();
    let path = match signing.output {
        _ if endings.is_empty() => return Ok(vec![]),
        Target::File(path) if !signing.output.is_compressed() => path,
        target => {
            let kind = signing.kind.name();
            return Err(STREAM
                .fault(format!("a document of the kind {kind} has its signature in a file beside it"))
                .hint(match target {
                    Target::Stream { .. } => "name a file with --output",
                    Target::File(_) => "name a file with --output that does not end in .gz",
                }));
        }
    };
    let pending = endings.into_iter().map(|ending| {
        let path = followed_by(path, ending);
        fresh(&path).map(|file| (path, file))
    });
    pending.collect()
}

/// Writes what stands beside the document; yields names and digests.
fn write_beside(
    prepared: &dyn Prepared,
    signatures: &[Signature],
    pending: &mut [(PathBuf, Pending)],
) -> Result<Vec<(String, Digest)>, Fault> {
    let contents = prepared.finish_beside(signatures)?;
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

/// The document last, and a copy that another key signed before it: none is out without the others.
fn publish(target: Target<'_>, mut before: Vec<Pending>, output: Pending) -> Result<(), Fault> {
    match target {
        Target::File(_) => {
            before.push(output);
            Pending::publish_all(before)
        }
        Target::Stream { name, deliver, .. } => {
            Pending::publish_all(before)?;
            deliver(&mut output.document(name)?.reader())
        }
    }
}

/// A path with this ending.
fn followed_by(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Where the proof of the signature goes, when the profile asks for one.
fn proof_path(profile: &Profile, line: &Line, output: Target<'_>) -> Result<Option<PathBuf>, Fault> {
    if !profile.ledger.proof {
        return Ok(None);
    }
    let Target::File(path) = output else {
        return Err(STREAM
            .fault(format!("the profile of {line} wants a proof beside each signed document"))
            .hint("name a file with --output"));
    };
    Ok(Some(followed_by(path, ".tlog-proof")))
}
