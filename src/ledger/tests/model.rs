//! Random histories with crashes, against a list of what they must have left.

use super::*;

/// What may happen to a ledger.
#[derive(Clone, Debug)]
enum Event {
    Append(usize, usize),
    Sign(bool),
    Abort,
    Die,
    CloseOne,
    Reopen,
    CrashBeforeState,
    LoseOldSlot,
    TooLarge,
    ClockBehind,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..7_usize, 0..900_usize).prop_map(|(kind, length)| Event::Append(kind, length)),
        3 => any::<bool>().prop_map(Event::Sign),
        1 => Just(Event::Abort),
        1 => Just(Event::Die),
        2 => Just(Event::CloseOne),
        2 => Just(Event::Reopen),
        3 => Just(Event::CrashBeforeState),
        1 => Just(Event::LoseOldSlot),
        1 => Just(Event::TooLarge),
        1 => Just(Event::ClockBehind),
    ]
}

/// A history and what it must have left: kind, what it closes, and a member of the body.
struct Model {
    room: Room,
    ledger: Option<Ledger>,
    expected: Vec<(EntryKind, Option<u64>, Value)>,
    before: Vec<u8>,
    time: i64,
}

impl Model {
    fn new() -> Self {
        let room = Room::new();
        let ledger = Some(room.create().unwrap());
        let before = fs::read(room.state()).unwrap();
        Self { room, ledger, expected: vec![(EntryKind::Genesis, None, json!("by a test"))], before, time: 0 }
    }

    fn expect(&mut self, kind: EntryKind, re: Option<u64>, made: &str) {
        self.expected.push((kind, re, json!(made)));
    }

    fn open(&self) -> Vec<u64> {
        let closed: Vec<_> = self.expected.iter().filter_map(|(_, re, _)| *re).collect();
        (0_u64..)
            .zip(&self.expected)
            .filter(|(i, e)| e.0 == EntryKind::Intent && !closed.contains(i))
            .map(|(i, _)| i)
            .collect()
    }

    fn reopen(&mut self) {
        drop(self.ledger.take());
        self.ledger = Some(self.room.open().unwrap());
    }

    fn step(&mut self, event: &Event) {
        const PLAIN: [EntryKind; 7] = [
            EntryKind::Config,
            EntryKind::Denied,
            EntryKind::Stage,
            EntryKind::Receipt,
            EntryKind::Note,
            EntryKind::Checkpoint,
            EntryKind::Audit,
        ];
        self.time += 1;
        let (now, len) = (at(self.time), self.expected.len() as u64);
        let mut ledger = self.ledger.take().unwrap();
        let state = fs::read(self.room.state()).unwrap();
        match event {
            Event::Append(kind, length) => {
                let text = "x".repeat(*length);
                ledger.append(PLAIN[*kind], None, &json!({"made": text}), now).unwrap();
                self.expect(PLAIN[*kind], None, &text);
                self.before.clone_from(&state);
            }
            Event::Sign(signed) => {
                let permit = ledger.intend("key", &Digest::of(b""), &json!({"made": "intent"}), now).unwrap();
                self.before = fs::read(self.room.state()).unwrap();
                self.expect(EntryKind::Intent, None, "intent");
                let body = json!({"made": "end"});
                let closed = if *signed { permit.outcome(&body, now) } else { permit.denied(&body, now) };
                closed.unwrap();
                self.expect(if *signed { EntryKind::Outcome } else { EntryKind::Denied }, Some(len), "end");
            }
            Event::Abort => {
                let permit = ledger.intend("key", &Digest::of(b""), &json!({"made": "intent"}), now).unwrap();
                self.before = fs::read(self.room.state()).unwrap();
                drop(permit);
                self.expect(EntryKind::Intent, None, "intent");
                self.expected.push((EntryKind::Outcome, Some(len), Value::Null));
            }
            Event::Die => {
                std::mem::forget(
                    ledger.intend("key", &Digest::of(b""), &json!({"made": "intent"}), now).unwrap(),
                );
                self.expect(EntryKind::Intent, None, "intent");
                self.before.clone_from(&state);
            }
            Event::CloseOne => {
                if let Some(&re) = self.open().first() {
                    ledger.append(EntryKind::Outcome, Some(re), &json!({"made": "late"}), now).unwrap();
                    self.expect(EntryKind::Outcome, Some(re), "late");
                    self.before.clone_from(&state);
                }
            }
            Event::TooLarge => {
                ledger.append(EntryKind::Note, None, &json!("x".repeat(60_000)), now).unwrap_err();
            }
            Event::ClockBehind => {
                assert_eq!(sign(&mut ledger, -1).unwrap_err().code(), &CLOCK);
            }
            Event::Reopen | Event::CrashBeforeState | Event::LoseOldSlot => {}
        }
        self.ledger = Some(ledger);
        self.restart(event, &state);
    }

    /// What ends a process, and the next one that opens the ledger.
    fn restart(&mut self, event: &Event, state: &[u8]) {
        let len = self.expected.len() as u64;
        match event {
            Event::CrashBeforeState if len > 1 => {
                drop(self.ledger.take());
                write_private(&self.room.state(), &self.before);
                self.reopen();
                assert_eq!(self.ledger.as_ref().unwrap().adopted(), Some(len - 1));
            }
            Event::LoseOldSlot => {
                drop(self.ledger.take());
                let both: Vec<u8> = state.iter().zip(&self.before).map(|(new, old)| new | old).collect();
                let is_turned = self.before[..16] != state[..16];
                write_private(&self.room.state(), if is_turned { &both } else { state });
                self.reopen();
            }
            Event::Reopen => self.reopen(),
            _ => {}
        }
    }

    fn check(&self) {
        let ledger = self.ledger.as_ref().unwrap();
        let (summary, agreement) = verify_folder(&self.room.folder).unwrap();
        assert_eq!(agreement, Agreement::Same);
        assert_eq!(
            (summary.entries, summary.head, summary.root),
            (ledger.len(), ledger.head(), ledger.root())
        );
        assert_eq!(summary.open, self.open());
        assert_eq!(ledger.open_intents().collect::<Vec<_>>(), summary.open);
        let found = self.room.entries().into_iter().map(|entry| {
            let Body::Open(body) = entry.body else { panic!("entry {} cannot be read", entry.index) };
            (entry.kind, entry.re, body.get("made").cloned().unwrap_or_default())
        });
        assert_eq!(found.collect::<Vec<_>>(), self.expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_history_is_kept(events in proptest::collection::vec(event(), 1..30)) {
        let mut model = Model::new();
        for event in &events {
            model.step(event);
        }
        model.check();
    }
}
