//! fedroot keeps the offline root keys of an identity federation: no signature without a reason, a review and a record.
//!
//! The rooms, from the ground up. Each may use those above it in this list as `ARCHITECTURE.md` allows, never those below.

pub mod base; // bytes, time, disk, secrets, text, faults: knows nothing of keys or federations
pub mod key; // what the world may know of a key: its public half, its algorithm, its trust relationship
pub mod format; // how signed things are written down: XML, JOSE, X.509
pub mod policy; // what may be signed: facts, findings, the difference, the approval
pub mod artefact; // kinds of documents: read, told of, finished, verified
pub mod lifecycle; // the life of keys: moves, windows, plans; pure
pub mod ledger; // the append-only record that anyone can check and auditors read
pub mod custody; // the only room that holds secrets
pub mod ceremony; // the acts: where documents and keys meet
pub mod cli; // the only room that talks to people
