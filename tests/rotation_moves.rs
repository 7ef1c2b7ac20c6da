//! Every stage and every move, on vaults: what the stage machine refuses is refused and recorded, and what it allows happens.

use std::path::Path;

use fedroot::base::fault::{Fault, INTERNAL};
use fedroot::base::random;
use fedroot::base::recipient::Identities;
use fedroot::base::secret::Secret;
use fedroot::ceremony::{self, Approver, Moved, Moving};
use fedroot::custody::{Prompt, WRONG};
use fedroot::key::KeyId;
use fedroot::ledger::EntryKind;
use fedroot::lifecycle::{FINAL, Move, NO_KEY, ORDER, SAFETY, STAGE, SUSPENDED, Stage, TOO_EARLY};

use fedroot::policy::{Confirmation, MISCONFIRMED, Request, Review};

use crate::rotation::{World, days, line};
use crate::support::{Folder, identities};

/// A world in which a key stands at a stage; none: the line has no such key yet. Yields it with the key's version.
fn standing(stage: Option<Stage>) -> (World, u32) {
    let mut world = World::new();
    world.first();
    let version = match stage {
        Some(Stage::Active | Stage::Suspended | Stage::Revoked | Stage::Retiring) => 1,
        _ => 2,
    };
    let take = |world: &World, moves: &[Move]| moves.iter().for_each(|act| world.good(*act, version));
    if version == 2 && stage.is_some() {
        world.next(2, stage == Some(Stage::Standby));
    }
    match stage {
        None | Some(Stage::Active | Stage::Generated | Stage::Standby) => {}
        Some(Stage::Suspended) => take(&world, &[Move::Suspend]),
        Some(Stage::Revoked) => take(&world, &[Move::Revoke]),
        Some(Stage::Destroyed) => take(&world, &[Move::Destroy]),
        Some(Stage::Retired) => take(&world, &[Move::Publish, Move::Retire]),
        Some(Stage::Published) => publish(&mut world),
        Some(Stage::Retiring) => {
            world.next(2, false);
            publish(&mut world);
            world.later(days(30));
            renew(&world);
            world.good(Move::Activate, 2);
        }
    }
    assert_eq!(stage.map(|_| world.stage(version)), stage);
    (world, version)
}

/// The successor is published, signs its copy, and that is seen.
fn publish(world: &mut World) {
    world.good(Move::Publish, 2);
    let both = world.sign("old.xml", Some("new.xml")).unwrap();
    world.later(days(2));
    world.observe(both[1], world.now).unwrap();
}

/// Both keys sign anew: what they signed before has ended meanwhile.
fn renew(world: &World) {
    let now = world.now.unix();
    world.sign(&format!("old-{now}.xml"), Some(&format!("new-{now}.xml"))).unwrap();
}

/// Asks for a move once it is time.
fn ask_in_time(world: &mut World, act: Move, version: u32) -> Moved {
    let moved = world.ask(act, version);
    let Some(fault) = moved.refused.as_ref().filter(|fault| fault.code() == &TOO_EARLY) else { return moved };
    world.now = moved.answers.time.not_before.unwrap_or_else(|| panic!("{fault} without a time"));
    if act == Move::Activate {
        renew(world);
    }
    world.ask(act, version)
}

/// A standby key takes over in an emergency, and not before.
fn take_over(world: &World, version: u32) -> Moved {
    world.refused(Move::Activate, version, &SAFETY);
    world.good(Move::Revoke, 1);
    let plain = Moving::new(line().version(version), Move::Activate, Some("test"), &[]);
    let moving = Moving { emergency: true, ..plain };
    world.with(|vault, answers| ceremony::advance(vault, &moving, answers)).unwrap()
}

fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    assert!(std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

#[test]
fn every_move_at_every_stage_happens_or_is_refused_and_recorded() {
    let (mut happened, mut refused) = (0, 0);
    for stage in std::iter::once(None).chain(Stage::ALL.map(Some)) {
        let (mut world, version) = standing(stage);
        let (kept, start) = (world.folder.path("kept"), world.now);
        copy(&world.path(), &kept);
        for act in Move::all() {
            let name = format!("{} {act}", stage.map_or("none", Stage::name));
            let expected = act.step(stage, Some(Stage::Active));
            let denied = world.count(EntryKind::Denied);
            let Ok(to) = expected else {
                let code = expected.unwrap_err();
                assert!([&FINAL, &ORDER, &SUSPENDED, &NO_KEY].contains(&code), "{name}");
                world.refused(act, version, code);
                assert_eq!(world.count(EntryKind::Denied), denied + 1, "{name}");
                assert_eq!(stage.map(|_| world.stage(version)), stage, "{name}");
                refused += 1;
                continue;
            };
            if act == Move::Generate {
                world.next(version, false);
            } else {
                let staged = world.count(EntryKind::Stage);
                let moved = match (stage, act) {
                    (Some(Stage::Standby), Move::Activate) => take_over(&world, version),
                    _ => ask_in_time(&mut world, act, version),
                };
                assert!(moved.refused.is_none(), "{name}: {}", moved.refused.unwrap());
                assert!(world.count(EntryKind::Stage) > staged, "{name}");
            }
            assert_eq!(world.stage(version), to, "{name}");
            happened += 1;
            // as it was before
            copy(&kept, &world.path());
            world.now = start;
        }
    }
    assert_eq!((happened, refused), (27, 73), "the table has these steps");
}

/// Confirms by a digest that was given once, and opens keys with an identity that opens none.
struct Given(Confirmation, Folder);

impl Prompt for Given {
    fn passphrase(&mut self, _: &KeyId) -> Result<Secret<String>, Fault> {
        Err(INTERNAL.fault("there is no passphrase"))
    }

    fn new_passphrase(&mut self, key: &KeyId) -> Result<Secret<String>, Fault> {
        self.passphrase(key)
    }

    fn identities(&mut self, _: &KeyId) -> Result<Identities, Fault> {
        Ok(identities(&self.1))
    }
}

impl Approver for Given {
    fn show(&mut self, _: &Review) -> Result<(), Fault> {
        Ok(())
    }

    fn confirm(&mut self, request: &Request) -> Result<Confirmation, Fault> {
        Ok(match &self.0 {
            Confirmation::Digest(digest) => Confirmation::Digest(*digest),
            _ => Confirmation::Digest(request.digest()),
        })
    }
}

#[test]
fn what_is_confirmed_is_what_goes_on_record() {
    let world = World::new();
    world.first();
    let with = ["somebody".to_owned()];
    let asked = |reason, with| Moving::new(line().version(1), Move::Revoke, Some(reason), with);
    let given = asked("lost", &with).request().digest();
    let mut approver = Given(Confirmation::Digest(given), Folder::empty());
    for other in [asked("found", &with), asked("lost", &[])] {
        let moved = world.with(|vault, _| ceremony::advance(vault, &other, &mut approver)).unwrap();
        assert_eq!(moved.refused.unwrap().code(), &MISCONFIRMED);
    }
    let moved =
        world.with(|vault, _| ceremony::advance(vault, &asked("lost", &with), &mut approver)).unwrap();
    assert!(moved.refused.is_none() && world.stage(1) == Stage::Revoked);
}

#[test]
fn a_wrong_secret_for_another_certificate_is_recorded_once() {
    let world = World::new();
    world.first();
    let mut approver = Given(Confirmation::None, Folder::empty());
    let denied = world.count(EntryKind::Denied);
    let fault = world.with(|vault, _| {
        ceremony::renew_certificate(vault, &line(), Some("test"), &mut approver, &mut random::system())
    });
    assert_eq!(fault.unwrap_err().code(), &WRONG);
    assert_eq!(world.count(EntryKind::Denied), denied + 1);
    world.good(Move::Suspend, 1);
    let fault = world.with(|vault, answers| {
        ceremony::renew_certificate(vault, &line(), Some("test"), answers, &mut random::system())
    });
    assert_eq!(fault.unwrap_err().code(), &STAGE);
    assert_eq!(world.count(EntryKind::Denied), denied + 2);
}
