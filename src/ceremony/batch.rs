//! Signing a batch: what stands is looked at first and never trusted; only what needs it is signed, under one intent; all
//! of it is made durable unseen, recorded, and then published file by file.
//!
//! What an interrupted run had signed lies in the folder, unseen: it is looked at like what was published, and published
//! without being signed again. So the power may go at any moment: each name in the folder is whole or absent.

use std::path::Path;
use std::sync::atomic::AtomicU64;

use super::attempt::{Attempt, other_signer};
use super::carrying::Carrying;
use super::documents::{Documents, Published, Seen};
use super::index::{Gone, Index};
use super::pieces::{OnRecord, Work};
use super::proofs::{self, Proofs};
use super::review::Standing as OfLine;
use super::{Approver, Evidence, Terms};
use crate::artefact::{Batch, Draft, Judged, Kind, Member, Standing};
use crate::base::below::{Below, Strays};
use crate::base::bytes::Digest;
use crate::base::cores;
use crate::base::disk::{self, Document, Pending};
use crate::base::fault::Fault;
use crate::base::staging::Staging;
use crate::custody::{Catalogue, SignedBatch, Vault};
use crate::key::Line;
use crate::policy::{BatchApproval, Review};

/// More than a signature with its certificate adds to a document.
const SIGNATURE_BYTES: u64 = 16 * 1024;

/// What is to be split and signed, with which key, and where it goes.
#[derive(Clone, Copy)]
pub struct Splitting<'a> {
    /// The kind of document.
    pub kind: &'a dyn Kind,
    /// The document.
    pub document: &'a Path,
    /// Opens the document.
    pub open: &'a dyn Fn(&Path) -> Result<Document, Fault>,
    /// Which key, and what is said about it.
    pub terms: Terms<'a>,
    /// The folder that is renewed.
    pub folder: &'a Path,
    /// The folder for the same documents signed by the other key of a double publication.
    pub copy: Option<&'a Path>,
    /// Why.
    pub reason: Option<&'a str>,
    /// Whether files of what is no longer in the document are removed.
    pub prune: bool,
    /// Do everything but the signatures and the files.
    pub dry_run: bool,
    /// Counts the documents that are signed, while they are.
    pub signed: &'a AtomicU64,
    /// The folder of nameless files in which something waits.
    pub scratch: &'a Path,
}

impl<'a> Splitting<'a> {
    /// Whether what left is news, or loses its files now.
    fn withdraws(&self, gone: &[Gone]) -> bool {
        gone.iter().any(|gone| self.prune || gone.is_news)
    }

    fn attempt(&self) -> Attempt<'a> {
        let Self { kind, document, reason, dry_run, .. } = *self;
        Attempt { kind, line: self.terms.line, document, reason, dry_run }
    }

    /// The same documents for the other key of a double publication, where a copy was asked for.
    fn copy(&self, vault: &Vault<'_>) -> Result<Option<Self>, Fault> {
        let Some(folder) = self.copy else { return Ok(None) };
        let version = Some(other_signer(vault, self.terms.line, self.kind, self.terms.now)?);
        Ok(Some(Self { folder, copy: None, terms: Terms { version, ..self.terms }, ..*self }))
    }
}

/// What came of it.
pub struct Batched {
    /// The review.
    pub review: Review,
    /// The documents, in the order of the input.
    pub documents: Documents,
    /// What was published before and is no longer in the document.
    pub gone: Vec<Gone>,
    /// How many of the files of these were removed.
    pub removed: usize,
    /// What stands in the folder and belongs to no document.
    pub strays: Strays,
    /// The signatures; `None` when none was needed, or after a dry run.
    pub signed: Option<SignedBatch>,
    /// The entry that has what an interrupted run signed, where none had it before.
    pub resumed: Option<u64>,
    /// The entry that has what left.
    pub withdrawn: Option<u64>,
    /// Whether anything in the folder changed, or would have.
    pub changed: bool,
    /// The same for the copy that another key signed.
    pub copy: Option<Box<Self>>,
    /// What went wrong after the documents were out: nothing that takes them back.
    pub afterthought: Option<Fault>,
}

