//! The three answers before every move.

use super::*;

/// A line whose artefacts list #1 and, since day 10, #2; seen at day 12.
fn published() -> Situation {
    let mut situation = situation(Channel::new(Kind::OpenidAnchor));
    let kind = Kind::OpenidAnchor;
    let ends = |from: i64| When::At(at(from)).later(days(14));
    situation.inventory.add(&signature("old", kind, Some(1), 0, ends(0), keys(&[1])));
    go(&mut situation, 10 * DAY, 2, Move::Generate);
    go(&mut situation, 10 * DAY, 2, Move::Publish);
    situation.inventory.add(&signature("new", kind, Some(1), 10 * DAY, ends(10 * DAY), keys(&[1, 2])));
    situation
}

fn seen() -> Situation {
    let mut situation = published();
    situation.inventory.observe(&receipt("new", 12 * DAY)).unwrap();
    situation
}

fn says(answers: &Answers) -> (bool, bool, bool) {
    (answers.policy.yes, answers.safety.yes, answers.time.yes)
}

#[test]
fn activation_wants_receipts_and_then_time() {
    let blind = ask(&published(), 400 * DAY, 2, Move::Activate);
    assert_eq!(says(&blind), (true, false, true), "waiting alone never helps");
    assert!(blind.safety.reason.contains("no receipt"), "{}", blind.safety.reason);
    assert_eq!(blind.check().unwrap_err().code(), &SAFETY);

    // What lacks #2 ends on day 14, and who refreshed last before day 12 does so again until day 15.
    let opens = 16 * DAY + 300;
    let early = ask(&seen(), 13 * DAY, 2, Move::Activate);
    assert_eq!(says(&early), (true, true, false));
    assert!(early.want_time_only());
    assert_eq!((early.time.not_before, early.time.seconds), (Some(at(opens)), opens - 13 * DAY));
    assert_eq!(early.check().unwrap_err().code(), &TOO_EARLY);
    let slept = ask(&seen(), 13 * DAY + early.time.seconds, 2, Move::Activate);
    assert!(slept.are_yes() && slept.check().is_ok(), "a script sleeps so many seconds and comes back");
}

#[test]
fn a_key_whose_copies_have_ended_does_not_take_over() {
    let mut situation = situation(Channel::new(Kind::SamlAnchor));
    let ends = |from: i64| When::At(at(from)).later(days(14));
    go(&mut situation, 10 * DAY, 2, Move::Generate);
    go(&mut situation, 10 * DAY, 2, Move::Publish);
    let says_copy = |situation: &Situation, day: i64| {
        let refused = ask(situation, day * DAY, 2, Move::Activate);
        assert!(!refused.safety.yes && refused.safety.reason.contains("--copy"), "{}", refused.safety.reason);
    };
    says_copy(&situation, 11);
    let mut copied = |name: &str, day: i64| {
        let copy = signature(name, Kind::SamlAnchor, Some(2), day * DAY, ends(day * DAY), Lists::Own);
        situation.inventory.add(&copy);
        situation.inventory.observe(&receipt(name, (day + 1) * DAY)).unwrap();
        situation.clone()
    };
    // Its only file has ended long ago: who has pinned it only has none.
    says_copy(&copied("first", 11), 60);
    assert!(ask(&copied("second", 59), 60 * DAY, 2, Move::Activate).are_yes());
}

#[test]
fn policy_knows_the_table_reasons_persons_and_one_rotation_at_a_time() {
    let situation = published();
    let of = |version, act, asked| super::super::answers(&situation, act, version, at(20 * DAY), asked);
    let refused = |version, act, asked| {
        let answers = of(version, act, asked);
        assert!(!answers.policy.yes, "{act}");
        answers.check().unwrap_err()
    };
    assert_eq!(refused(1, Move::Activate, asked()).code(), &ORDER);
    assert_eq!(refused(7, Move::Activate, asked()).code(), &NO_KEY);
    for reason in [None, Some(" ")] {
        assert_eq!(refused(1, Move::Suspend, Asked { reason, ..asked() }).code(), &POLICY);
    }
    assert_eq!(refused(2, Move::Activate, Asked { persons: 0, ..asked() }).code(), &POLICY);
    assert!(of(1, Move::Suspend, Asked { persons: 0, ..asked() }).are_yes(), "stopping needs nobody else");
    assert_eq!(refused(3, Move::Generate, asked()).code(), &POLICY, "#2 is on its way");
    assert_eq!(refused(4, Move::Generate, asked()).code(), &POLICY, "#3 comes before #4");
    let emergency = Asked { emergency: true, ..asked() };
    assert_eq!(refused(2, Move::Activate, emergency).code(), &POLICY, "#1 is still active");

    let mut ended = seen();
    ended.ends.insert(2, at(15 * DAY));
    let late = ask(&ended, 20 * DAY, 2, Move::Activate);
    assert!(!late.policy.yes && late.policy.reason.contains("ended at"), "{}", late.policy.reason);
}

