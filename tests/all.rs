//! The one test binary: half the link time of many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests stop by panicking, run other programs and write files"
)]

mod adopted;
mod alike;
mod attacks;
mod batch;
mod batch_copy;
mod batch_dates;
mod batch_record;
mod bundle;
mod canonical;
mod changes;
mod channels;
mod client_keys;
mod composed;
mod delivered;
mod faults;
mod federation;
mod federation_told;
mod fuzz;
mod grants;
mod hidden;
mod hidden_keys;
mod hidden_values;
mod hostile;
mod jose;
mod jose_corpus;
mod interop;
mod key_uses;
mod keys;
mod kinds;
mod links;
mod ledger;
mod ledger_batch;
mod ledger_export;
mod memory;
mod openid_anchors;
mod openid_bounds;
mod openid_chain;
mod openid_history;
mod openid_policy;
mod openid_reuse;
mod openid_signing;
mod openid_rules;
mod outstanding;
mod page;
mod peers;
mod private_members;
mod published;
mod published_saml;
mod readme;
mod rehearsal;
mod rehearsal_carried;
mod rehearsal_emergency;
mod rotation;
mod rotation_moves;
mod rules;
mod rules_hostile;
mod rules_testbed;
mod tidy;
mod scale;
mod scenarios;
mod signing;
mod strangers;
mod strangers_jose;
mod support;
mod terminal;
mod token_claims;
mod verdicts;
