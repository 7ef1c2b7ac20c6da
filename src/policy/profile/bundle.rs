//! Limits for signed folders and lists of files.

use serde::{Deserialize, Serialize};

use super::wrong;
use crate::base::fault::Fault;

/// Limits for signed folders and lists of files.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bundle {
    /// Whether a detached JWS (RFC 7797) is made, too, beside the signature that `openssl dgst -verify` reads.
    pub jws: bool,
    /// The most files that are signed at once.
    pub files_max: u64,
}

impl Default for Bundle {
    fn default() -> Self {
        Self { jws: false, files_max: 100_000 }
    }
}

impl Bundle {
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.files_max == 0 {
            return wrong("bundle.files_max is 0: the line could sign nothing");
        }
        Ok(())
    }
}
