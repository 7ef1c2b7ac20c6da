//! OpenID Federation 1.0: entity statements, trust marks, historical keys, metadata policies, and chains of trust.

mod anchor;
mod chain;
mod checks;
mod constraints;
pub(in crate::artefact) mod federation;
pub(super) mod identifier;
mod metadata_policy;
pub(in crate::artefact) mod signing;
mod statement;
mod trust_mark;

pub use anchor::Anchor;
pub use chain::{Chain, Link, verify as verify_chain};
pub use metadata_policy::{MetadataPolicy, OPERATORS};
pub use signing::subordinate_keys;
pub use statement::{Form, Found, Statement};
pub use trust_mark::Mark;

use crate::base::fault::{Class, Code};

/// A metadata policy that cannot be kept.
pub const POLICY: Code = Code::new(
    "openid.policy",
    Class::Refused,
    "a metadata policy is malformed or contradicts itself or its superior",
);
/// Metadata that does not keep the policy.
pub const METADATA: Code =
    Code::new("openid.metadata", Class::Refused, "the metadata of an entity does not keep the policy");
/// A document that is none of a federation, or breaks its rules.
pub const STATEMENT: Code = Code::new(
    "openid.statement",
    Class::Refused,
    "a document of a federation breaks a rule, which the message names",
);
/// Statements that are no chain, or a chain that a superior does not allow.
pub const CHAIN: Code = Code::new(
    "openid.chain",
    Class::Refused,
    "statements do not form one chain, or a superior does not allow it",
);
/// A trust mark that is proven wrong.
pub const MARK: Code = Code::new(
    "openid.trust-mark",
    Class::Refused,
    "a trust mark was issued by somebody who may not, or without leave",
);
/// Historical keys that cannot be used.
pub const HISTORY: Code =
    Code::new("openid.history", Class::Refused, "historical keys are not the anchor's, or not signed by it");

/// The codes of this part.
pub const CODES: &[&Code] = &[&POLICY, &METADATA, &STATEMENT, &CHAIN, &MARK, &HISTORY];
