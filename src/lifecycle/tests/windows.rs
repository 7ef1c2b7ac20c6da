//! Windows, for each kind of channel, to the second.

use super::*;
use crate::lifecycle::window::{activate, distrusted, forgotten, known, retire};

/// The channel of the worked example in the manual: C = PT6H, V = P14D, P = P7D, D = P2D, R = PT24H, k = 2.
fn example(strict: bool) -> Channel {
    let mut channel = Channel::new(Kind::SamlSigning);
    channel.timing = Timing {
        cache: Some(Span::parse("PT6H").unwrap()),
        validity: Some(days(14)),
        period: days(7),
        delay: days(2),
        refresh: Span::parse("PT24H").unwrap(),
        failures: 2,
        strict,
        ..channel.timing
    };
    channel
}

/// The old file is signed at `old`; the one with #2 at day 10, and seen two days later.
fn introduced(channel: &Channel, old: i64) -> (Situation, i64) {
    let mut situation = situation(channel.clone());
    let kind = channel.kind;
    let ends = |from: i64| channel.timing.validity.map_or(When::Never, |span| When::At(at(from)).later(span));
    let lists = |versions: &[u32]| if kind.method().has_own_files() { Lists::Own } else { keys(versions) };
    let by = |version: u32| kind.method().is_anchor().then_some(version);
    situation.inventory.add(&signature("old", kind, by(1), old, ends(old), lists(&[1])));
    go(&mut situation, 10 * DAY, 2, Move::Generate);
    go(&mut situation, 10 * DAY, 2, Move::Publish);
    let by = by(if kind.method().has_own_files() { 2 } else { 1 });
    situation.inventory.add(&signature("new", kind, by, 10 * DAY, ends(10 * DAY), lists(&[1, 2])));
    situation.inventory.observe(&receipt("new", 12 * DAY)).unwrap();
    (situation, 12 * DAY)
}

fn opens(channel: &Channel, old: i64) -> Opening {
    let (situation, _) = introduced(channel, old);
    activate(channel, &situation.inventory, 2, at(13 * DAY))
}

fn opening(seconds: i64) -> Opening {
    Opening::At(When::At(at(seconds)))
}

#[test]
fn the_worked_example_comes_out_exactly() {
    let cadence = cadence(&example(false)).unwrap();
    assert_eq!(cadence.slack, Some(days(5)));
    assert_eq!(cadence.cache_bound, days(3));
    assert_eq!(cadence.exposure, days(14));
    assert!(!cadence.survives_missed, "14 d are less than two periods and D");

    let seen = 12 * DAY;
    // Normal: T + 4 d and 5 minutes, where the last file without the key was signed with the delay that D allows, or later.
    for old in [10 * DAY - 1, 4 * DAY] {
        assert_eq!(opens(&example(false), old), opening(seen + 4 * DAY + 300));
    }
    // Strict: its last old validUntil is at most T + 14 d, for a file signed in the very second of T.
    let strict = example(true);
    let (situation, _) = introduced(&strict, 10 * DAY - 1);
    let (_, shown) = situation.inventory.places(&strict.name).next().unwrap();
    let last = shown.track(2).unwrap().lacking.unwrap().instant().unwrap();
    assert!(last.seconds_since(at(seen)) <= 14 * DAY, "{last}");
    // And with D = 2 d the strict window opens before T + 14 d too, its margins counted in.
    assert_eq!(opens(&strict, 10 * DAY - 1), opening(24 * DAY - 1 + 300 + DAY));
    assert!(24 * DAY - 1 + 300 + DAY <= seen + 14 * DAY);

    // A key that is revoked at T: no file that lists it lives longer than 14 d from its signature.
    let (situation, seen) = introduced(&example(false), 0);
    let Opening::At(When::At(end)) = distrusted(&example(false), &situation.inventory, 1, at(seen)) else {
        panic!("the end is known at once");
    };
    assert!(end.seconds_since(at(seen)) <= 14 * DAY + 300);
}