/// Splits a document and signs what needs it. A refusal, whatever its cause, is recorded as a denied attempt.
///
/// With a copy, neither folder shows anything before the documents of both are signed and recorded. What comes between leaves
/// them unseen in the folders, and the next run publishes them.
pub fn sign_batch(
    vault: &mut Vault<'_>,
    splitting: &Splitting<'_>,
    approver: &mut dyn Approver,
) -> Result<Batched, Fault> {
    let document =
        (splitting.open)(splitting.document).map_err(|fault| splitting.attempt().refuse(vault, fault))?;
    let both = ready(vault, splitting, &document, approver).and_then(|first| {
        let copy = splitting.copy(vault)?;
        let second = copy.as_ref().map(|copy| ready(vault, copy, &document, approver)).transpose()?;
        Ok((first, copy.zip(second)))
    });
    let (first, second) = both.map_err(|fault| splitting.attempt().refuse(vault, fault))?;
    let first = record(vault, splitting, first, approver)?;
    let again = first.signed.as_ref().map(|signed| signed.intent);
    let copy = second.map(|(copy, second)| {
        let second = record(vault, &copy, second, approver)?;
        second.publish(&copy).map(|(batched, _)| Box::new(batched))
    });
    let copy = copy.transpose().map_err(|fault| unpublished(again, fault.at("the copy")))?;
    let (batched, kept) = first.publish(splitting)?;
    let afterthought = kept.and_then(|kept| kept.keep(vault, splitting, &batched.documents).err());
    Ok(Batched { copy, afterthought, ..batched })
}

fn unpublished(intent: Option<u64>, fault: Fault) -> Fault {
    match intent {
        Some(intent) => fault.but(&format!(
            "what is signed and recorded as entry {intent} waits unseen: run it again to publish them"
        )),
        None => fault,
    }
}

/// Documents that are signed and recorded, and still unseen.
struct Recorded<'d> {
    batch: Box<dyn Batch + 'd>,
    documents: Documents,
    review: Review,
    signed: Option<SignedBatch>,
    resumed: Option<u64>,
    gone: Vec<Gone>,
    withdrawn: Option<u64>,
    has_proofs: bool,
    evidence: Option<Result<Evidence, Fault>>,
    site: Option<Site>,
    is_needed: bool,
}

/// Lets the key sign what was approved.
fn record<'d>(
    vault: &mut Vault<'_>,
    splitting: &Splitting<'_>,
    ready: Ready<'d>,
    approver: &mut dyn Approver,
) -> Result<Recorded<'d>, Fault> {
    let Ready { batch, documents, places, consent, has_proofs, site, carrying, gone } = ready;
    let is_needed = !places.is_empty();
    let channel = vault.channel_for(splitting.terms.line, splitting.kind.name())?;
    let terms = OnRecord { batch: batch.as_ref(), documents: &documents, channel, carrying: &carrying };
    let resumed = terms
        .resume(vault, consent.review(), splitting)
        .map_err(|fault| fault.but("nothing was signed or published"))?;
    let is_leaving = site.is_some() && splitting.withdraws(&gone);
    let about = (consent.review().key.clone(), consent.review().kind);
    let (signed, review, evidence) = match (consent, &site) {
        (Consent::Approval(approval), Some(Site { staging, .. })) if is_needed => {
            let work = Work { staging, places: &places, terms: &terms, signed: splitting.signed };
            let (signed, review) = vault.sign_batch(*approval, approver, &work)?;
            (Some(signed), review, has_proofs.then(|| vault.evidence()))
        }
        (consent, _) => (None, consent.into_review(), None),
    };
    let withdrawn = is_leaving.then(|| {
        let ids: Vec<&str> = gone.iter().map(|gone| gone.id.as_str()).collect();
        let of = (&about.0, about.1, &*splitting.folder.display().to_string());
        let intent = signed.as_ref().map(|signed: &SignedBatch| signed.intent);
        let noted = vault.note_withdrawn(of, &ids, splitting.prune, splitting.reason);
        noted.map_err(|fault| unpublished(intent, fault))
    });
    let withdrawn = withdrawn.transpose()?;
    Ok(Recorded {
        batch,
        documents,
        review,
        signed,
        resumed,
        gone,
        withdrawn,
        has_proofs,
        evidence,
        site,
        is_needed,
    })
}

