//! Stages of a key and what they allow. Pure: no clock, no file, no key.

mod stage;

pub use stage::Stage;

use crate::base::fault::{Class, Code};

/// The key's stage does not allow the act.
pub const STAGE: Code = Code::new("key.stage", Class::NotYet, "the key's stage does not allow this");

/// The codes of this room.
pub const CODES: &[&Code] = &[&STAGE];
