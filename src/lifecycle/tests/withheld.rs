//! That a document was never published is what somebody says. Whatever is said, and whenever: what was seen is waited for.

use proptest::prelude::*;

use super::*;

/// What becomes of one of the documents.
#[derive(Clone, Copy, Debug)]
enum Event {
    Said(usize),
    Seen(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![(0..6_usize).prop_map(Event::Said), (0..6_usize).prop_map(Event::Seen)];
    proptest::collection::vec(event, 0..24)
}

/// A key on its way out that signed six documents, of which one never ends, and what is outstanding of them.
fn waits(events: &[Event], ends: &[When]) -> Situation {
    let mut withheld = Withheld::default();
    let name = |number: usize| format!("document {number}");
    for event in events {
        match event {
            Event::Said(number) => withheld.say(Digest::of(name(*number).as_bytes())),
            Event::Seen(number) => withheld.see(Digest::of(name(*number).as_bytes())),
        }
    }
    let mut situation = situation(Channel::new(Kind::Jwks));
    for act in [Move::Generate, Move::Publish, Move::Activate] {
        go(&mut situation, DAY, 2, act);
    }
    for (number, end) in ends.iter().enumerate() {
        let signed = signature(&name(number), Kind::Jwks, Some(1), 0, *end, Lists::Nothing);
        if !withheld.holds(&signed.digest) {
            situation.inventory.add(&signed);
        }
    }
    situation
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn nothing_that_was_seen_is_hidden_by_what_is_said(events in events()) {
        let mut ends: Vec<When> = (1..6).map(|end| When::At(at(end * 10 * DAY))).collect();
        ends.push(When::Never);
        let situation = waits(&events, &ends);
        let is_said = |number: usize| events.iter().any(|event| matches!(event, Event::Said(own) if *own == number));
        let is_seen = |number: usize| events.iter().any(|event| matches!(event, Event::Seen(own) if *own == number));
        // exactly those count of which somebody has a receipt, or nobody said anything
        let waited = (0..6).filter(|number| is_seen(*number) || !is_said(*number));
        let last = waited.clone().map(|number| ends[number]).max();
        let signed = situation.inventory.signed("jwks", 1);
        prop_assert_eq!(signed.and_then(Outstanding::end), last);
        prop_assert_eq!(signed.map_or(0, |signed| signed.count(at(0))), waited.count() as u64);
        // and the key retires no earlier than the last of them ends
        let (channel, key) = (&situation.channels[0], situation.history.key(1).unwrap());
        let opening = window::retire(channel, &situation.inventory, (1, key), at(DAY));
        for number in (0..6).filter(|number| is_seen(*number)) {
            let opens = match opening { Opening::At(opens) => Some(opens), _ => None };
            prop_assert!(opens.is_some_and(|opens| opens >= ends[number]), "{} was seen, and is valid", number);
        }
    }
}
