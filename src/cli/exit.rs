//! Exit codes: stable, one per class of trouble.

use crate::base::fault::{Class, Code};

/// The exit code of a class.
pub(super) const fn code(class: Class) -> u8 {
    match class {
        Class::Internal => 1,
        Class::Usage => 2,
        Class::Refused => 3,
        Class::NotYet => 4,
        Class::Secret => 5,
        Class::Ledger => 6,
        Class::Environment => 7,
        Class::Interrupted => 130,
    }
}

/// What each exit code means, for the manual.
pub(super) const MEANINGS: &[(u8, &str)] = &[
    (0, "done, or nothing to do"),
    (1, "internal fault: a bug of fedroot"),
    (2, "usage: arguments, configuration or a malformed input"),
    (3, "refused: a review finding, policy, a bad or missing signature, a failed verification"),
    (4, "not yet, or the wrong stage"),
    (5, "a secret is missing or wrong, or opens nothing"),
    (6, "the ledger is damaged or missing, or would fork: nothing was signed"),
    (7, "environment: input and output, a device, no terminal"),
    (130, "interrupted"),
];

/// Every string code of the program, by room.
pub(super) fn codes() -> Vec<&'static Code> {
    use crate::base::{bytes, clock, disk, fault, gzip, recipient, tree};
    use crate::{artefact, ceremony, custody, format, key, ledger, lifecycle, policy};
    let rooms: [&[&'static Code]; 15] = [
        &[
            &fault::INTERNAL,
            &bytes::DIGEST,
            &clock::TIME,
            &gzip::GZIP,
            &recipient::SECRET,
            &recipient::MISSING,
            &recipient::RECIPIENT,
        ],
        disk::CODES,
        tree::CODES,
        key::CODES,
        format::jose::CODES,
        format::json::CODES,
        format::xml::CODES,
        format::x509::CODES,
        policy::CODES,
        lifecycle::CODES,
        artefact::CODES,
        artefact::openid::CODES,
        ledger::CODES,
        custody::CODES,
        ceremony::CODES,
    ];
    let mut codes: Vec<_> = rooms.concat();
    codes.extend(super::CODES);
    codes.sort_by_key(|code| code.name);
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_their_classes_documented() {
        let codes = codes();
        for pair in codes.windows(2) {
            assert_ne!(pair[0].name, pair[1].name);
        }
        for listed in codes {
            assert!(MEANINGS.iter().any(|(exit, _)| *exit == code(listed.class)), "{}", listed.name);
            assert!(
                listed
                    .name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-'),
                "{}",
                listed.name
            );
        }
    }
}
