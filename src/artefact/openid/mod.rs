//! OpenID Federation 1.0: entity statements, trust marks, historical keys, metadata policies, and chains of trust.

mod checks;
pub(super) mod identifier;
mod metadata_policy;
mod statement;

pub use metadata_policy::{MetadataPolicy, OPERATORS};
pub use statement::{Form, Found, Statement};

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

/// The codes of this part.
pub const CODES: &[&Code] = &[&POLICY, &METADATA, &STATEMENT];