#[test]
fn a_standby_key_leaves_the_way_free_and_takes_over_at_once_in_an_emergency() {
    let mut situation = situation(Channel::new(Kind::Jwks));
    go(&mut situation, DAY, 2, Move::Generate);
    go(&mut situation, DAY, 2, Move::Standby);
    assert!(ask(&situation, DAY, 3, Move::Generate).are_yes());
    assert_eq!(situation.lists(&situation.channels[0]), keys(&[1]), "kept, and not published");
    let mut listed = situation.clone();
    go(&mut listed, 2 * DAY, 2, Move::Publish);
    assert_eq!(listed.lists(&listed.channels[0]), keys(&[1, 2]));
    assert_eq!(listed.history.key(2).unwrap().stage, Stage::Standby);

    go(&mut situation, 3 * DAY, 1, Move::Suspend);
    let emergency = Asked { emergency: true, ..asked() };
    assert!(!ask(&situation, 3 * DAY, 2, Move::Activate).are_yes());
    assert!(super::super::answers(&situation, Move::Activate, 2, at(3 * DAY), emergency).are_yes());
    assert!(situation.signers(&situation.channels[0], at(3 * DAY)).is_empty(), "suspended signs nothing");
}

#[test]
fn what_never_expires_is_listed_and_blocks_the_end_of_a_key() {
    let mut situation = seen();
    let kind = Kind::OpenidAnchor;
    situation.inventory.add(&signature("mark", kind, Some(1), 13 * DAY, When::Never, Lists::Nothing));
    let ends = When::At(at(50 * DAY));
    situation.inventory.add(&signature("statement", kind, Some(1), 13 * DAY, ends, Lists::Nothing));
    go(&mut situation, 20 * DAY, 2, Move::Activate);
    let blocked = ask(&situation, 900 * DAY, 1, Move::Retire);
    assert_eq!(says(&blocked), (true, false, true));
    assert!(blocked.safety.reason.contains("never expires: mark"), "{}", blocked.safety.reason);
    let mut mended = seen();
    mended.inventory.add(&signature("statement", kind, Some(1), 13 * DAY, ends, Lists::Nothing));
    go(&mut mended, 20 * DAY, 2, Move::Activate);
    let early = ask(&mended, 50 * DAY, 1, Move::Retire);
    assert_eq!(early.time.not_before, Some(at(51 * DAY + 300)));
    assert!(ask(&mended, 51 * DAY + 300, 1, Move::Retire).are_yes());
}

#[test]
fn rolling_back_wants_a_key_that_everybody_still_has() {
    let mut situation = seen();
    go(&mut situation, 20 * DAY, 2, Move::Activate);
    assert!(ask(&situation, 21 * DAY, 1, Move::Rollback).are_yes());
    let ends = When::At(at(40 * DAY));
    situation.inventory.add(&signature("without", Kind::OpenidAnchor, Some(2), 22 * DAY, ends, keys(&[2])));
    let gone = ask(&situation, 23 * DAY, 1, Move::Rollback);
    assert!(!gone.safety.yes && gone.safety.reason.contains("unretentive"), "{}", gone.safety.reason);
}

#[test]
fn a_key_is_destroyed_when_nobody_has_it_and_it_was_kept_long_enough() {
    let mut situation = seen();
    situation.retention = days(100);
    go(&mut situation, 20 * DAY, 2, Move::Activate);
    go(&mut situation, 40 * DAY, 1, Move::Retire);
    let listed = ask(&situation, 400 * DAY, 1, Move::Destroy);
    assert!(!listed.safety.yes, "the last artefact still lists it");
    let ends = When::At(at(54 * DAY));
    situation.inventory.add(&signature("without", Kind::OpenidAnchor, Some(2), 40 * DAY, ends, keys(&[2])));
    let kept = ask(&situation, 60 * DAY, 1, Move::Destroy);
    assert_eq!(kept.time.not_before, Some(at(140 * DAY)));
    assert!(ask(&situation, 140 * DAY, 1, Move::Destroy).are_yes());
    go(&mut situation, 141 * DAY, 3, Move::Generate);
    assert!(ask(&situation, 141 * DAY, 3, Move::Destroy).are_yes(), "nobody ever knew it");
}

#[test]
fn an_anchor_introduces_the_next_one_only_when_it_is_known_itself() {
    let mut situation = seen();
    go(&mut situation, 13 * DAY, 1, Move::Revoke);
    go(&mut situation, 13 * DAY, 2, Move::Activate);
    go(&mut situation, 13 * DAY, 3, Move::Generate);
    let answer = ask(&situation, 13 * DAY, 3, Move::Publish).safety;
    assert!(!answer.yes && answer.reason.contains("not known everywhere"), "{}", answer.reason);
    assert!(ask(&situation, 15 * DAY + 300, 3, Move::Publish).safety.yes);
}

#[test]
fn stopping_is_always_answered_with_yes_and_says_what_follows() {
    for act in [Move::Suspend, Move::Revoke] {
        let answers = ask(&seen(), 13 * DAY, 1, act);
        assert!(answers.are_yes());
        assert!(answers.safety.reason.contains("no key of the line signs"), "{}", answers.safety.reason);
    }
}
