//! Clocks that are behind, ahead, or go back and forth: no key is used before the last entry, nothing is bricked, and a key can
//! be stopped at any time.

use super::*;
use crate::ledger::{self, CLOCK, Recovered};

/// What is tried, with which clock: seconds from the beginning.
#[derive(Clone, Copy, Debug)]
struct Try {
    clock: i64,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Stage(bool),
    Move(Move, u32),
    Emergency,
    Sign,
    /// People say that the clock is right now, and was ahead.
    Acknowledge,
}

const DAY: i64 = 86_400;

fn tries() -> impl Strategy<Value = Try> {
    let what = prop_oneof![
        2 => any::<bool>().prop_map(What::Stage),
        4 => (0..10_usize, 1..4_u32).prop_map(|(act, version)| What::Move(Move::all().nth(act).unwrap(), version)),
        2 => Just(What::Emergency),
        3 => Just(What::Sign),
        1 => Just(What::Acknowledge),
    ];
    let clock = prop_oneof![Just(0), 1..DAY, -400 * DAY..400 * DAY];
    (clock, what).prop_map(|(clock, what)| Try { clock, what })
}

/// What the ledger says to everybody.
fn summary(real: &Real) -> ledger::Summary {
    ledger::verify_folder(&real.path.join("ledger")).unwrap().0
}

fn moved(real: &Real, now: Instant, act: Move, version: u32, emergency: bool) -> Option<Fault> {
    let with = ["another person".to_owned()];
    let plain = Moving::new(line().version(version), act, Some(REASON), &with);
    real.act(now, |vault, approver| advance(vault, &Moving { emergency, ..plain }, approver)).unwrap().refused
}

fn signed(real: &Real, now: Instant, version: u32) -> Result<(), Fault> {
    let by = line().version(version);
    real.act(now, |vault, approver| {
        let octets = now.to_string().into_bytes();
        let approval = approved(vault, &by, real.document, &octets)?;
        let (channel, lists) = vault.channel_for(&by.line, real.document)?;
        let digest = Digest::of(&octets);
        let document = Document::new("a", digest, Some(now.after(Span::of_days(9))?), &lists);
        let mut deliver = |_: &[_]| {
            Ok(Delivered {
                digest,
                beside: vec![],
                channel: channel.clone(),
                document: document.clone(),
                record: None,
            })
        };
        vault.sign(approval, approver, &mut deliver).map(|_| ())
    })
}

/// Tries it, and holds what came of it against the rules.
fn attempt(real: &Real, made: Try) {
    let now = at(made.clock);
    let last = summary(real).last;
    let history = real.catalogue().history(&line()).unwrap();
    let is_behind = now < last;
    match made.what {
        What::Stage(standby) => {
            let making = Making { standby, ..real.making(history.next_version()) };
            let done = real.act(now, |vault, approver| stage(vault, making, approver, &mut random::system()));
            assert!(!is_behind || done.is_err(), "a key was made while the clock was behind");
        }
        What::Move(act, version) => {
            let key = history.key(version).ok();
            let may = act.step(key.map(|key| key.stage), key.and_then(|key| key.before)).is_ok();
            let refused = if act == Move::Generate { return } else { moved(real, now, act, version, false) };
            if matches!(act, Move::Suspend | Move::Revoke) {
                assert_eq!(refused.is_none(), may, "{act} #{version} at {now}: {refused:?}");
            }
            let is_stop = matches!(act, Move::Suspend | Move::Revoke);
            assert!(is_stop || !is_behind || refused.is_some(), "{act} #{version} at {now}, after {last}");
        }
        What::Emergency => {
            if let Some(active) = history.active() {
                assert_eq!(moved(real, now, Move::Revoke, active, true).map(|fault| fault.to_string()), None);
            }
            let history = real.catalogue().history(&line()).unwrap();
            if let Some(standby) =
                history.at_stage(Stage::Standby).next().filter(|_| history.active().is_none())
            {
                let refused = moved(real, now, Move::Activate, standby, true);
                assert_eq!(refused.map(|fault| fault.to_string()), None, "#{standby} takes over at {now}");
            }
        }
        What::Sign => {
            let Some(active) = history.active() else { return };
            let done = signed(real, now, active);
            assert_eq!(done.as_ref().err().map(Fault::code), is_behind.then_some(&CLOCK), "{done:?}");
        }
        What::Acknowledge => {
            let done = Vault::recover(&real.path, &operator(), &FixedClock(now), true, Some(REASON)).unwrap();
            assert_eq!(matches!(done, Recovered::Resealed { .. }), is_behind, "{done:?}");
            assert_eq!(summary(real).last, if is_behind { now } else { last });
        }
    }
}

