//! Visibility of a key in a channel, in the words of BIND's key manager. Entering an uncertain state needs leave; leaving it
//! needs time since the artefact was *seen*, never waiting alone.

use std::fmt;

use super::inventory::Inventory;
use super::window::{hidden, known};
use super::{Channel, KeyState, Stage};
use crate::base::clock::Instant;

/// How far a key is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Visibility {
    /// No consumer has it.
    Hidden,
    /// Some have it, some do not yet.
    Rumoured,
    /// Every consumer has it.
    Omnipresent,
    /// It is withdrawn, and some still have it.
    Unretentive,
}

impl Visibility {
    /// Its name on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::Rumoured => "rumoured",
            Self::Omnipresent => "omnipresent",
            Self::Unretentive => "unretentive",
        }
    }

    /// How far this key is known at this time.
    pub(super) fn of(
        channel: &Channel,
        inventory: &Inventory,
        version: u32,
        key: &KeyState,
        now: Instant,
    ) -> Self {
        if inventory.listing(&channel.name, version).is_none() {
            return Self::Hidden;
        }
        let own = channel.kind.method().has_own_files();
        let withdrawn = matches!(key.stage, Stage::Retired | Stage::Revoked | Stage::Destroyed);
        match if own { !withdrawn } else { inventory.is_listed(channel, version, now) } {
            true if known(channel, inventory, version, now).is_open(now) => Self::Omnipresent,
            // At some of its places it is not listed any longer.
            true if withdrawn => Self::Unretentive,
            true => Self::Rumoured,
            false if hidden(channel, inventory, (version, key), now).is_open(now) => Self::Hidden,
            false => Self::Unretentive,
        }
    }
}

/// The name, and what it means to who does not know it.
impl fmt::Display for Visibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self {
            Self::Hidden => "nobody has it",
            Self::Rumoured => "not everybody has it yet",
            Self::Omnipresent => "everybody has it",
            Self::Unretentive => "withdrawn, some still have it",
        };
        write!(f, "{} ({meaning})", self.name())
    }
}
