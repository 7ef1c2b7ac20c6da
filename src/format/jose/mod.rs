//! JOSE: JSON Web Keys and compact JSON Web Signatures, for public keys and a short list of algorithms.

mod jwk;
mod jws;
mod set;

pub use jwk::{Jwk, jwk, jwk_as, kubernetes_kid, number_of, thumbprint, thumbprint_of};
pub use jws::{Draft, Header, Jws};
pub use set::{JwkSet, Unused};

use crate::base::fault::{Class, Code};

/// A JSON Web Key that cannot be read.
pub const JWK: Code = Code::new("jwk.malformed", Class::Usage, "a JSON Web Key cannot be read");
/// A key that nobody may see.
pub const PRIVATE: Code =
    Code::new("jwk.private", Class::Refused, "a private or symmetric key stands where only public keys may");
/// A key of a kind that is not used here.
pub const UNSUPPORTED: Code =
    Code::new("jwk.unsupported", Class::Usage, "a JSON Web Key is of a kind that is not used here");
/// A key that is too weak to be used.
pub const WEAK: Code = Code::new("jwk.weak", Class::Refused, "a JSON Web Key is too weak to be trusted");
/// A key that says of itself what is not so, or is used for what it is not for.
pub const MISUSED: Code = Code::new(
    "jwk.mismatch",
    Class::Refused,
    "the alg, use, key_ops or x5c of a JSON Web Key do not fit the key or its use",
);
/// Two keys of one name.
pub const KIDS: Code = Code::new("jwk.duplicate-kid", Class::Refused, "two keys of a set have one kid");
/// Text that is no compact JWS.
pub const JWS: Code =
    Code::new("jws.malformed", Class::Usage, "a text is not a JWS in compact serialisation");
/// A critical header parameter that is not understood.
pub const CRITICAL: Code =
    Code::new("jws.crit", Class::Refused, "the crit of a JWS is malformed or names what is not understood");
/// An algorithm that is never accepted, or not known.
pub const ALGORITHM: Code =
    Code::new("jws.algorithm", Class::Refused, "the algorithm of a JWS is not accepted");
/// A signature that is wrong.
pub const SIGNATURE: Code = Code::new(
    "jws.signature",
    Class::Refused,
    "the signature of a JWS was not made by this key over these octets",
);

/// The codes of this room.
pub const CODES: &[&Code] =
    &[&JWK, &PRIVATE, &UNSUPPORTED, &WEAK, &MISUSED, &KIDS, &JWS, &CRITICAL, &ALGORITHM, &SIGNATURE];
