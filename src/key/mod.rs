//! What the world may know of a key: its public half, its algorithm, and the trust relationship it serves.
//!
//! The arithmetic on a secret key lives here too, so that an algorithm is one file, but this room never reads or stores one.

mod algorithm;
mod binding;
mod ed25519;
mod nist;
mod p384;
mod public;
mod rsa;

pub use algorithm::{
    ALGORITHMS, Algorithm, Curve, Hash, LineAlgorithm, PrivateKey, Readied, Scheme, Signature, algorithm,
    curve, is_jose_alg, private_key, scheme,
};
pub use binding::{Environment, KeyId, Line};
pub use public::{Parts, PublicKey};
pub use rsa::has_roca_fingerprint;

use crate::base::fault::{Class, Code};

/// A key line's name that is not TENANT/ENVIRONMENT/PURPOSE.
pub const NAME: Code =
    Code::new("key.name", Class::Usage, "a key line is not written TENANT/ENVIRONMENT/PURPOSE");
/// A key that cannot be read.
pub const MALFORMED: Code =
    Code::new("key.malformed", Class::Usage, "a key cannot be read, or not in this form");
/// A key of a kind or size that is not used here.
pub const UNSUPPORTED: Code =
    Code::new("key.unsupported", Class::Usage, "a key's algorithm or size is not supported");
/// A private key that reads well and must not be used.
pub const UNFIT: Code = Code::new("key.unfit", Class::Refused, "a private key fails its health checks");
/// The key could not do its work.
pub const FAILED: Code = Code::new("key.failed", Class::Internal, "an operation with a private key failed");

/// The codes of this room.
pub const CODES: &[&Code] = &[&NAME, &MALFORMED, &UNSUPPORTED, &UNFIT, &FAILED];
