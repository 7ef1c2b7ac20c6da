//! The stages of a key (NIST SP 800-57 part 1, section 7, in the words of key rotation).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::STAGE;
use crate::base::fault::Fault;

/// Where a key stands in its life. The first key of a line is active at once: nobody relies on another one yet.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Made and sealed; nobody knows its public half yet.
    Generated,
    /// Kept for an emergency, apart from the others; published or not. It signs nothing.
    Standby,
    /// Its public half is being published; it does not sign yet.
    Published,
    /// It is the one key of its line that signs.
    Active,
    /// Another key signs; what this one signed is still outstanding.
    Retiring,
    /// Nothing that it signed is outstanding.
    Retired,
    /// Its private half is gone.
    Destroyed,
    /// Signing is refused until the suspension is lifted.
    Suspended,
    /// It is compromised or superseded, for good.
    Revoked,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 9] = [
        Self::Generated,
        Self::Standby,
        Self::Published,
        Self::Active,
        Self::Retiring,
        Self::Retired,
        Self::Destroyed,
        Self::Suspended,
        Self::Revoked,
    ];

    /// Its name in records and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Standby => "standby",
            Self::Published => "published",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
            Self::Destroyed => "destroyed",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }

    /// Refuses a key that may not sign at this stage.
    pub fn check_may_sign(self) -> Result<(), Fault> {
        match self {
            Self::Active => Ok(()),
            other => {
                let fault = STAGE.fault(format!("the key is {other}, and only an active key signs"));
                Err(match other {
                    Self::Suspended => fault.hint("`fedroot key resume` lets it go back to where it was"),
                    Self::Generated | Self::Published => fault.hint("`fedroot rotate activate` lets it sign"),
                    _ => fault,
                })
            }
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_active_key_signs() {
        assert!(Stage::Active.check_may_sign().is_ok());
        for stage in Stage::ALL.into_iter().filter(|stage| *stage != Stage::Active) {
            assert_eq!(stage.check_may_sign().unwrap_err().code(), &STAGE, "{stage}");
        }
    }
}
