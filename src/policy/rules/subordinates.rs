//! Rules about all that an entity of OpenID Federation publishes together. The batch looks itself, in
//! `artefact::openid::federation`.

use crate::policy::finding::Check;
use crate::policy::{Rule, Severity};

pub(super) static ROWS: &[Rule] = &[
    rule(
        "federation.brake.removed",
        "no more subordinates vanish at once than the profile's brake allows",
        "find out why they are gone; if it is meant, give --release-brake REASON to review and sign",
        "a safeguard of this program: a lost import looks like many departures",
    ),
    rule(
        "federation.brake.keys",
        "no more subordinates change their keys at once than the profile's brake allows",
        "find out who changed them; if it is meant, give --release-brake REASON to review and sign",
        "a safeguard of this program: who takes over a registry exchanges keys",
    ),
];

const fn rule(id: &'static str, sentence: &'static str, remedy: &'static str, source: &'static str) -> Rule {
    Rule::of("federation", id, Severity::Block, (sentence, remedy, source), Check::Reader)
}
