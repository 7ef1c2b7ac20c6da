//! Simulated consumers of keys that documents carry: who reads which document for how long, and whether the key that signs, or
//! that they encrypt to, is the right one. They follow the rules of caches, and know nothing of answers and windows.

use std::collections::BTreeSet;

use super::consumers::{Artefact, Consumer, Rejection, later, names};
use crate::base::clock::{Instant, Span};
use crate::lifecycle::{Channel, History, Method, Move};

/// From when to when a key did something; half-open.
pub(super) struct Stint {
    pub version: u32,
    pub from: Instant,
    pub to: Instant,
}

/// What the keys of a line did, as their moves say.
#[derive(Default)]
pub(super) struct Life {
    /// When each was the active one.
    pub active: Vec<Stint>,
    /// From when to when each was held: made, and neither retired nor revoked.
    pub held: Vec<Stint>,
}

impl Life {
    /// The life of a line until a time.
    pub(super) fn of(history: &History, end: Instant) -> Self {
        let (mut life, mut replayed) = (Self::default(), History::default());
        for step in history.steps() {
            let before = replayed.active();
            if replayed.apply(step.clone()).is_err() {
                break;
            }
            if before != replayed.active() {
                life.active
                    .iter_mut()
                    .filter(|it| Some(it.version) == before)
                    .for_each(|it| it.to = it.to.min(step.at));
                let stint = |version| Stint { version, from: step.at, to: end };
                life.active.extend(replayed.active().map(stint));
            }
            match step.act {
                Move::Generate => life.held.push(Stint { version: step.version, from: step.at, to: end }),
                Move::Retire | Move::Revoke | Move::Destroy => {
                    let own = life.held.iter_mut().filter(|it| it.version == step.version);
                    own.for_each(|it| it.to = it.to.min(step.at));
                }
                _ => {}
            }
        }
        life
    }
}

/// Whoever reads a document, from its signature on, for it may be seen at once; until the cache bound is over since the next one
/// was seen everywhere, and never longer than it is valid, with a clock that goes behind. Strict: until it ends.
pub(super) fn readers(
    channel: &Channel,
    place: usize,
    artefacts: &[&Artefact],
    end: Instant,
) -> Vec<Consumer> {
    let mut all = Vec::new();
    for document in editions(artefacts) {
        for (number, it) in document.iter().enumerate() {
            let turned = document.get(number + 1).filter(|_| !channel.timing.strict);
            let turned = turned.map_or(end, |next| later(next.appears, channel.cache_bound()));
            let ended = it.verified.valid_until.map_or(end, |until| later(until, channel.timing.skew));
            all.push(Consumer {
                who: format!("who has {}", it.file),
                channel: place,
                trusts: it.lists.get(&place).cloned().unwrap_or_default(),
                from: it.signed,
                to: turned.min(ended).min(end),
                file: Some(it.file.clone()),
            });
        }
    }
    all
}

/// The artefacts of each document, in order of time.
fn editions<'a>(artefacts: &[&'a Artefact]) -> Vec<Vec<&'a Artefact>> {
    let documents: BTreeSet<usize> = artefacts.iter().map(|it| it.document).collect();
    let of = |document| artefacts.iter().copied().filter(move |it| it.document == document).collect();
    documents.into_iter().map(of).collect()
}

/// What a reader cannot do: accept what a key signs that his document does not list, or encrypt to a key that is held.
pub(super) fn refused(channel: &Channel, reader: &Consumer, life: &Life, end: Instant) -> Vec<Rejection> {
    let reject = |from: Instant, until: Instant, key: Option<u32>, why: String| {
        let (who, file) = (reader.who.clone(), reader.file.clone());
        Rejection { at: from, until, channel: reader.channel, key, who, file, why }
    };
    let mut found = Vec::new();
    if channel.kind.method() == Method::Replace {
        if reader.trusts.is_empty() {
            found.push(reject(reader.from, reader.to, None, "it lists no key to encrypt to".into()));
        }
        for version in &reader.trusts {
            let held = life.held.iter().find(|it| it.version == *version);
            let gone = held.filter(|held| held.from <= reader.from).map_or(reader.from, |held| held.to);
            let from = gone.max(reader.from);
            if from < reader.to {
                let why = format!("nobody decrypts what is encrypted to #{version}");
                found.push(reject(from, reader.to, Some(*version), why));
            }
        }
        return found;
    }
    let tail = [channel.timing.objects, channel.timing.skew].map(Span::seconds).iter().sum();
    for stint in life.active.iter().filter(|it| !reader.trusts.contains(&it.version)) {
        let (from, to) =
            (stint.from.max(reader.from), later(stint.to, Span::of_seconds(tail)).min(reader.to).min(end));
        if from < to {
            let signs = if from < stint.to { "signs" } else { "signed something just before" };
            let why = format!("#{} {signs}, and it lists {}", stint.version, names(&reader.trusts));
            found.push(reject(from, to, Some(stint.version), why));
        }
    }
    found
}

