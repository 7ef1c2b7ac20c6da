//! The compromise path.

use super::*;

fn stolen(kind: Kind, standby_published: bool) -> (Situation, Emergency) {
    let mut situation = situation(Channel::new(kind));
    let ends = |from: i64| kind.timing().validity.map_or(When::Never, |span| When::At(at(from)).later(span));
    let own = kind.method().has_own_files();
    let lists = |versions: &[u32]| if own { Lists::Own } else { keys(versions) };
    situation.inventory.add(&signature("old", kind, Some(1), 0, ends(0), lists(&[1])));
    go(&mut situation, DAY, 2, Move::Generate);
    go(&mut situation, DAY, 2, Move::Standby);
    if standby_published {
        go(&mut situation, DAY, 2, Move::Publish);
        let by = if own { 2 } else { 1 };
        situation.inventory.add(&signature("both", kind, Some(by), 2 * DAY, ends(2 * DAY), lists(&[1, 2])));
        situation.inventory.observe(&receipt("both", 3 * DAY)).unwrap();
    }
    let ten = When::At(at(210 * DAY));
    situation.inventory.add(&signature("statement", kind, Some(1), 199 * DAY, ten, Lists::Nothing));
    situation.inventory.add(&signature("forever", kind, Some(1), 199 * DAY, When::Never, Lists::Nothing));
    let emergency = Emergency::of(&situation, &line().version(1), at(150 * DAY), at(200 * DAY)).unwrap();
    (situation, emergency)
}

#[test]
fn it_says_what_is_at_risk_until_when() {
    let (_, emergency) = stolen(Kind::OpenidAnchor, false);
    let [risk] = &emergency.at_risk[..] else { panic!("one channel") };
    assert_eq!((risk.signed, risk.listing, risk.until), (2, 0, When::Never));
    assert_eq!(risk.never, ["forever"]);
    assert_eq!(emergency.over(), When::Never);
    let (_, emergency) = stolen(Kind::Jwks, false);
    let turned = at(200 * DAY + 2 * DAY + DAY + 300);
    assert_eq!(emergency.over(), When::At(turned), "D, then H, then S");
    let (_, emergency) = stolen(Kind::SamlAnchor, false);
    assert!(
        emergency.over() >= When::At(at(200 * DAY + 44 * DAY)),
        "pinned: A, and V of what was signed just before"
    );
}

#[test]
fn a_standby_key_that_everybody_has_breaks_nobody() {
    for kind in Kind::all() {
        let (_, unknown) = stolen(kind, false);
        assert_eq!(unknown.successor, Some(2), "{kind}");
        assert_eq!(unknown.breaks.len(), 1, "{kind}");
        let (_, known) = stolen(kind, true);
        assert_eq!(known.breaks.is_empty(), kind != Kind::SamlEncryption, "{kind}");
    }
    let (_, chained) = stolen(Kind::OpenidAnchor, false);
    assert_eq!(chained.breaks[0].until, When::Never, "the stolen key must not introduce its successor");
    let (_, carried) = stolen(Kind::Jwks, false);
    assert_eq!(carried.breaks[0].until, When::At(at(203 * DAY + 300)));
}

#[test]
fn the_key_that_signs_goes_on_when_another_one_is_stolen() {
    let key = line().version(1);
    for kind in Kind::all() {
        let (mut situation, before) = stolen(kind, true);
        assert_eq!(before.successor, Some(2), "{kind}");
        go(&mut situation, 200 * DAY, 2, Move::Activate);
        go(&mut situation, 200 * DAY, 3, Move::Generate);
        go(&mut situation, 200 * DAY, 3, Move::Standby);
        let of = |situation: &Situation, day: i64| {
            Emergency::of(situation, &key, at(150 * DAY), at(day * DAY)).unwrap()
        };
        assert_eq!(of(&situation, 200).successor, Some(2), "{kind}: the standby key is for another day");
        go(&mut situation, 201 * DAY, 1, Move::Revoke);
        assert_eq!(of(&situation, 201).successor, Some(2), "{kind}");
        let later = of(&situation, 900).breaks;
        assert!(
            !kind.method().has_own_files() || later.is_empty(),
            "{kind}: people were told long ago: {later:?}"
        );
    }
}

#[test]
fn a_historical_key_is_revoked_from_the_earliest_suspicion() {
    let (mut situation, _) = stolen(Kind::OpenidAnchor, false);
    assert_eq!(HistoricalKey::of(1, situation.history.key(1).unwrap()), None, "still in use");
    let revoke = Step {
        cause: Cause::Compromised,
        since: Some(at(150 * DAY)),
        reason: Some("stolen laptop".into()),
        ..Step::new(at(200 * DAY), 1, Move::Revoke)
    };
    situation.history.apply(revoke).unwrap();
    let entry = HistoricalKey::of(1, situation.history.key(1).unwrap()).unwrap();
    let revoked = Some((at(150 * DAY), Cause::Compromised));
    assert_eq!(entry, HistoricalKey { version: 1, expires: at(200 * DAY), revoked });
    assert_eq!(Cause::Compromised.name(), "compromised");
}

#[test]
fn what_is_at_risk_ends_when_it_was_told_to_whenever_somebody_asks_again() {
    let over = |situation: &Situation, day: i64| {
        let key = line().version(1);
        Emergency::of(situation, &key, at(150 * DAY), at(day * DAY)).unwrap().over()
    };
    for kind in [Kind::SamlAnchor, Kind::X509, Kind::SamlSigning] {
        let (mut situation, _) = stolen(kind, true);
        let told = over(&situation, 200);
        go(&mut situation, 200 * DAY, 1, Move::Revoke);
        assert_eq!([200, 201, 400].map(|day| over(&situation, day)), [told; 3], "{kind}");
    }
}

#[test]
fn the_notice_is_plain_text_that_says_what_to_do() {
    let (_, emergency) = stolen(Kind::OpenidAnchor, false);
    let notice = emergency.notice("SHA-256 aa", Some("SHA-256 bb"));
    for says in [
        "example.org/prod/metadata#1 is revoked",
        "2027-04-21T00:00:00Z", // the earliest suspected time
        "SHA-256 aa",
        "SHA-256 bb",
        "in another way",
        "nothing ends by itself",
    ] {
        assert!(notice.contains(says), "{says}\n{notice}");
    }
    assert!(notice.is_ascii() && notice.lines().all(|line| line.len() <= 76), "{notice}");
    assert!(emergency.notice("aa", None).contains("Accept none before"));
}
