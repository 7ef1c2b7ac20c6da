//! fedroot keeps the offline root keys of an identity federation: no signature without a reason, a review and a record.

pub mod base;
