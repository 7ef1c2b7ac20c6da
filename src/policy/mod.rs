//! What may be signed: facts of a document become findings and differences, and a review without blocking findings becomes
//! an approval. Mechanism only: the limits stand in the key line's profile.

mod approval;
mod batch;
mod confirmation;
mod difference;
mod entity;
mod examine;
mod facts;
mod finding;
mod last;
mod likeness;
mod line;
mod lookalikes;
mod listing;
mod print;
mod profile;
mod rules;
mod said;
mod sequence;
mod waiver;

pub use approval::{Approval, Covers, Memory, Review, Subject, expect_environment};
pub use batch::{BatchApproval, Turn};
pub use confirmation::{Challenge, Confirmation, Confirmed, Request};
pub use difference::{Change, Difference, EntityChange};
pub use entity::{
    Certificate, Contact, Endpoint, Entity, Inherited, Key, Organization, Place, Registration, Role, Scope,
    Strength, Text,
};
pub use examine::{Carried, Examined, Examiner};
pub use facts::{Fact, Facts, Items, clip, element, member};
pub use finding::{Breach, Finding, Rule, Severity, Standard};
pub use last::Last;
pub(crate) use likeness::{code_point, first_invisible};
pub use print::{Differs, Print};
pub use profile::{
    AccessToken, Bundle, Consumer, Dates, FOREVER, Jwks, KeyInfo, Kubernetes, Lifetime, OobKeys, Openid,
    Profile, Provisioning, Reserved, Saml, SoftwareStatement, Spiffe, is_place,
};
pub(crate) use rules::is_script;
pub use rules::{RULES, Rules};
pub use said::Said;
pub use sequence::{REVOKED, SEQUENCE_STEP, next_sequence};
pub use waiver::{Brake, Waiver};

use crate::base::fault::{Class, Code};

/// A profile that cannot be used.
pub const PROFILE: Code = Code::new("profile.malformed", Class::Usage, "a key line's profile cannot be used");
/// The key line is not for this kind of document.
pub const KIND: Code =
    Code::new("key.kind", Class::Refused, "the key line's profile does not allow this kind of document");
/// The key line belongs to another environment than the one asked for.
pub const ENVIRONMENT: Code = Code::new(
    "key.environment",
    Class::Refused,
    "the key line belongs to another environment than the one asked for",
);
/// The review found something that may not be signed.
pub const REFUSED: Code =
    Code::new("review.refused", Class::Refused, "the review found something that may not be signed");
/// A confirmation is needed and nobody can be asked.
pub const UNCONFIRMED: Code = Code::new(
    "confirm.missing",
    Class::Environment,
    "a confirmation is needed and there is no terminal to ask at",
);
/// The confirmation is for something else.
pub const MISCONFIRMED: Code =
    Code::new("confirm.wrong", Class::Refused, "a confirmation does not belong to this request");
/// The profile wants a reason and none was given.
pub const REASON: Code =
    Code::new("reason.missing", Class::Usage, "the key line's profile wants a reason for every signature");

/// The record of what was signed last cannot be read.
pub const RECORD: Code =
    Code::new("review.last", Class::Usage, "the record of what a line signed last cannot be read");

/// There is no room for what a document says, on the screen or in the record.
pub const ROOM: Code =
    Code::new("review.too-large", Class::Refused, "a document says more than a review has room for");

/// No sequence number is left.
pub const SEQUENCE: Code =
    Code::new("review.sequence", Class::Refused, "no sequence number is left to jump to");

/// The codes of this room.
pub const CODES: &[&Code] = &[
    &PROFILE,
    &KIND,
    &ENVIRONMENT,
    &REFUSED,
    &UNCONFIRMED,
    &MISCONFIRMED,
    &REASON,
    &RECORD,
    &ROOM,
    &SEQUENCE,
];
