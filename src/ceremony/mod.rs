//! The acts: one file per act, each a short story told in calls. Here, and only here, documents and keys meet.

mod appearance;
mod attempt;
mod audit;
mod batch;
mod carrying;
mod chain;
mod consumers;
mod documents;
mod generate;
mod incident;
mod index;
mod keep;
mod pieces;
mod proofs;
mod readers;
mod rehearse;
mod review;
mod rotate;
mod sign;
mod steps;
mod surroundings;
#[cfg(test)]
mod tests;
mod throwaway;
mod verify;
mod withhold;

pub use attempt::other_signer;
pub use audit::{
    Agreement, Body, Break, Checked, Entry, EntryKind, Evidence, Measure, Note, Proved, Rebuilt, Recovered,
    Rewrapped, Summary, Trust, VerifierKey, answer, audit, audit_copy, check_artefact, check_disclosure,
    check_proof, checkpoint, copy, fresh, log, note, prove, read_ledger, read_log, rebuild,
};
pub use batch::{Batched, Splitting, sign_batch};
pub use chain::{pretty, verify_chain};
pub use consumers::{Artefact, Consumer, Rejection};
pub use documents::{Documents, Published, Stands};
pub use generate::{Making, generate, generate_request, refuse_key};
pub use incident::{Exposure, Incident};
pub use index::Gone;
pub use keep::{
    answer_challenge, challenge, mirror, rewrap, rewrapped, witness_add, witness_request, witness_sign,
};
pub use rehearse::{Held, REHEARSAL, REJECTED, Rehearsed, Rehearsing, Standby, rehearse, stand_in};
pub use review::{Terms, certificate, review, review_split};
pub use rotate::{
    Moved, Moving, Observed, advance, ask, certificate_request, choose, emergency, foresee, observe,
    observe_elsewhere, renew_certificate, stage,
};
pub use sign::{Copied, Done, Signing, Target, sign};
pub use verify::{trust, verify};
pub use withhold::{Unpublished, withhold};

use crate::base::fault::{Class, Code, Fault};
use crate::custody::Prompt;
use crate::policy::{Confirmation, Request, Review};

/// A trusted key cannot be read.
pub const TRUST: Code = Code::new("verify.trust", Class::Usage, "a file does not hold a public key to trust");
/// What stands beside a document has no place beside a stream.
pub const STREAM: Code = Code::new(
    "sign.stream",
    Class::Usage,
    "a proof or signature has no place beside a stream or compressed file",
);

/// The record of what a line signed last is gone, and a brake is to hold.
pub const FORGOTTEN: Code = Code::new(
    "review.forgotten",
    Class::Refused,
    "the record of what a line signed last is gone, and the brake cannot hold",
);

/// A document of a tree stands under another name than it would have now.
pub const MOVED: Code = Code::new(
    "sign.moved",
    Class::Refused,
    "a document stands in the folder under another name than it has now",
);

/// There is no copy for another key to sign.
pub const COPY: Code = Code::new(
    "sign.copy",
    Class::Usage,
    "documents of this kind are signed by one key, and no copy by another",
);

/// The codes of this room.
pub const CODES: &[&Code] = &[&TRUST, &STREAM, &COPY, &MOVED, &FORGOTTEN, &REHEARSAL, &REJECTED];

/// Shows people what they are about to do, and asks them. Implemented in `cli`.
pub trait Approver: Prompt {
    /// Shows a review before anything else is asked.
    fn show(&mut self, review: &Review) -> Result<(), Fault>;

    /// Obtains the confirmation of a request, where it needs one.
    fn confirm(&mut self, request: &Request) -> Result<Confirmation, Fault>;
}
