//! Random histories with crashes, against a list of what they must have left.

use super::*;

/// What may happen to a ledger.
#[derive(Clone, Debug)]
enum Event {
    Append(usize, usize),
    Sign(bool),
    Die,
    CloseOne,
    Reopen,
    CrashBeforeState,
    LoseOldSlot,
    TooLarge,
    ClockBehind,
    Torn(Vec<u8>),
    Auditors,
    Checkpoint,
    LoseLines(usize),
    LoseState,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..7_usize, 0..900_usize).prop_map(|(kind, length)| Event::Append(kind, length)),
        3 => any::<bool>().prop_map(Event::Sign),
        2 => Just(Event::Die),
        2 => Just(Event::CloseOne),
        2 => Just(Event::Reopen),
        3 => Just(Event::CrashBeforeState),
        1 => Just(Event::LoseOldSlot),
        1 => Just(Event::TooLarge),
        1 => Just(Event::ClockBehind),
        2 => proptest::collection::vec(any::<u8>(), 1..40).prop_map(Event::Torn),
        1 => Just(Event::Auditors),
        3 => Just(Event::Checkpoint),
        1 => (1..4_usize).prop_map(Event::LoseLines),
        1 => Just(Event::LoseState),
    ]
}

/// A history and what it must have left: kind, what it closes, and a member of the body.
struct Model {
    room: Room,
    ledger: Option<Ledger>,
    expected: Vec<(EntryKind, Option<u64>, Value)>,
    before: Vec<u8>,
    time: i64,
    /// Checkpoints that left, and whether entries that they speak of were lost.
    notes: Vec<(Note, bool)>,
}

impl Model {
    fn new() -> Self {
        let room = Room::new();
        let ledger = Some(room.create().unwrap());
        let before = fs::read(room.state()).unwrap();
        let expected = vec![(EntryKind::Genesis, None, json!("by a test"))];
        Self { room, ledger, expected, before, time: 0, notes: Vec::new() }
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
            Event::Die => {
                drop(ledger.intend("key", &Digest::of(b""), &json!({"made": "intent"}), now).unwrap());
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
            Event::Checkpoint => self.notes.push((ledger.checkpoint(), false)),
            Event::Auditors => {
                ledger.change_auditors(&self.room.auditors()).unwrap();
                ledger.append(EntryKind::Config, None, &json!({"made": "auditors"}), now).unwrap();
                self.expect(EntryKind::Config, None, "auditors");
                self.before.clone_from(&state);
            }
            _ => {} // what happens to the files follows
        }
        self.ledger = Some(ledger);
        self.restart(event, &state);
        self.harm(event);
    }

    /// What ends a process, and the next one that opens the ledger.
    fn restart(&mut self, event: &Event, state: &[u8]) {
        let len = self.expected.len() as u64;
        match event {
            Event::CrashBeforeState if len > 1 && self.before != state => {
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

    /// What is lost or torn, and the recovery.
    fn harm(&mut self, event: &Event) {
        let log = fs::read(self.room.log()).unwrap();
        let ends: Vec<usize> = (0..log.len()).filter(|&at| log[at] == b'\n').map(|at| at + 1).collect();
        let (harmed, is_break) = match event {
            Event::Torn(bytes) => ([&log[..], bytes].concat(), false),
            // Junk has lines of its own: only where there is none it is known which entries are lost.
            Event::LoseLines(count) if ends.len() == self.expected.len() && ends.len() > *count => {
                self.expected.truncate(ends.len() - count);
                (log[..ends[ends.len() - count - 1]].to_vec(), true)
            }
            Event::LoseState => (log, true),
            _ => return,
        };
        drop(self.ledger.take());
        write_private(&self.room.log(), &harmed);
        if matches!(event, Event::LoseState) {
            fs::remove_file(self.room.state()).unwrap();
        }
        if is_break {
            super::recovery::recover_at(&self.room, false, at(self.time)).unwrap_err();
            let left = self.expected.len() as u64;
            self.notes.iter_mut().for_each(|(note, is_lost)| *is_lost |= note.checkpoint.size > left);
        }
        let done = super::recovery::recover_at(&self.room, is_break, at(self.time)).unwrap();
        let kind = if is_break { EntryKind::Reseal } else { EntryKind::Recovery };
        assert_ne!(done, Recovered::Nothing);
        self.expected.push((kind, None, Value::Null));
        self.before = fs::read(self.room.state()).unwrap();
        self.ledger = Some(self.room.open().unwrap());
    }

    /// Every checkpoint is told from every other history: it fits exactly when nothing it speaks of was lost.
    fn check_notes(&self) {
        for (note, is_lost) in &self.notes {
            let fits = verify_since(&self.room.folder, std::slice::from_ref(note), Vec::new());
            assert_eq!(fits.is_err(), *is_lost, "{note:?} {fits:?}");
            match fits {
                Ok(checked) => assert_eq!(checked.complete, Some(note.checkpoint.size)),
                Err(fault) => assert!([&FORK, &TRUNCATED].contains(&fault.code()), "{fault}"),
            }
        }
    }

    fn check(&self) {
        self.check_notes();
        let ledger = self.ledger.as_ref().unwrap();
        let (summary, agreement) = verify_folder(&self.room.folder).unwrap();
        assert_eq!(agreement, Agreement::Same);
        assert_eq!(
            (summary.entries, summary.head, summary.root),
            (ledger.len(), ledger.head(), ledger.root())
        );
        assert_eq!(summary.open, self.open());
        assert_eq!(ledger.open_intents().collect::<Vec<_>>(), summary.open);
        let found = super::recovery::entries(&self.room).into_iter().map(|entry| {
            let Body::Open(body) = entry.body else { panic!("entry {} cannot be read", entry.index) };
            (entry.kind, entry.re, body.get("made").cloned().unwrap_or_default())
        });
        assert_eq!(found.collect::<Vec<_>>(), self.expected);
    }
}

/// Kinds that stand for themselves.
const PLAIN: [EntryKind; 7] = [
    EntryKind::Config,
    EntryKind::Denied,
    EntryKind::Stage,
    EntryKind::Receipt,
    EntryKind::Note,
    EntryKind::Checkpoint,
    EntryKind::Audit,
];

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
