//! The approval of a batch: permission to sign exact octets, many of them, each once.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Confirmation, Confirmed, Covers, Review};
use crate::base::bytes::{Digest, digest_of_list};
use crate::base::fault::{Fault, INTERNAL};
use crate::key::{PublicKey, Scheme};

impl Review {
    /// Approves the octets with these digests, in this order. Refuses when a finding blocks, a reason is missing, the
    /// confirmation is not for this review, or the list is not the one that was reviewed.
    pub fn approve_batch(
        self,
        digests: Vec<Digest>,
        scheme: &'static Scheme,
        given: &Confirmation,
        reason: Option<&str>,
    ) -> Result<BatchApproval, Fault> {
        let Covers::Batch { documents, .. } = self.covers() else {
            return Err(INTERNAL.fault("the review is not of a batch"));
        };
        let list = digest_of_list(&digests);
        let confirmed = self.consent(Covers::Batch { documents, list }, given, reason)?;
        let next = AtomicUsize::new(0);
        Ok(BatchApproval {
            digests,
            list,
            next,
            scheme,
            confirmed,
            reason: reason.map(str::to_owned),
            review: self,
        })
    }
}

/// Permission to sign exact octets with one key, each once. Comes only out of [`Review::approve_batch`]. It is a queue, too:
/// threads take their turns from it until there is none left.
pub struct BatchApproval {
    digests: Vec<Digest>,
    list: Digest,
    next: AtomicUsize,
    scheme: &'static Scheme,
    confirmed: Confirmed,
    reason: Option<String>,
    review: Review,
}

impl BatchApproval {
    /// The next turn. Each is given once, whoever asks: the count only grows.
    pub fn next_turn(&self) -> Option<Turn<'_>> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        self.digests.get(place).map(|digest| Turn { place, digest })
    }

    /// The digests of the octets that may be signed, in order.
    pub fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// The digest of their list.
    pub const fn list(&self) -> Digest {
        self.list
    }

    /// The way they may be signed.
    pub const fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    /// How the request was confirmed.
    pub const fn confirmed(&self) -> &Confirmed {
        &self.confirmed
    }

    /// Why the documents are signed.
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

/// Permission to sign the octets at one place of a batch, once.
///
/// A turn cannot be made up:
///
/// ```compile_fail,E0451
/// # use fedroot::{base::bytes::Digest, policy::Turn};
/// fn forge(digest: &Digest) -> Turn<'_> {
///     Turn { place: 0, digest }
/// }
/// ```
///
/// and cannot be used twice:
///
/// ```compile_fail,E0382
/// # use fedroot::policy::Turn;
/// fn sign(turn: Turn<'_>) {}
/// fn twice(turn: Turn<'_>) {
///     sign(turn);
///     sign(turn);
/// }
/// ```
#[must_use = "it is not given again"]
pub struct Turn<'a> {
    place: usize,
    digest: &'a Digest,
}

impl Turn<'_> {
    /// Its place in the batch.
    pub const fn place(&self) -> usize {
        self.place
    }

    /// Spends the turn: whether these are the octets that may be signed.
    #[must_use]
    pub fn allows(self, octets: &[u8]) -> bool {
        Digest::of(octets) == *self.digest
    }
}