impl<'d> Recorded<'d> {
    /// Gives everything its names. Yields what the next review compares with, where there is news.
    fn publish(self, splitting: &Splitting<'_>) -> Result<(Batched, Option<Kept<'d>>), Fault> {
        let Self { batch, documents, review, signed, resumed, gone, withdrawn, .. } = self;
        let Self { has_proofs, evidence, site, is_needed: changed, .. } = self;
        let (removed, copy, afterthought, strays) = (0, None, None, Strays::default());
        let mut batched = Batched {
            review,
            documents,
            gone,
            removed,
            strays,
            signed,
            resumed,
            withdrawn,
            changed,
            copy,
            afterthought,
        };
        let Batched { review, documents, gone, signed, .. } = &batched;
        let index = Index { key: &review.key, batch: batch.as_ref(), documents, has_proofs };
        let Some(Site { staging, about, record }) = site else {
            if disk::exists(splitting.folder) {
                batched.strays = index.strays(&Below::open(splitting.folder)?, gone)?;
            }
            return Ok((batched, None));
        };
        let proved = match (signed, evidence) {
            (Some(signed), Some(evidence)) => {
                evidence.and_then(|evidence| proofs::publish(evidence, &signed.artefacts, &staging))
            }
            _ => Ok(()),
        };
        let done = proved.and_then(|()| publish(splitting, staging, &index, gone));
        let (changed, removed, strays) =
            done.map_err(|fault| unpublished(signed.as_ref().map(|signed| signed.intent), fault))?;
        let is_news = changed || review.changes.as_ref().is_none_or(|changes| !changes.is_none());
        (batched.changed, batched.removed, batched.strays) = (changed, removed, strays);
        let kept = Kept { batch, about, record: is_news.then_some(record) };
        Ok((batched, Some(kept)))
    }
}

/// What the next review compares with.
struct Kept<'d> {
    batch: Box<dyn Batch + 'd>,
    /// What the whole document is about.
    about: String,
    /// That of the whole document, where there is news.
    record: Option<Pending>,
}

impl Kept<'_> {
    fn keep(self, vault: &Vault<'_>, splitting: &Splitting<'_>, documents: &Documents) -> Result<(), Fault> {
        let (kind, line) = (splitting.kind, splitting.terms.line);
        if let Some(record) = self.record {
            let record = record.document("the record of what was signed")?;
            vault.keep_last_signed(line, kind.name(), &self.about, &record)?;
        }
        keep_each(vault, line, self.batch.as_ref(), documents)
    }
}

/// Keeps what the next review of each document compares with: of those that are news, and of those that have none.
fn keep_each(vault: &Vault<'_>, line: &Line, batch: &dyn Batch, documents: &Documents) -> Result<(), Fault> {
    if documents.count() == 0 || batch.record_of(0)?.is_none() {
        return Ok(());
    }
    let catalogue: &Catalogue = vault;
    let news = |at| {
        let Some((kind, subject)) = batch.record_of(at)? else { return Ok(None) };
        let is_news = documents.stands(at)?.0 != Standing::Current;
        let is_wanted = is_news || !catalogue.has_last_signed(line, kind, &subject);
        Ok(is_wanted.then_some((kind, subject)))
    };
    vault.keep_each_last_signed(line, documents.count(), &news, &|at| batch.record(at))
}

struct Ready<'d> {
    batch: Box<dyn Batch + 'd>,
    documents: Documents,
    /// Which of them are signed now.
    places: Vec<usize>,
    consent: Consent,
    has_proofs: bool,
    carrying: Carrying,
    /// What was published before and is no longer in the document.
    gone: Vec<Gone>,
    /// Nowhere, in a dry run.
    site: Option<Site>,
}

struct Site {
    staging: Staging,
    /// What the document is about.
    about: String,
    /// What the next review compares with.
    record: Pending,
}

