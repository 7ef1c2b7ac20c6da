//! What is outstanding, and how fast that is answered.

use super::*;

#[test]
fn receipts_are_for_artefacts_of_this_line_and_not_before_their_signature() {
    let mut situation = situation(Channel::new(Kind::SamlSigning));
    let ends = When::At(at(14 * DAY));
    let add = |name: &str, lists| signature(name, Kind::SamlSigning, None, DAY, ends, lists);
    situation.inventory.add(&add("metadata", keys(&[1])));
    situation.inventory.add(&add("token", Lists::Nothing));
    for (name, seen, code) in
        [("somebody else's", 2 * DAY, &RECEIPT), ("token", 2 * DAY, &RECEIPT), ("metadata", DAY - 1, &UNSEEN)]
    {
        assert_eq!(situation.inventory.observe(&receipt(name, seen)).unwrap_err().code(), code, "{name}");
    }
    situation.inventory.observe(&receipt("metadata", DAY)).unwrap();
}

#[test]
fn counts_and_ends_are_half_open() {
    let mut inventory = Inventory::default();
    for (name, end) in [("a", 10), ("b", 10), ("c", 20)] {
        let ends = When::At(at(end));
        inventory.add(&signature(name, Kind::Jwks, Some(1), 0, ends, Lists::Nothing));
    }
    let signed = inventory.signed("jwks", 1).unwrap();
    assert_eq!((signed.count(at(9)), signed.count(at(10)), signed.count(at(20))), (3, 1, 0));
    assert_eq!(signed.end(), Some(When::At(at(20))));
    inventory.add(&signature("d", Kind::Jwks, Some(1), 0, When::Never, Lists::Nothing));
    let signed = inventory.signed("jwks", 1).unwrap();
    assert_eq!(
        (signed.end(), signed.count(at(99)), signed.never()),
        (Some(When::Never), 1, &["d".to_owned()][..])
    );
    assert!(inventory.signed("jwks", 2).is_none() && inventory.signed("spiffe", 1).is_none());
}

/// The time that so many questions take, after so many signatures.
#[expect(clippy::disallowed_methods, reason = "a test measures itself")]
fn time_of_answers(signatures: i64) -> std::time::Duration {
    let mut situation = situation(Channel::new(Kind::OpenidAnchor));
    let kind = Kind::OpenidAnchor;
    situation.inventory.add(&signature("ec", kind, Some(1), 0, When::At(at(14 * DAY)), keys(&[1])));
    let mut statement = signature("statement", kind, Some(1), 0, When::At(at(0)), Lists::Nothing);
    for number in 0..signatures {
        statement.expires = When::At(at(DAY + number % 50_000));
        situation.inventory.add(&statement);
    }
    go(&mut situation, DAY, 2, Move::Generate);
    go(&mut situation, DAY, 2, Move::Publish);
    go(&mut situation, DAY, 2, Move::Activate);
    let start = std::time::Instant::now();
    for time in 0..2_000 {
        let answers = ask(&situation, time, 1, Move::Retire);
        assert!(!answers.are_yes());
    }
    start.elapsed()
}

#[test]
fn a_million_signatures_answer_as_fast_as_ten() {
    let (ten, million) = (time_of_answers(10), time_of_answers(1_000_000));
    assert!(
        million < ten * 20,
        "2,000 answers took {ten:?} with ten signatures and {million:?} with a million"
    );
}