/// What holds after everything: only people led the time back, and everything about the line can be read.
fn holds(real: &Real, made: Try) {
    let found = summary(real);
    assert!(found.clock_steps_back <= found.reseals, "{made:?}");
    let catalogue = real.catalogue();
    catalogue.records(&line()).unwrap_or_else(|fault| panic!("{made:?}: {fault}"));
    catalogue.situation(&line()).unwrap_or_else(|fault| panic!("{made:?}: {fault}"));
    let identities = identities(&real.secret).unwrap();
    rebuild(&mut real.catalogue(), &identities, true).unwrap_or_else(|fault| panic!("{made:?}: {fault}"));
}

#[test]
fn whatever_the_clock_says_no_key_is_used_before_the_last_entry_and_every_key_can_be_stopped() {
    let config = ProptestConfig { cases: count(12), failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&proptest::collection::vec(tries(), 1..25), |tries| {
            let real = Real::new(Kind::OpenidAnchor);
            for made in tries {
                attempt(&real, made);
                holds(&real, made);
            }
            let history = real.catalogue().history(&line()).unwrap();
            if let Some(active) = history.active() {
                signed(&real, summary(&real).last, active).unwrap();
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_clock_that_is_behind_twice_uses_no_key_and_moves_none() {
    let real = Real::new(Kind::OpenidAnchor);
    for _ in 0..2 {
        assert_eq!(signed(&real, at(-DAY), 1).unwrap_err().code(), &CLOCK);
        let made = real
            .act(at(-DAY), |vault, approver| stage(vault, real.making(2), approver, &mut random::system()));
        assert_eq!(made.err().unwrap().code(), &CLOCK);
    }
    assert_eq!(real.stages(), [(1, Stage::Active)]);
    let dry = |act| {
        let moving = Moving::new(line().version(1), act, Some(REASON), &[]);
        crate::ceremony::foresee(&real.catalogue(), &moving, at(-DAY)).unwrap().refused
    };
    assert!(dry(Move::Suspend).is_none() && dry(Move::Revoke).is_none());
    real.act(at(1), |vault, approver| stage(vault, real.making(2), approver, &mut random::system())).unwrap();
    assert_eq!(moved(&real, at(0), Move::Suspend, 1, false).map(|fault| fault.to_string()), None);
    let resume = Moving::new(line().version(1), Move::Resume, Some(REASON), &[]);
    let resumed = crate::ceremony::foresee(&real.catalogue(), &resume, at(0)).unwrap().refused;
    assert_eq!(resumed.as_ref().map(Fault::code), Some(&CLOCK), "{resumed:?}");
    assert_eq!(moved(&real, at(0), Move::Resume, 1, false).unwrap().code(), &CLOCK);
    assert_eq!(moved(&real, at(2), Move::Resume, 1, false).map(|fault| fault.to_string()), None);
}

#[test]
fn a_key_that_was_made_in_the_future_is_stopped_today() {
    let real = Real::new(Kind::OpenidAnchor);
    let future = at(365 * DAY);
    real.act(future, |vault, approver| stage(vault, real.making(2), approver, &mut random::system()))
        .unwrap();
    assert_eq!(signed(&real, at(9), 1).unwrap_err().code(), &CLOCK);
    for (act, version) in [(Move::Suspend, 1), (Move::Revoke, 1), (Move::Suspend, 2), (Move::Revoke, 2)] {
        assert_eq!(moved(&real, at(9), act, version, false).map(|fault| fault.to_string()), None);
    }
    Vault::recover(&real.path, &operator(), &FixedClock(at(10)), true, Some(REASON)).unwrap();
    real.act(at(11), |vault, approver| stage(vault, real.making(3), approver, &mut random::system()))
        .unwrap();
    assert_eq!(real.stages().len(), 3);
}
