//! X.509 (RFC 5280): certificates.

mod authority;
mod certificate;

pub use authority::Authority;
pub use certificate::{Unsigned, public_key, public_key_der};

use crate::base::fault::{Class, Code};

/// A certificate that cannot be read or made.
pub const CERTIFICATE: Code =
    Code::new("x509.malformed", Class::Usage, "a certificate cannot be read or made");

/// The codes of this room.
pub const CODES: &[&Code] = &[&CERTIFICATE];