#[test]
fn a_window_opens_at_its_first_second_and_not_before() {
    let (situation, seen) = introduced(&example(false), 9 * DAY);
    let opens = seen + 4 * DAY + 300;
    assert!(!ask(&situation, opens - 1, 2, Move::Activate).time.yes);
    assert!(ask(&situation, opens, 2, Move::Activate).are_yes());
}

#[test]
fn each_kind_has_its_own_window_for_a_new_key() {
    let seen = 12 * DAY;
    let old = 9 * DAY;
    for (kind, expected) in [
        (Kind::SamlSigning, opening(seen + 3 * DAY + 300 + DAY)),
        (Kind::SamlEncryption, Opening::Open),
        (Kind::SamlAnchor, opening(seen + 30 * DAY)),
        (Kind::OpenidAnchor, opening(old + 14 * DAY + 300 + DAY)),
        (Kind::Jwks, opening(seen + DAY + 300 + DAY)),
        (Kind::Spiffe, opening(seen + 3 * DAY + 300 + DAY)),
        (Kind::X509, opening(seen + 90 * DAY)),
    ] {
        assert_eq!(opens(&Channel::new(kind), old), expected, "{kind}");
    }
    let mut hint = Channel::new(Kind::Spiffe);
    hint.timing.cache = Some(Span::of_seconds(300));
    assert_eq!(opens(&hint, old), opening(seen + 900 + 300 + DAY), "three times the hint");
    let mut pinned = Channel::new(Kind::OpenidAnchor);
    pinned.timing.distribution = days(90);
    assert_eq!(opens(&pinned, old), opening(seen + 90 * DAY + DAY), "consumers that pin the anchor by hand");
}

#[test]
fn a_chained_key_waits_for_those_who_hold_nothing_any_longer() {
    let (seen, margins) = (12 * DAY, 300 + DAY);
    let mut channel = Channel::new(Kind::OpenidAnchor);
    for strict in [true, false] {
        channel.timing.strict = strict;
        // What lacks the key has ended before the key was seen, as after a suspension, or just afterwards.
        for ends in [1, 11, 13] {
            let known = opening(seen + 3 * DAY + margins);
            assert_eq!(opens(&channel, (ends - 14) * DAY), known, "strict: {strict}, day {ends}");
        }
    }
    assert_eq!(
        opens(&Channel::new(Kind::SamlSigning), -13 * DAY),
        opening(seen + margins),
        "others fetch the list"
    );
}

#[test]
fn each_kind_has_its_own_window_for_an_old_key() {
    let switched = 60 * DAY;
    for (kind, expected) in [
        (Kind::SamlSigning, switched + 300 + 300 + DAY),
        (Kind::SamlEncryption, 81 * DAY + 3 * DAY + 300),
        (Kind::SamlAnchor, switched + 30 * DAY + 300 + DAY),
        (Kind::OpenidAnchor, 70 * DAY + 300 + DAY),
        (Kind::Jwks, switched + DAY + 300 + DAY),
        (Kind::Spiffe, switched + HOUR + 300 + DAY),
        (Kind::X509, 70 * DAY + 300 + DAY),
    ] {
        let channel = Channel::new(kind);
        let (mut situation, _) = introduced(&channel, 9 * DAY);
        if kind.method().is_anchor() && kind != Kind::SamlAnchor {
            let ends = When::At(at(70 * DAY));
            situation.inventory.add(&signature("statement", kind, Some(1), 50 * DAY, ends, Lists::Nothing));
        }
        go(&mut situation, switched, 2, Move::Activate);
        if kind == Kind::SamlEncryption {
            let lists = situation.lists(&channel);
            assert_eq!(lists, keys(&[2]), "the new key takes the old one's place");
            let ends = When::At(at(94 * DAY));
            situation.inventory.add(&signature("before", kind, None, 79 * DAY, ends, keys(&[1, 2])));
            situation.inventory.add(&signature("only", kind, None, 80 * DAY, ends, lists));
            situation.inventory.observe(&receipt("only", 81 * DAY)).unwrap();
        }
        let key = *situation.history.key(1).unwrap();
        assert_eq!(
            retire(&channel, &situation.inventory, (1, &key), at(81 * DAY)),
            opening(expected),
            "{kind}"
        );
    }
}

