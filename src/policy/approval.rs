//! A review, and the approval that comes out of it: bound to exact octets, usable once.

use std::borrow::Cow;
use std::sync::Arc;

use super::{
    Confirmation, Confirmed, Difference, ENVIRONMENT, Examined, Fact, Facts, Finding, Items, Profile, REASON,
    REFUSED, Request,
};
use crate::base::bytes::{Digest, digest_of_list};
use crate::base::fault::{Fault, INTERNAL};
use crate::key::{Environment, KeyId, PublicKey, Scheme};

/// Everything a person should know before a document is signed.
pub struct Review {
    /// The kind of document.
    pub kind: &'static str,
    /// The key that would sign.
    pub key: KeyId,
    /// What the prepared document says: what the signature would cover.
    pub facts: Facts,
    /// What it says of its many items beside that.
    pub items: Option<Arc<dyn Items>>,
    /// What the rules found, the heaviest first.
    pub findings: Vec<Finding>,
    /// The difference to what this line signed last; `None` when it has signed nothing of this kind yet.
    pub changes: Option<Arc<Difference>>,
    /// What is left of what the line signed last.
    pub memory: Memory,
    /// Why the brake is released, when it is.
    pub released: Option<String>,
    /// What is asked of the key.
    pub request: Request,
    /// The digest of the document as it was given.
    pub document: Digest,
    /// The digest of the profile that the review went by.
    pub profile: Digest,
    covers: Covers,
    pub(super) public: PublicKey,
    require_reason: bool,
}

/// What would be signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Covers {
    /// One document: the digest of the list of its octets' digests ([`digest_of_list`]), one for each signature.
    Octets(Digest),
    /// A batch of this many documents, of which those that need it are signed: the digest of the list of their octets'
    /// digests.
    Batch {
        /// How many documents the batch consists of, signed now or not.
        documents: u64,
        /// The digest of the list.
        list: Digest,
    },
}

impl Covers {
    /// One document, by the octets that its signatures cover, in their order.
    pub fn octets<'a>(octets: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let digests: Vec<_> = octets.into_iter().map(Digest::of).collect();
        Self::Octets(digest_of_list(&digests))
    }
}

/// What a review is about.
pub struct Subject<'a> {
    /// The kind of document.
    pub kind: &'static str,
    /// The key that would sign.
    pub key: KeyId,
    /// Its public half.
    pub public: &'a PublicKey,
    /// The bytes of the line's profile.
    pub profile_text: &'a str,
    /// The facts of the prepared document.
    pub facts: Facts,
    /// Facts of its many items, where those have none.
    pub items: Option<Arc<dyn Items>>,
    /// The digest of the document as it was given.
    pub document: Digest,
    /// What would be signed.
    pub covers: Covers,
    /// What the examination of the document found.
    pub examined: Examined,
    /// Why the brake is released, when it is.
    pub released: Option<&'a str>,
    /// What is left of what the line signed last.
    pub memory: Memory,
}

/// What is left of the document of a kind that a line signed last.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Memory {
    /// Its record, or it has signed none.
    #[default]
    Whole,
    /// The record of one that it signed before that: a crash, or somebody, left it behind.
    Earlier,
    /// No record that fits: nothing can be compared.
    Gone,
}

impl Review {
    /// Reviews a prepared document against the line's profile and against what the line signed last.
    pub fn of(subject: Subject<'_>) -> Result<Self, Fault> {
        let profile = Profile::parse(subject.profile_text)?;
        profile.allow(subject.kind, &subject.key.line)?;
        let digest = Profile::digest(subject.profile_text);
        let mut request = Request::new("sign", subject.key.line.environment())
            .with("kind", subject.kind)
            .with("key", &subject.key)
            .with("public", subject.public.fingerprint())
            .with("profile", digest)
            .with("document", subject.document);
        if let Covers::Batch { documents, .. } = subject.covers {
            request = request.with("documents", documents);
        }
        if let Some(reason) = subject.released {
            if reason.trim().is_empty() {
                return Err(REASON.fault("the brake is not released without a reason"));
            }
            request = request.with("release brake", Digest::of(reason.as_bytes()));
        }
        Ok(Self {
            kind: subject.kind,
            findings: subject.examined.findings,
            changes: subject.examined.difference,
            memory: subject.memory,
            released: subject.released.map(str::to_owned),
            key: subject.key,
            facts: subject.facts,
            items: subject.items,
            request,
            document: subject.document,
            profile: digest,
            covers: subject.covers,
            public: subject.public.clone(),
            require_reason: profile.require_reason,
        })
    }

