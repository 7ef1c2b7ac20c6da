//! The life of keys: stages and moves, where a key is visible, when it may move, what is outstanding. Pure: no clock, no
//! file, no key. Times come in as values, answers go out.

mod answer;
mod channel;
mod emergency;
mod history;
mod ical;
mod inventory;
mod moves;
mod plan;
mod rehearsal;
mod situation;
mod stage;
mod svg;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;
mod visibility;
mod window;
mod withheld;

pub use answer::{Answer, Answers, Asked, Time, answers};
pub use channel::{Channel, Kind, Method, Timing};
pub use emergency::{AtRisk, Breaks, Emergency, HistoricalKey};
pub use history::{Cause, History, KeyState, Revocation, Step};
pub use ical::calendar;
pub use inventory::{Inventory, Lists, Outstanding, Place, Receipt, Signature, Source};
pub use moves::{Move, Row, Who};
pub use plan::{Ceremony, Held, Plan, Rhythm, plan};
pub use rehearsal::{Agenda, Edition, Gate, Rehearsal, by_the_answers, receipts};
pub use situation::Situation;
pub use stage::Stage;
pub use svg::picture;
pub use timeline::{Band, Timeline};
pub use visibility::Visibility;
pub use window::{Cadence, Opening, When, cadence};
pub use withheld::Withheld;

use crate::base::fault::{Class, Code};

/// The key's stage does not allow the act.
pub const STAGE: Code = Code::new("key.stage", Class::NotYet, "the key's stage does not allow this");

/// The move does not start at the key's stage.
pub const ORDER: Code =
    Code::new("rotate.order", Class::NotYet, "the move does not start at the key's stage");

/// A revoked or destroyed key stays what it is.
pub const FINAL: Code =
    Code::new("rotate.final", Class::Refused, "a revoked or destroyed key comes never back");

/// A suspended key takes no part in a rotation.
pub const SUSPENDED: Code = Code::new(
    "rotate.suspended",
    Class::Refused,
    "a suspended key is resumed or revoked before anything else",
);

/// The line has no such key.
pub const NO_KEY: Code = Code::new("rotate.no-key", Class::Usage, "the key line has no such key");

/// The rules of the line forbid the move.
pub const POLICY: Code =
    Code::new("rotate.policy", Class::Refused, "the rules of the key line forbid the move");

/// The move would harm those who rely on the line, and waiting does not mend it.
pub const SAFETY: Code =
    Code::new("rotate.safety", Class::Refused, "the move would break those who rely on the key line");

/// The move is right, and it is too early.
pub const TOO_EARLY: Code =
    Code::new("time.too-early", Class::NotYet, "the move is too early: wait until not_before");

/// Steps that are not in order of time.
pub const HISTORY: Code =
    Code::new("rotate.history", Class::Ledger, "the moves of a key line contradict each other");

/// Ceremonies are too rare for what is signed, or a parameter cannot be.
pub const CADENCE: Code = Code::new(
    "rotate.cadence",
    Class::Refused,
    "the ceremonies are too rare for the validity of what is signed",
);

/// A receipt for something that was never signed here, or before it was.
pub const RECEIPT: Code =
    Code::new("observe.receipt", Class::Refused, "what was fetched is nothing that lists keys of this line");
/// A receipt whose time cannot be right.
pub const UNSEEN: Code =
    Code::new("observe.unseen", Class::Refused, "a document cannot have been seen before it was signed");

/// The codes of this room.
pub const CODES: &[&Code] = &[
    &STAGE, &ORDER, &FINAL, &SUSPENDED, &NO_KEY, &POLICY, &SAFETY, &TOO_EARLY, &HISTORY, &CADENCE, &RECEIPT,
    &UNSEEN,
];