/// What the review led to.
enum Consent {
    /// Nothing is to be signed.
    Review(Box<Review>),
    Approval(Box<BatchApproval>),
}

impl Consent {
    fn review(&self) -> &Review {
        match self {
            Self::Review(review) => review,
            Self::Approval(approval) => approval.review(),
        }
    }

    fn into_review(self) -> Review {
        match self {
            Self::Review(review) => *review,
            Self::Approval(approval) => approval.into_review(),
        }
    }
}

/// Everything that comes before the ledger and the key.
fn ready<'d>(
    vault: &Vault<'_>,
    splitting: &Splitting<'_>,
    document: &'d Document,
    approver: &mut dyn Approver,
) -> Result<Ready<'d>, Fault> {
    let (kind, terms) = (splitting.kind, splitting.terms);
    let line = OfLine::of(vault, kind, document, terms)?;
    let proofs = line.profile.ledger.proof.then(|| Proofs::of(vault)).transpose()?;
    let staging = if splitting.dry_run { None } else { Some(Staging::open(splitting.folder)?) };
    let below = disk::exists(splitting.folder).then(|| Below::open(splitting.folder)).transpose()?;
    let beside = staging.as_ref().map_or(splitting.scratch, |staging| staging.folder().path());
    let mut record = Pending::beside(&beside.join("record"))?;
    let spare = Pending::beside(&splitting.scratch.join("spare"))?;
    let seen = Seen::new(Pending::beside(&splitting.scratch.join("seen"))?)?;
    let look = |at: usize, member: &Member, draft: &dyn Draft| {
        let mut found = Published::new(member, draft)?;
        let stands = Around { below: below.as_ref(), staging: staging.as_ref(), proofs: proofs.as_ref() };
        found.look(draft, &stands, 2 * member.length + SIGNATURE_BYTES)?;
        seen.note(at, &found)
    };
    let batch = kind.split(document, &line.terms(terms), spare, &mut record, Some(&look))?;
    let documents = seen.of(batch.members())?;
    let (mut places, mut digests) = (Vec::new(), Vec::new());
    for at in 0..documents.count() {
        if documents.stands(at)?.0 == Standing::Current {
            continue;
        }
        if let Some(octets) = documents.octets(at)? {
            places.push(at);
            digests.push(octets);
        }
    }
    let review = line.review_batch(kind, terms, batch.as_ref(), &digests)?;
    approver.show(&review)?;
    review.check()?;
    let carrying = Carrying::of(vault, terms.line, kind.name(), batch.examined())?;
    let about = line.about;
    let site = staging.map(|staging| Site { staging, about, record });
    let gone = Index::gone(below.as_ref(), batch.as_ref(), line.last.as_ref(), kind.is_tree())?;
    let has_proofs = proofs.is_some();
    // Who leaves is withdrawn by somebody who is asked, as who comes is signed.
    let wants_consent = !places.is_empty() || splitting.withdraws(&gone);
    let Some(Site { staging, .. }) = site.as_ref().filter(|_| wants_consent) else {
        let consent = Consent::Review(Box::new(review));
        return Ok(Ready { batch, documents, places, consent, has_proofs, carrying, gone, site });
    };
    let beside = if has_proofs { proofs::BYTES } else { 0 };
    make_room(staging, batch.as_ref(), &places, SIGNATURE_BYTES + beside)?;
    let confirmation = approver.confirm(&review.request)?;
    let approval = review.approve_batch(digests, batch.scheme(), &confirmation, splitting.reason)?;
    let consent = Consent::Approval(Box::new(approval));
    Ok(Ready { batch, documents, places, consent, has_proofs, carrying, gone, site })
}

/// Throws away what an interrupted run left and is of no use, and finds a full disk before a key is touched.
fn make_room(staging: &Staging, batch: &dyn Batch, places: &[usize], bytes_each: u64) -> Result<(), Fault> {
    let mut bytes = 0;
    for &at in places {
        let member = batch.members().member(at)?;
        bytes += member.length + bytes_each;
        if let Some(name) = member.names.first() {
            staging.discard(name)?;
        }
    }
    staging.check_room(bytes)
}

