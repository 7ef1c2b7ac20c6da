//! The only room that holds secrets. Two faces: [`Catalogue`] reads what is public, [`Vault`] acts.
//!
//! A private key leaves its sealed file only inside [`Vault::sign`], [`Vault::sign_batch`] and the acts that make keys, after the ledger holds the
//! intent, on a thread of its own whose stack goes with it.

mod batch;
mod catalogue;
mod entries;
mod journal;
mod journal_file;
mod keeping;
mod lists;
mod outstanding;
mod rebuild;
mod record;
mod rotation;
mod seal;
mod situation;
#[cfg(test)]
mod tests;
mod vault;
mod withheld;
mod work;

pub use batch::{Outstanding, Piece, Pieces, SignedBatch};
pub use catalogue::{Catalogue, Configuration};
pub use journal::{Carries, Document, Kept, NAME as JOURNAL_FILE, Noted, What};
pub use journal_file::Journal;
pub use lists::LINES_BYTES_MAX;
pub use outstanding::NEVER;
pub use rebuild::Rebuilt;
pub use record::Record;
pub use rotation::Advance;
pub use seal::Sealing;
pub use situation::channels;
pub use vault::{
    Delivered, NewKey, NewVault, Operator, Origin, PASSPHRASE_CHARS_SHORT, Prompt, Signed, Vault,
};
pub use work::{Certificate, Certifier, public_of};

use crate::base::fault::{Class, Code};

/// No vault at this place.
pub const NO_VAULT: Code = Code::new("vault.missing", Class::Environment, "there is no vault at this place");
/// A vault's file that cannot be used.
pub const VAULT: Code = Code::new("vault.malformed", Class::Usage, "a file of the vault cannot be used");
/// No key line of this name.
pub const NO_LINE: Code = Code::new("key.missing", Class::Usage, "there is no key line of this name");
/// A key line of this name exists.
pub const LINE_EXISTS: Code =
    Code::new("key.exists", Class::Usage, "there is a key line of this name already");
/// The key is that of another line.
pub const KEY_TAKEN: Code =
    Code::new("key.taken", Class::Refused, "the key is that of another line, and each line has its own");
/// The vault may not hold keys of this environment.
pub const NOT_HELD: Code =
    Code::new("vault.environment", Class::Refused, "the vault may not hold keys of this environment");
/// A key file that was exchanged or damaged.
pub const TAMPERED: Code = Code::new(
    "key.tampered",
    Class::Refused,
    "a key's file or record is damaged, or was exchanged for another",
);
/// The passphrase or identity does not open the key.
pub const WRONG: Code =
    Code::new("secret.wrong", Class::Secret, "the passphrase or identity does not open the key");
/// The signature did not verify before it left.
pub const FAULTY: Code = Code::new(
    "key.faulty-signature",
    Class::Internal,
    "a fresh signature did not verify and was thrown away",
);
/// The profile changed between review and signature.
pub const STALE: Code =
    Code::new("review.stale", Class::Refused, "the key or its profile changed since the review");

/// The journal is not the ledger's.
pub const JOURNAL: Code = Code::new(
    "vault.journal",
    Class::Ledger,
    "the journal of the vault is damaged, or another copy than the ledger's",
);

/// A future auditor has not shown that he can decrypt.
pub const UNPROVED: Code =
    Code::new("auditor.unproved", Class::Secret, "a future auditor has not shown that he can decrypt");

/// The codes of this room.
pub const CODES: &[&Code] = &[
    &UNPROVED,
    &JOURNAL,
    &NO_VAULT,
    &VAULT,
    &NO_LINE,
    &LINE_EXISTS,
    &KEY_TAKEN,
    &NOT_HELD,
    &TAMPERED,
    &WRONG,
    &FAULTY,
    &STALE,
];
