//! Sequence numbers of documents that replace each other: consumers take none that is older than what they have. Whoever held a
//! stolen key may have used any number, so the first document after it is revoked jumps ahead.

use super::{Facts, SEQUENCE};
use crate::base::fault::Fault;

/// So far a sequence number jumps ahead of what somebody else may have used.
pub const SEQUENCE_STEP: u64 = 1 << 20;

/// The fact that names the keys of the line that are revoked, and not merely replaced: it stands in the record of what was
/// signed last as well.
pub const REVOKED: &str = "revoked";

/// Numbers above this are not the same in every JSON reader (RFC 8259, section 6).
pub(super) const SEQUENCE_MAX: u64 = (1 << 53) - 1;

/// Whether a key of the line was revoked since it signed last.
pub(super) fn is_after_revocation(facts: &Facts, last: Option<&Facts>) -> bool {
    facts.value(REVOKED).is_some_and(|now| last.and_then(|last| last.value(REVOKED)) != Some(now))
}

/// The sequence number of the next document: one more than the last of ours; where a key was revoked since then, past the
/// highest that anybody may have used. `seen` is the highest one that anybody saw, which may be an attacker's.
///
/// # Errors
/// [`SEQUENCE`]: no number is left, because an attacker used the last.
pub fn next_sequence(
    facts: &Facts,
    last: Option<&Facts>,
    ours: u64,
    seen: Option<u64>,
) -> Result<u64, Fault> {
    let step = if is_after_revocation(facts, last) { SEQUENCE_STEP } else { 1 };
    let highest = ours.max(seen.unwrap_or(0));
    highest.checked_add(step).filter(|next| *next <= SEQUENCE_MAX).ok_or_else(|| {
        SEQUENCE
            .fault(format!("the highest number seen is {highest}"))
            .hint("consumers have to start over with a new trust domain, or drop what they cached by hand")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(revoked: &str) -> Facts {
        let mut facts = Facts::default();
        if !revoked.is_empty() {
            facts.add(REVOKED, revoked);
        }
        facts
    }

    #[test]
    fn sequence_numbers_jump_past_what_an_attacker_used() {
        let (none, one, two) = (facts(""), facts("#1"), facts("#1, #2"));
        assert_eq!(next_sequence(&none, Some(&none), 7, None).unwrap(), 8);
        assert_eq!(next_sequence(&one, Some(&none), 7, None).unwrap(), 7 + SEQUENCE_STEP);
        assert_eq!(
            next_sequence(&one, None, 0, None).unwrap(),
            SEQUENCE_STEP,
            "an attacker may have been the first"
        );
        assert_eq!(next_sequence(&one, Some(&one), 7, None).unwrap(), 8, "once for each revocation");
        assert_eq!(next_sequence(&two, Some(&one), 7, Some(5_000_000)).unwrap(), 5_000_000 + SEQUENCE_STEP);
        for highest in [SEQUENCE_MAX, SEQUENCE_MAX - SEQUENCE_STEP + 1, u64::MAX] {
            let fault = next_sequence(&one, Some(&none), 7, Some(highest)).unwrap_err();
            assert_eq!(fault.code(), &SEQUENCE);
        }
    }
}