/// Where something may stand for a document.
struct Around<'a> {
    /// The folder, where there is one.
    below: Option<&'a Below>,
    /// Where an interrupted run may have left something unseen.
    staging: Option<&'a Staging>,
    /// What a document has to have beside it.
    proofs: Option<&'a Proofs>,
}

impl Published {
    fn new(member: &Member, draft: &dyn Draft) -> Result<Self, Fault> {
        Ok(Self {
            id: member.id.clone(),
            names: member.names.clone(),
            media_type: member.media_type,
            standing: Standing::New,
            is_adopted: false,
            content: draft.content()?,
            file: None,
            valid_until: draft.valid_until(),
            octets: None,
        })
    }

    /// Looks at what stands for a document, published or left unseen by an interrupted run. Only what is not current is
    /// digested to be signed.
    fn look(&mut self, draft: &dyn Draft, stands: &Around<'_>, bytes_max: u64) -> Result<(), Fault> {
        let first = self.names.first().map_or("", String::as_str);
        let left = stands.staging.and_then(|staging| staging.unpublished(first, bytes_max));
        if let Some(below) = stands.below {
            self.names.iter().try_for_each(|name| below.check(name))?;
            match below.read(first, bytes_max) {
                Ok(bytes) => self.standing = self.take(draft, stands, &bytes),
                Err(fault) if fault.code() == &disk::MISSING => {}
                Err(_) => self.standing = Standing::Foreign,
            }
        }
        if self.standing == Standing::Current {
            return Ok(());
        }
        self.is_adopted = left.is_some_and(|bytes| self.take(draft, stands, &bytes) == Standing::Current);
        if !self.is_adopted {
            self.octets = Some(Digest::of(&draft.octets()?));
        }
        Ok(())
    }

    /// Judges what stands, and takes it where it is current.
    fn take(&mut self, draft: &dyn Draft, stands: &Around<'_>, bytes: &[u8]) -> Standing {
        let Judged { standing, valid_until } = draft.judge(bytes);
        if standing != Standing::Current {
            return standing;
        }
        let digest = Digest::of(bytes);
        let proved = |proofs: &Proofs| stands.below.is_some_and(|below| proofs.holds(below, &digest));
        if !stands.proofs.is_none_or(proved) {
            return Standing::Unproven;
        }
        (self.file, self.valid_until) = (Some((digest, bytes.len() as u64)), valid_until);
        Standing::Current
    }
}

/// Gives everything its names. Yields whether anything changed, how many files were removed, and what belongs to nothing.
fn publish(
    splitting: &Splitting<'_>,
    staging: Staging,
    index: &Index<'_>,
    gone: &[Gone],
) -> Result<(bool, usize, Strays), Fault> {
    let name = |at| {
        let names = index.batch.members().member(at)?.names;
        let is_current = index.documents.stands(at)?.0 == Standing::Current;
        if is_current { staging.mend(&names) } else { staging.publish(&names).map(|()| true) }
    };
    let mut changed = false;
    let mut note = |is_news| {
        changed |= is_news;
        Ok(())
    };
    cores::stream((0..index.documents.count()).map(Ok), &name, &mut note)?;
    let beside: Vec<_> = index.batch.beside().into_iter().map(|(name, _, bytes)| (name, bytes)).collect();
    changed |= staging.put(&beside)?;
    let stands = |gone: &&Gone| gone.names.iter().any(|name| staging.folder().exists(name));
    let standing: Vec<Gone> = gone.iter().filter(stands).cloned().collect();
    let mut removed = 0;
    for name in standing.iter().filter(|_| splitting.prune).flat_map(|gone| &gone.names) {
        staging.remove(name)?;
        removed += 1;
    }
    let listed = if splitting.prune { &[][..] } else { &standing };
    changed |= index.write(staging.folder(), listed)? || removed > 0;
    if index.has_proofs {
        proofs::clear(&staging, index.documents, listed)?;
    }
    let strays = index.strays(staging.folder(), listed)?;
    staging.close()?;
    Ok((changed, removed, strays))
}