/// What ends before the next one stands in its place.
pub(super) fn ended(place: usize, artefacts: &[&Artefact], end: Instant) -> Vec<Rejection> {
    let mut found = Vec::new();
    for document in editions(artefacts) {
        for (number, it) in document.iter().enumerate() {
            let next = document.get(number + 1).map_or(end, |next| next.appears);
            let Some(until) = it.verified.valid_until.filter(|until| *until < next) else { continue };
            if let Err(fault) = it.verified.check_valid(until) {
                found.push(Rejection {
                    at: until,
                    until: next,
                    channel: place,
                    key: None,
                    who: format!("who has {}", it.file),
                    file: Some(it.file.clone()),
                    why: fault.message().to_owned(),
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::consumers::tests::{artefact, day, judged_with};
    use super::*;
    use crate::lifecycle::Kind;

    /// Carried by a document of another line.
    fn carrying(lists: &[u32], signed: i64) -> Artefact {
        let lists = [(0, lists.iter().copied().collect())].into();
        Artefact { channel: None, by: None, lists, ..artefact(1, &[], signed) }
    }

    fn stint(version: u32, from: i64, to: i64) -> Stint {
        Stint { version, from: day(from), to: day(to) }
    }

    fn judged(
        kind: Kind,
        artefacts: &[Artefact],
        active: &[Stint; 2],
        held: &[(u32, i64, i64)],
    ) -> Vec<String> {
        let active = active.iter().map(|it| Stint { ..*it }).collect();
        let held = held.iter().map(|(version, from, to)| stint(*version, *from, *to)).collect();
        judged_with(kind, artefacts, &[], &Life { active, held }, 50)
    }

    #[test]
    fn a_key_signs_only_when_the_last_cache_knows_it_and_is_listed_as_long_as_what_it_signed_lives() {
        // Seen on day 9 with the second key, and three days later (a day, and two failed refreshes) in every cache.
        let weekly = |first_gone: i64| -> Vec<Artefact> {
            let lists = |signed: i64| match signed {
                0 => vec![1],
                _ if signed < first_gone => vec![1, 2],
                _ => vec![2],
            };
            (0..7).map(|week| carrying(&lists(week * 7), week * 7)).collect()
        };
        for kind in [Kind::SamlSigning, Kind::Spiffe] {
            let at = |switch: i64| [stint(1, 0, switch), stint(2, switch, 50)];
            assert_eq!(judged(kind, &weekly(21), &at(12), &[]), Vec::<String>::new(), "{kind}");
            // Half the window: somebody has the first document until day 12.
            let early = judged(kind, &weekly(21), &at(10), &[]);
            assert_eq!(early, ["10 0/by-1 who has 0/by-1"], "{kind}");
            // The old one is gone when it has just signed something.
            let gone = judged(kind, &weekly(14), &at(14), &[]);
            assert_eq!(gone, ["14 14/by-1 who has 14/by-1"], "{kind}");
            assert_eq!(
                judged(kind, &weekly(99), &at(12), &[]),
                Vec::<String>::new(),
                "{kind}: a key too much harms nobody"
            );
        }
        // Without failures to survive a day is enough, and half of it is not.
        let at = |switch: i64| [stint(1, 0, switch), stint(2, switch, 50)];
        assert_eq!(judged(Kind::Jwks, &weekly(21), &at(10), &[]), Vec::<String>::new());
        assert_eq!(judged(Kind::Jwks, &weekly(21), &at(9), &[]), ["9 0/by-1 who has 0/by-1"]);
    }

    #[test]
    fn nobody_encrypts_to_a_key_that_is_gone_or_not_made() {
        let all = [carrying(&[1], 0), carrying(&[1], 7), carrying(&[2], 14), carrying(&[2], 21)];
        let active = || [stint(1, 0, 14), stint(2, 14, 50)];
        let rest: Vec<Artefact> = [28, 35, 42].map(|signed| carrying(&[2], signed)).into();
        let all: Vec<Artefact> = all.into_iter().chain(rest).collect();
        // Seen on day 16 without the old one, and on day 19 in every cache.
        let good = judged(Kind::SamlEncryption, &all, &active(), &[(1, 0, 19), (2, 7, 50)]);
        assert_eq!(good, Vec::<String>::new());
        let early = judged(Kind::SamlEncryption, &all, &active(), &[(1, 0, 17), (2, 7, 50)]);
        assert_eq!(early, ["17 7/by-1 who has 7/by-1"], "half the window");
        let unmade = judged(Kind::SamlEncryption, &all, &active(), &[(1, 0, 19), (2, 15, 50)]);
        assert_eq!(unmade, ["14 14/by-1 who has 14/by-1"]);
        let none = [carrying(&[], 0), carrying(&[1], 7)];
        let none = judged(Kind::SamlEncryption, &none, &active(), &[(1, 0, 50)]);
        assert!(none.contains(&"0 0/by-1 who has 0/by-1".to_owned()), "{none:?}");
    }

    #[test]
    fn a_document_that_ends_before_the_next_one_stands_there_is_noticed() {
        let late = [
            carrying(&[1], 0),
            carrying(&[1], 14),
            carrying(&[1], 21),
            carrying(&[1], 28),
            carrying(&[1], 42),
        ];
        let found = judged(Kind::SamlSigning, &late, &[stint(1, 0, 50), stint(2, 50, 50)], &[]);
        assert_eq!(found, ["14 0/by-1 who has 0/by-1", "42 28/by-1 who has 28/by-1"]);
    }

    #[test]
    fn a_life_is_what_the_moves_say() {
        use crate::lifecycle::Step;
        let step = |at: i64, version, act| Step::new(day(at), version, act);
        let history = History::replay([
            step(0, 1, Move::Generate),
            step(7, 2, Move::Generate),
            step(7, 2, Move::Publish),
            step(14, 2, Move::Activate),
            step(21, 1, Move::Rollback),
            step(28, 2, Move::Revoke),
        ]);
        let life = Life::of(&history.unwrap(), day(50));
        let told = |stints: &[Stint]| -> Vec<(u32, i64, i64)> {
            stints.iter().map(|it| (it.version, it.from.unix() / 86_400, it.to.unix() / 86_400)).collect()
        };
        assert_eq!(told(&life.active), [(1, 0, 14), (2, 14, 21), (1, 21, 50)]);
        assert_eq!(told(&life.held), [(1, 0, 50), (2, 7, 28)]);
    }
}
