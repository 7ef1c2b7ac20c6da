//! Rules about documents of OpenID Federation that need the key line, its profile, the vault or what was signed before. Each
//! kind of document looks itself, in `artefact::openid::signing`.

use crate::policy::finding::Check;
use crate::policy::{Rule, Severity};

use Severity::{Block, Note, Warn};

/// Rows: id, weight, what it demands, what to do, source.
pub(super) static ROWS: &[Rule] = &[
    rule(
        "openid.entity.shared",
        Block,
        "one key line signs for an entity, and no other",
        "retire one of the two lines: two keys that are both right cannot be told from a stolen one",
        "a safeguard of this program; OpenID Federation 1.0, section 3.1.1",
    ),
    rule(
        "openid.entity.environment",
        Block,
        "only a line of prod signs as an entity of the real federation, or about one",
        "take the key line of the environment prod, or another subject",
        "a safeguard of this program: what sandboxes sign is trusted by nobody",
    ),
    rule(
        "openid.entity.changed",
        Block,
        "a line signs for the entity that it signed for before",
        "make a new key line for another entity",
        "a safeguard of this program; OpenID Federation 1.0, section 3.1.1",
    ),
    rule(
        "openid.key.shared",
        Block,
        "the key belongs to one line",
        "make a new key for one of the two lines",
        "NIST SP 800-57 part 1, section 5.2: one key, one use; a safeguard of this program",
    ),
    rule(
        "openid.alg.changed",
        Block,
        "a key signs with one algorithm",
        "set openid.alg back in the profile, or rotate the key",
        "RFC 8725, section 3.1; NIST SP 800-57 part 1, section 5.2",
    ),
    rule(
        "openid.configuration.none",
        Warn,
        "the configuration that lists the key is signed before anything else",
        "sign the entity configuration first, and bring it out",
        "OpenID Federation 1.0, section 3.1.1",
    ),
    rule(
        "openid.key.unpublished",
        Block,
        "the configuration signed before lists the key that signs now",
        "sign a configuration that lists both keys with the old one, and wait until it is everywhere",
        "OpenID Federation 1.0, section 11.2",
    ),
    rule(
        "openid.key.dropped",
        Block,
        "a key leaves the configuration only when nothing that it signed is valid any more",
        "keep the key listed until then, or sign those documents anew with its successor",
        "OpenID Federation 1.0, section 11.2",
    ),
    rule(
        "openid.exp.long",
        Block,
        "no document is valid longer than the profile allows",
        "ask for a shorter time: nobody can call the document back",
        "OpenID Federation 1.0, section 11.4: there is no other revocation than the end",
    ),
    rule(
        "openid.exp.short",
        Block,
        "every document is valid long enough for the next one to be signed",
        "ask for a longer time, or find out what ends so early",
        "a safeguard of this program: the key is offline, and a ceremony takes time",
    ),
    rule(
        "openid.exp.key",
        Warn,
        "no document outlives the planned end of the key that signs it",
        "ask for a shorter time; otherwise the key stays listed, and is kept, until the document ends",
        "OpenID Federation 1.0, section 11.2: a key goes when nothing that it signed is valid any more",
    ),
    rule(
        "openid.exp.earlier",
        Warn,
        "no document ends before the one it replaces",
        "make sure that it is meant: consumers who have the old one keep it",
        "OpenID Federation 1.0, section 10.4",
    ),
    rule(
        "openid.iat.order",
        Block,
        "every document is younger than the one it replaces",
        "set the clock, and wait",
        "a safeguard of this program: an old document must not replace a newer one",
    )
    .firm(),
    rule(
        "openid.hints.profile",
        Block,
        "an entity names the superiors that its profile has",
        "set authority_hints as openid.authority_hints in the profile has it",
        "OpenID Federation 1.0, section 3.1.2",
    ),
    rule(
        "openid.anchor.signature",
        Block,
        "the anchor's configuration is signed by its own key",
        "fetch the configuration again and compare its keys over another channel",
        "OpenID Federation 1.0, section 10.2",
    )
    .firm(),
    rule(
        "openid.anchor.older",
        Block,
        "where the anchor is our own entity, its configuration is the one that was signed last",
        "name the newest one: an older one may let somebody issue marks who must not any longer",
        "OpenID Federation 1.0, section 7.3; a safeguard of this program",
    )
    .firm(),
    rule(
        "openid.superiors.chain",
        Block,
        "the statements of superiors lead down to the entity that signs",
        "give them highest first; the last one is about this entity",
        "OpenID Federation 1.0, section 4",
    )
    .firm(),
    rule(
        "openid.superiors.signature",
        Block,
        "the statement of each superior is signed by a key that the one above gives it",
        "fetch the statements again: one of them is not what its superior published",
        "OpenID Federation 1.0, section 10.2",
    )
    .firm(),
    rule(
        "openid.superiors.unverified",
        Warn,
        "it is known whose signature the highest superior's statement has",
        "put the highest superior's configuration in front of superiors, and compare its keys over another channel",
        "OpenID Federation 1.0, section 10.2",
    ),
    rule(
        "openid.superiors.key",
        Block,
        "the superior's statement about this entity lists the key that signs",
        "have the superior sign a new one: until then nobody can verify what this key signs",
        "OpenID Federation 1.0, section 10.2",
    )
    .personal(),
    rule(
        "openid.source-endpoint.other",
        Warn,
        "source_endpoint is where this entity publishes its statements",
        "write federation_fetch_endpoint as the configuration has it",
        "OpenID Federation 1.0, section 3.1.3",
    ),
    rule(
        "openid.constraints.unknown",
        Block,
        "constraints have only members that the standard defines",
        "check the spelling: consumers pass over what they do not know, and nothing is constrained",
        "OpenID Federation 1.0, section 6.2",
    ),
    rule(
        "openid.subject.new",
        Note,
        "the line signed a statement about the subject before",
        "compare the subject's keys with what it told over another channel",
        "OpenID Federation 1.0, section 3.1.1",
    ),
    rule(
        "openid.subject.alike",
        Block,
        "no two entities have names that are one place",
        "find out which spelling the entity uses, and leave the other one out",
        "RFC 3986, section 6.2; OpenID Federation 1.0, section 9; a safeguard of this program",
    ),
    rule(
        "openid.subject.signature",
        Block,
        "the subject's configuration is signed by one of its own keys",
        "ask the subject for a new configuration",
        "OpenID Federation 1.0, section 10.2",
    )
    .firm(),
    rule(
        "openid.subject.hints",
        Block,
        "the subject's configuration names this entity as its superior",
        "ask the subject to add the hint",
        "OpenID Federation 1.0, section 3.1.2",
    )
    .personal(),
    rule(
        "openid.subject.older",
        Block,
        "the subject's configuration is not older than the one before",
        "ask the subject for its present configuration: this one brings back what it replaced",
        "a safeguard of this program: old keys and endpoints must not come back",
    ),
    rule(
        "openid.subject.key-proof",
        Block,
        "whoever changes the subject's keys holds an old one",
        "ask for a configuration that an old key signed, and give it as proof; if the old keys are lost, meet the subject and waive the finding",
        "a safeguard of this program: who gets a key in has everything",
    )
    .personal(),
    rule(
        "openid.subject.key-taken",
        Block,
        "no key of the subject belongs to somebody else, and none that serves its protocols signs for a federation",
        "ask the subject to make keys of its own",
        "OpenID Federation 1.0, section 3.1.1; a safeguard of this program",
    )
    .personal(),
    rule(
        "openid.subject.key-expired",
        Block,
        "no key of the subject has ended",
        "ask the subject for a configuration with keys that can be used",
        "RFC 7517, section 4; OpenID Federation 1.0, section 8.7.3",
    )
    .firm(),
    rule(
        "openid.policy.operator",
        Block,
        "every operator of a policy is one of the seven, or one that the profile names",
        "correct it: consumers pass over what they do not know; one that your federation defines belongs into openid.operators of the profile",
        "OpenID Federation 1.0, section 6.1.3.2; a safeguard of this program: a typo lets everything through",
    ),
    rule(
        "openid.subject.constraints",
        Block,
        "constraints let the subject in",
        "change the constraint, or leave the subject out",
        "OpenID Federation 1.0, section 6.2",
    )
    .personal(),
    rule(
        "openid.subject.types",
        Warn,
        "metadata is set for types that the subject has",
        "look whether the name of the type is right",
        "OpenID Federation 1.0, section 3.1.3",
    ),
    rule(
        "openid.subject.policy",
        Block,
        "the subject's metadata keeps the policies of its superiors",
        "ask the subject to change its metadata, or change the policy",
        "OpenID Federation 1.0, section 6.1.4",
    )
    .personal(),
    rule(
        "openid.trust-mark.signature",
        Block,
        "a trust mark that an entity shows is signed by a key of its issuer",
        "have its issuer issue it anew, or take the issuer's present configuration",
        "OpenID Federation 1.0, section 7.3",
    )
    .firm(),
    rule(
        "openid.trust-mark.unverified",
        Warn,
        "the signature of a trust mark that an entity shows is verified before it is shown",
        "name the configuration of its issuer under issuers",
        "a safeguard of this program; OpenID Federation 1.0, section 7.3",
    ),
    rule(
        "openid.trust-mark.issuer",
        Block,
        "the anchor lists this entity as an issuer of the mark",
        "ask the anchor to add it to trust_mark_issuers",
        "OpenID Federation 1.0, section 7.3",
    )
    .personal(),
    rule(
        "openid.trust-mark.owner",
        Block,
        "a mark that somebody owns is issued with the owner's leave",
        "ask the owner for a delegation, and give it beside the mark",
        "OpenID Federation 1.0, section 7.2",
    )
    .firm(),
    rule(
        "openid.trust-mark.unknown",
        Warn,
        "the mark is for an entity that a line here has a statement about",
        "make sure who it is: others may rely on the mark alone",
        "OpenID Federation 1.0, section 7.1",
    ),
    rule(
        "openid.delegation.owner",
        Block,
        "only the owner of a mark gives leave to issue it, with a key that the anchor lists",
        "ask the anchor to set trust_mark_owners",
        "OpenID Federation 1.0, section 7.2",
    )
    .personal(),
    rule(
        "openid.delegation.exp",
        Warn,
        "leave to issue a mark ends",
        "set valid_for: what never ends keeps the key in the configuration for ever",
        "OpenID Federation 1.0, section 7.2.1; a safeguard of this program",
    ),
    rule(
        "openid.history.empty",
        Note,
        "there are keys that are not used any more",
        "nothing: before the first rotation the list is empty",
        "OpenID Federation 1.0, section 8.7.2; RFC 7517, section 5.1",
    ),
    rule(
        "openid.history.listed",
        Block,
        "no key stands in the configuration and among those not used any more",
        "take it out of one of the two",
        "OpenID Federation 1.0, section 8.7",
    )
    .firm(),
    rule(
        "openid.history.incomplete",
        Block,
        "every key that left the configuration is on the list, with its end",
        "say under [[keys]] when it went, or since when it is revoked",
        "OpenID Federation 1.0, section 8.7.3",
    ),
    rule(
        "openid.history.changed",
        Block,
        "what was signed about a key stays; it may only be revoked, or revoked from an earlier time or for a graver reason",
        "write what was signed last",
        "OpenID Federation 1.0, section 8.7; a safeguard of this program",
    )
    .firm(),
    rule(
        "openid.history.foreign",
        Block,
        "historical keys are keys that the entity itself used, and nobody else's",
        "take the key out: it would speak for the entity",
        "OpenID Federation 1.0, section 8.7; a safeguard of this program",
    )
    .personal(),
    rule(
        "openid.history.doubtful",
        Warn,
        "no document in force was signed by a key after it was revoked",
        "sign these documents anew with another key",
        "OpenID Federation 1.0, section 11.4",
    ),
    rule(
        "openid.jwk-set.federation",
        Block,
        "keys that sign for the federation serve no protocol",
        "make other keys for the protocol",
        "OpenID Federation 1.0, section 3.1.1",
    )
    .firm(),
    rule(
        "openid.jwk-set.same",
        Warn,
        "the signed set and the jwks in the metadata hold the same keys",
        "sign both anew from one source",
        "OpenID Federation 1.0, section 5.2.1.1",
    ),
];

/// Firm is what verification refuses for good, personal what it refuses until somebody else acts: the subject, a superior, an
/// anchor.
const fn rule(
    id: &'static str,
    severity: Severity,
    sentence: &'static str,
    remedy: &'static str,
    source: &'static str,
) -> Rule {
    Rule::of("openid", id, severity, (sentence, remedy, source), Check::Reader)
}