    /// What the document says, but for its many items.
    pub fn told(&self) -> impl Iterator<Item = Result<Cow<'_, Fact>, Fault>> {
        self.facts.iter().map(|fact| Ok(Cow::Borrowed(fact)))
    }

    /// How many of its items are new or changed, where each is a document of its own.
    pub fn news(&self) -> usize {
        self.items.as_ref().map_or(0, |items| items.news())
    }

    /// What such an item says; the riskiest is the first.
    pub fn said(&self, number: usize) -> impl Iterator<Item = Result<Cow<'_, Fact>, Fault>> {
        let said = self.items.as_ref().map_or_else(|| Ok(vec![]), |items| items.said(number));
        let (facts, fault) = said.map_or_else(|fault| (vec![], Some(Err(fault))), |facts| (facts, None));
        facts.into_iter().map(|fact| Ok(Cow::Owned(fact))).chain(fault)
    }

    /// Its many items.
    pub fn listed(&self) -> impl Iterator<Item = Result<Cow<'_, Fact>, Fault>> {
        let count = self.items.as_ref().map_or(0, |items| items.count());
        let item = |place| self.items.as_ref().map(|items| items.item(place).map(Cow::Owned));
        (0..count).filter_map(item)
    }

    /// The findings that stop the signature.
    pub fn blocking(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.blocks())
    }

    /// The fault that the blocking findings amount to.
    pub fn check(&self) -> Result<(), Fault> {
        let Some(first) = self.blocking().next() else { return Ok(()) };
        let count: u64 = self.blocking().map(|finding| finding.count).sum();
        let others = match count.saturating_sub(1) {
            0 => String::new(),
            count => format!(" (and {count} more)"),
        };
        let breach = first.breaches.first().map(ToString::to_string).unwrap_or_default();
        Err(REFUSED
            .fault(format!("the review found {}: {breach}{others}", first.rule.id))
            .hint(first.rule.remedy))
    }

    /// Approves these octets, one signature for each. Refuses when a finding blocks, a reason is missing, or the confirmation
    /// is not for this review.
    pub fn approve(
        self,
        octets: Vec<Vec<u8>>,
        scheme: &'static Scheme,
        given: &Confirmation,
        reason: Option<&str>,
    ) -> Result<Approval, Fault> {
        let confirmed = self.consent(Covers::octets(octets.iter().map(Vec::as_slice)), given, reason)?;
        Ok(Approval { octets, scheme, confirmed, reason: reason.map(str::to_owned), review: self })
    }

    /// What every approval needs: nothing blocks, it is for what was reviewed, there is a reason where one is wanted, and
    /// somebody confirmed it.
    pub(super) fn consent(
        &self,
        covers: Covers,
        given: &Confirmation,
        reason: Option<&str>,
    ) -> Result<Confirmed, Fault> {
        self.check()?;
        if covers != self.covers {
            return Err(INTERNAL.fault("the octets to be signed are not those of the reviewed document"));
        }
        if self.require_reason && reason.is_none_or(|reason| reason.trim().is_empty()) {
            return Err(REASON
                .fault(format!("the profile of {} wants a reason", self.key.line))
                .hint("give --reason TEXT"));
        }
        self.request.confirm(given)
    }

    /// What would be signed.
    pub const fn covers(&self) -> Covers {
        self.covers
    }
}

/// Refuses a key of another environment than the one the caller says it works for.
pub fn expect_environment(key: &KeyId, expected: Option<Environment>) -> Result<(), Fault> {
    match expected {
        Some(expected) if expected != key.line.environment() => Err(ENVIRONMENT
            .fault(format!("{} is a {} key and never signs for {expected}", key.line, key.line.environment()))
            .hint(format!("take a key line of the environment {expected}"))),
        _ => Ok(()),
    }
}

/// Permission to sign exact octets with one key, each once. Comes only out of [`Review::approve`].
///
/// An approval cannot be made up:
///
/// ```compile_fail,E0451
/// # use fedroot::policy::{Approval, Confirmed, Review};
/// fn forge(review: Review, confirmed: Confirmed, scheme: &'static fedroot::key::Scheme) -> Approval {
///     Approval { octets: vec![], scheme, confirmed, reason: None, review }
/// }
/// ```
///
/// and cannot be used twice:
///
/// ```compile_fail,E0382
/// # use fedroot::policy::Approval;
/// fn sign(approval: Approval) {}
/// fn twice(approval: Approval) {
///     sign(approval);
///     sign(approval);
/// }
/// ```
pub struct Approval {
    octets: Vec<Vec<u8>>,
    scheme: &'static Scheme,
    confirmed: Confirmed,
    reason: Option<String>,
    review: Review,
}

impl Approval {
    /// The octets that may be signed, each by itself, and no others.
    pub fn octets(&self) -> &[Vec<u8>] {
        &self.octets
    }

    /// The way they may be signed.
    pub const fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    /// How the request was confirmed.
    pub const fn confirmed(&self) -> &Confirmed {
        &self.confirmed
    }

    /// Why the document is signed.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The public half of the key that was reviewed.
    pub const fn public(&self) -> &PublicKey {
        &self.review.public
    }

    /// The review behind it.
    pub const fn review(&self) -> &Review {
        &self.review
    }

    /// Ends the approval; the review remains.
    pub fn into_review(self) -> Review {
        self.review
    }
}