#[test]
fn the_old_file_of_a_double_publication_is_signed_until_its_notice_is_over() {
    let channel = Channel::new(Kind::SamlAnchor);
    let (mut situation, _) = introduced(&channel, 9 * DAY);
    assert_eq!(situation.signers(&channel, at(20 * DAY)), [1, 2], "both, each its own file");
    go(&mut situation, 60 * DAY, 2, Move::Activate);
    assert_eq!(situation.signers(&channel, at(90 * DAY - 1)), [1, 2]);
    assert_eq!(situation.signers(&channel, at(90 * DAY)), [2]);
    let chained = Channel::new(Kind::OpenidAnchor);
    assert_eq!(situation.signers(&chained, at(61 * DAY)), [2]);
}

#[test]
fn visibility_is_left_by_time_since_a_receipt_and_never_by_waiting_alone() {
    let channel = Channel::new(Kind::Jwks);
    let mut situation = situation(channel.clone());
    let never = |name: &str, issued: i64, versions: &[u32]| {
        signature(name, Kind::Jwks, None, issued, When::Never, keys(versions))
    };
    let seen = |situation: &Situation, version: u32, time: i64| {
        situation.visibility(&situation.channels[0], version, at(time)).unwrap()
    };
    situation.inventory.add(&never("a", 0, &[1]));
    assert_eq!(seen(&situation, 1, 0), Visibility::Omnipresent, "nothing ever lacked it");
    go(&mut situation, DAY, 2, Move::Generate);
    assert_eq!(seen(&situation, 2, DAY), Visibility::Hidden);
    situation.inventory.add(&never("b", DAY, &[1, 2]));
    assert_eq!(seen(&situation, 2, 9_000 * DAY), Visibility::Rumoured, "no receipt");
    situation.inventory.observe(&receipt("b", 3 * DAY)).unwrap();
    assert_eq!(seen(&situation, 2, 4 * DAY + 299), Visibility::Rumoured);
    assert_eq!(seen(&situation, 2, 4 * DAY + 300), Visibility::Omnipresent);
    situation.inventory.add(&never("c", 10 * DAY, &[2]));
    situation.inventory.observe(&receipt("b", 11 * DAY)).unwrap();
    assert_eq!(
        seen(&situation, 1, 9_000 * DAY),
        Visibility::Unretentive,
        "the receipt is for the artefact before"
    );
    situation.inventory.observe(&receipt("c", 12 * DAY)).unwrap();
    assert_eq!(seen(&situation, 1, 13 * DAY + 299), Visibility::Unretentive);
    assert_eq!(seen(&situation, 1, 13 * DAY + 300), Visibility::Hidden);
    assert_eq!(seen(&situation, 2, 13 * DAY), Visibility::Omnipresent);
}

#[test]
fn every_publication_point_has_to_be_seen_or_an_officer_says_so() {
    let mut channel = example(false);
    channel.points = vec!["https://a.example".into(), "https://b.example".into()];
    let (mut situation, _) = introduced(&channel, 9 * DAY);
    let from = |from: Source, seen: i64| Receipt { from, ..receipt("new", seen) };
    let unseen = |situation: &Situation| known(&channel, &situation.inventory, 2, at(15 * DAY));
    assert_eq!(unseen(&situation), Opening::Unseen(channel.points.clone()), "seen elsewhere only");
    situation.inventory.observe(&from(Source::Point("https://a.example".into()), 12 * DAY)).unwrap();
    assert_eq!(unseen(&situation), Opening::Unseen(vec!["https://b.example".into()]));
    let mut said = situation.clone();
    situation.inventory.observe(&from(Source::Point("https://b.example".into()), 13 * DAY)).unwrap();
    assert_eq!(unseen(&situation), opening(13 * DAY + 3 * DAY + 300), "the later of both");
    said.inventory.observe(&from(Source::Said("told by telephone".into()), 14 * DAY)).unwrap();
    assert_eq!(unseen(&said), opening(14 * DAY + 3 * DAY + 300));
}

#[test]
fn a_key_is_known_and_forgotten_at_each_place_of_a_channel() {
    let channel = Channel::new(Kind::SamlSigning);
    let mut situation = situation(channel.clone());
    let mut add = |name: &str, about: &str, day: i64, versions: &[u32]| {
        let place = Place { by: line(), kind: "saml".into(), about: about.into() };
        let ends = When::At(at((day + 14) * DAY));
        let signed = signature(name, channel.kind, None, day * DAY, ends, keys(versions));
        situation.inventory.add(&Signature { place: Some(place), ..signed });
        situation.inventory.observe(&receipt(name, (day + 1) * DAY)).unwrap();
        situation.inventory.clone()
    };
    let missing = |how: &str| {
        Opening::Unseen(vec![format!("a saml document of example.org/prod/metadata about b {how} the key")])
    };
    add("a1", "a", 0, &[1]);
    add("b1", "b", 0, &[1]);
    let both = add("a2", "a", 2, &[1, 2]);
    assert_eq!(known(&channel, &both, 2, at(4 * DAY)), missing("with"));
    // Once what b says has ended, nobody goes by it.
    assert!(known(&channel, &both, 2, at(14 * DAY + 299)) == missing("with"));
    assert_eq!(known(&channel, &both, 2, at(14 * DAY + 300)), opening(6 * DAY + 300));
    let both = add("b2", "b", 4, &[1, 2]);
    assert_eq!(known(&channel, &both, 2, at(6 * DAY)), opening(8 * DAY + 300), "the later of both");
    let both = add("a3", "a", 6, &[2]);
    assert_eq!(forgotten(&channel, &both, 1, at(8 * DAY)), missing("without"));
    let both = add("b3", "b", 8, &[2]);
    assert_eq!(forgotten(&channel, &both, 1, at(10 * DAY)), opening(12 * DAY + 300));
    // A place where no key of the line is looked for waits for none.
    let both = add("b4", "b", 9, &[]);
    assert_eq!(known(&channel, &both, 2, at(11 * DAY)), opening(6 * DAY + 300));
}

#[test]
fn times_beyond_the_calendar_never_come_and_nothing_overflows() {
    let far = Span::of_seconds(i64::MAX);
    assert_eq!(When::At(at(0)).later(far), When::Never);
    assert!(!When::Never.has_come(Instant::parse("9999-12-30T00:00:00Z").unwrap()));
    for kind in Kind::all() {
        let mut channel = Channel::new(kind);
        channel.timing = Timing {
            delay: far,
            refresh: far,
            cache: Some(far),
            failures: u32::MAX,
            objects: far,
            skew: far,
            publish_safety: far,
            retire_safety: far,
            distribution: far,
            notice: far,
            period: far,
            ..channel.timing
        };
        let (mut situation, _) = introduced(&channel, 9 * DAY);
        go(&mut situation, 60 * DAY, 2, Move::Activate);
        let key = *situation.history.key(1).unwrap();
        let inventory = &situation.inventory;
        for opening in [
            retire(&channel, inventory, (1, &key), at(61 * DAY)),
            distrusted(&channel, inventory, 1, at(61 * DAY)),
            forgotten(&channel, inventory, 1, at(61 * DAY)),
        ] {
            assert!(!opening.is_open(at(61 * DAY)), "{kind}: {opening:?}");
        }
        let _ = cadence(&channel);
        let _ = Emergency::of(&situation, &line().version(1), at(0), at(61 * DAY)).unwrap();
    }
}

#[test]
fn a_cadence_that_cannot_work_is_refused() {
    let mut channel = example(false);
    channel.timing.validity = Some(days(11));
    assert_eq!(cadence(&channel).unwrap().slack, Some(days(2)), "V = P + D + k·R is enough");
    channel.timing.validity = Some(Span::of_seconds(11 * DAY - 1));
    let fault = cadence(&channel).unwrap_err();
    assert_eq!(fault.code(), &CADENCE);
    assert!(fault.message().contains("P11D"), "{fault:?}");
    channel.timing.validity = Some(days(16));
    assert!(cadence(&channel).unwrap().survives_missed, "V = 2P + D");
    let mut endless = Channel::new(Kind::Jwks);
    endless.timing.strict = true;
    assert_eq!(cadence(&endless).unwrap_err().code(), &CADENCE, "strict needs an end");
}
