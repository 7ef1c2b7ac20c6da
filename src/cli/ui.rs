//! The only printer. stdout is the data that was asked for; everything said about it goes to stderr as `fedroot: …`.
//!
//! An error is `error: what, where, value` and then `hint: the way out`: lower case, one line each, no full stop. With
//! `--json` one document goes to stdout, on errors too. Nothing is told by colour. Foreign text is shown through
//! `visible()`, and every write is checked.

use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;
use serde_json::{Map, Value, json};

use super::{USAGE, exit};
use crate::base::disk;
use crate::base::document;
use crate::base::fault::{Class, Fault};
use crate::base::text::visible;

/// What a command has to say.
#[derive(Default)]
pub(super) struct Output {
    /// The data asked for, as text that is safe for a terminal, or as exact bytes.
    pub(super) text: String,
    /// The same as JSON members.
    pub(super) json: Map<String, Value>,
    /// Further members, too long to stand in memory as JSON.
    pub(super) lists: Vec<(&'static str, List)>,
    /// What to say about it.
    pub(super) notes: Vec<Note>,
    /// Why the command still ends in a refusal.
    pub(super) refusal: Option<Fault>,
}

/// Something to say on stderr.
pub(super) struct Note {
    text: String,
    /// Whether it warns, so that scripts want it, too.
    warns: bool,
}

/// What was said before the command ended, and warns.
static WARNED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Writes the elements of a list as JSON.
pub(super) type List = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()>>;

/// An element of a list that has to be read again. Where it cannot be, the list is not written.
pub(super) struct Listed<T>(pub(super) Result<T, Fault>);

impl<T: Serialize> Serialize for Listed<T> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().map_err(serde::ser::Error::custom)?.serialize(to)
    }
}

impl Output {
    /// Adds a member to the JSON that is a list; its elements are made one by one, while they are written.
    pub(super) fn list<T: Serialize>(
        &mut self,
        name: &'static str,
        elements: impl IntoIterator<Item = T> + 'static,
    ) {
        self.streamed(name, |json| json.collect_seq(elements));
    }

    /// Adds a member to the JSON that is written as it stands: it is large, and JSON in memory would be larger.
    pub(super) fn large<T: Serialize + 'static>(&mut self, name: &'static str, value: Option<Arc<T>>) {
        self.streamed(name, move |json| value.as_deref().serialize(json));
    }

    fn streamed(
        &mut self,
        name: &'static str,
        write: impl FnOnce(&mut serde_json::Serializer<&mut dyn Write, Ascii>) -> serde_json::Result<()> + 'static,
    ) {
        let write = move |to: &mut dyn Write| {
            write(&mut serde_json::Serializer::with_formatter(to, Ascii)).map_err(io::Error::from)
        };
        self.lists.push((name, Box::new(write)));
    }

    /// Adds the JSON of another output as a member.
    pub(super) fn member(&mut self, name: &'static str, other: Self) {
        let write = move |to: &mut dyn Write| write_object(to, &other.json.into(), other.lists);
        self.lists.push((name, Box::new(write)));
    }

    /// JSON members from an object.
    pub(super) fn json(value: Value) -> Self {
        let json = if let Value::Object(members) = value { members } else { Map::new() };
        Self { json, ..Self::default() }
    }

    /// Adds a line to the text; its values have passed `visible()`.
    pub(super) fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// Adds a line that shows a name and a foreign value.
    pub(super) fn row(&mut self, name: &str, value: &str) {
        let name = visible(name).to_string();
        self.line(format!("  {name:<20} {}", visible(value)));
    }

    /// The same with everything on stderr: stdout went to the data itself.
    pub(super) fn aside(mut self) -> Self {
        let text = std::mem::take(&mut self.text);
        let notes = std::mem::take(&mut self.notes);
        let lines = text.lines().map(|line| Note { text: line.to_owned(), warns: false });
        self.notes = lines.chain(notes).collect();
        self
    }

    /// Adds something to say on stderr.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(Note { text: note.into(), warns: false });
    }

    /// Adds something to say on stderr that nobody should overlook: JSON has it in its member `warnings`.
    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.notes.push(Note { text: warning.into(), warns: true });
    }
}

/// Prints what came of a command and returns its exit code. That nobody reads any more changes nothing about it.
pub(super) fn finish(result: Result<Output, Fault>, as_json: bool) -> u8 {
    let (code, was_done, printed) = match result {
        Ok(output) => {
            let code = output.refusal.as_ref().map_or(0, |fault| exit::code(fault.code().class));
            let says = |member| output.json.get(member).unwrap_or_default();
            let has_acted = says("changed") == &Value::Bool(true) || says("ledger_intent").is_u64();
            let was_done =
                if code == 0 && has_acted { "; it was done and recorded, all the same" } else { "" };
            (code, was_done, show(output, as_json))
        }
        Err(fault) => (exit::code(fault.code().class), "", show_fault(&fault, as_json)),
    };
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let why = disk::reason(&error);
            // There is nowhere left to report to when this fails too.
            let _ = write_stderr(&format!("error: cannot write what came of it: {why}{was_done}\n"));
            exit::code(Class::Environment)
        }
        _ => code,
    }
}

/// Whether somebody looks at standard output, rather than a program.
pub(super) fn is_watched() -> bool {
    io::stdout().is_terminal()
}

/// Whether somebody looks at standard error, at a terminal that can take a line back and may.
#[expect(clippy::disallowed_methods, reason = "cli is the room that reads the environment")]
pub(super) fn is_attended() -> bool {
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|value| value.is_empty() || value == "dumb");
    io::stderr().is_terminal() && !is_plain && !is_dumb
}

/// Where progress is shown.
pub(super) fn draw_target() -> indicatif::ProgressDrawTarget {
    indicatif::ProgressDrawTarget::stderr()
}

/// Refuses standard output as the place of a document that nobody else has: with the JSON on it, at a terminal, or where it
/// leads nowhere.
pub(super) fn check_stream(what: &str, as_json: bool) -> Result<(), Fault> {
    let taken = if as_json {
        format!("standard output cannot take {what} and the JSON of --json")
    } else if is_watched() {
        format!("standard output is a terminal, and {what} is for programs")
    } else if document::is_closed(io::stdout()) {
        return Err(disk::IO
            .fault(format!("standard output is closed: {what} would be lost"))
            .hint("open it, or name a file with --output"));
    } else {
        return Ok(());
    };
    Err(USAGE.fault(taken).hint("name a file with --output"))
}

/// Writes a document to standard output: all of it, or it is a fault, for nobody else has it.
pub(super) fn deliver(document: &mut dyn Read) -> Result<(), Fault> {
    let mut stdout = io::stdout().lock();
    let written = io::copy(document, &mut stdout).and_then(|_| stdout.flush());
    written.map_err(|e| disk::fault("write to", "standard output".as_ref(), &e))
}

/// Says something before the command has ended, such as a review that is about to be confirmed.
pub(super) fn say(text: &str) -> Result<(), Fault> {
    write_stderr(text).map_err(|e| disk::fault("write to", "standard error".as_ref(), &e))
}

/// Says something before the command has ended that nobody should overlook: JSON has it in its member `warnings`.
pub(super) fn warn(warning: &str) -> Result<(), Fault> {
    WARNED.lock().unwrap_or_else(PoisonError::into_inner).push(warning.to_owned());
    say(&format!("fedroot: {warning}\n"))
}

/// The most characters of what is said of a fault.
const FAULT_CHARS_MAX: usize = 4_000;

/// What is said of a fault holds foreign text of any length; what was not done stands at its end.
fn shortened(text: &str) -> Cow<'_, str> {
    let count = text.chars().count();
    if count <= FAULT_CHARS_MAX {
        return text.into();
    }
    let byte = |place| text.char_indices().nth(place).map_or(text.len(), |(at, _)| at);
    let (head, tail) = (byte(FAULT_CHARS_MAX / 2), byte(count - FAULT_CHARS_MAX / 2));
    let [head, tail] = [text.get(..head), text.get(tail..)].map(Option::unwrap_or_default);
    format!("{head}… ({count} characters) …{tail}").into()
}

fn show(output: Output, as_json: bool) -> io::Result<()> {
    if as_json {
        let outcome = output.refusal.as_ref().map_or_else(|| json!({"version": 1, "ok": true}), fault_json);
        let warnings = output.notes.into_iter().filter(|note| note.warns).map(|note| note.text);
        return write_json(outcome, output.json, output.lists, warnings.collect());
    }
    write_stdout(output.text.as_bytes())?;
    for note in &output.notes {
        write_stderr(&format!("fedroot: {}\n", visible(&note.text)))?;
    }
    output.refusal.map_or(Ok(()), |fault| show_fault(&fault, false))
}

fn show_fault(fault: &Fault, as_json: bool) -> io::Result<()> {
    if as_json {
        return write_json(fault_json(fault), Map::new(), vec![], vec![]);
    }
    let mut text = format!("error: {}\n", visible(&shortened(fault.message())));
    if let Some(hint) = fault.way_out() {
        text.push_str(&format!("hint: {}\n", visible(&shortened(hint))));
    }
    write_stderr(&text)
}

fn fault_json(fault: &Fault) -> Value {
    json!({
        "version": 1,
        "ok": false,
        "code": fault.code().name,
        "message": shortened(fault.message()),
        "hint": fault.way_out().map(shortened),
    })
}

/// Writes one JSON document: these members, then these, then what warns, where something does, then the lists.
fn write_json(
    mut document: Value,
    more: Map<String, Value>,
    lists: Vec<(&'static str, List)>,
    warnings: Vec<String>,
) -> io::Result<()> {
    let mut warned = std::mem::take(&mut *WARNED.lock().unwrap_or_else(PoisonError::into_inner));
    warned.extend(warnings);
    if let Some(members) = document.as_object_mut() {
        members.extend(more);
        if !warned.is_empty() {
            members.insert("warnings".into(), warned.into());
        }
    }
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    write_object(&mut stdout, &document, lists)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Writes an object that has members, and lists as further ones.
fn write_object(to: &mut dyn Write, object: &Value, lists: Vec<(&'static str, List)>) -> io::Result<()> {
    let text = ascii(object)?;
    to.write_all(text.strip_suffix(b"}").unwrap_or(&text))?;
    for (name, write) in lists {
        write!(to, ",\"{name}\":")?;
        write(to)?;
    }
    to.write_all(b"}")
}

fn ascii(document: &Value) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    document.serialize(&mut serde_json::Serializer::with_formatter(&mut text, Ascii))?;
    Ok(text)
}

/// JSON in ASCII only: a terminal shows it as it stands, whatever it holds.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, to: &mut W, fragment: &str) -> io::Result<()> {
        let is_other = |c: char| !c.is_ascii() || c == '\u{7f}';
        for part in fragment.split_inclusive(is_other) {
            let (plain, other) = match part.char_indices().next_back() {
                Some((at, c)) if is_other(c) => (part.get(..at).unwrap_or_default(), Some(c)),
                _ => (part, None),
            };
            to.write_all(plain.as_bytes())?;
            for unit in other.into_iter().flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec()) {
                write!(to, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush())
}

fn write_stderr(text: &str) -> io::Result<()> {
    io::stderr().lock().write_all(text.as_bytes())
}

/// Shows help, or what was wrong with the arguments, as clap wrote it from arguments that are safe to show.
pub(super) fn usage(text: &str, to_stdout: bool) -> io::Result<()> {
    if to_stdout { write_stdout(text.as_bytes()) } else { write_stderr(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_fault_is_short_and_ends_as_it_ends() {
        let fits = "ü".repeat(FAULT_CHARS_MAX);
        assert_eq!(shortened(&fits), fits);
        let short = shortened(&format!("{fits}; nothing was signed")).into_owned();
        assert!(short.starts_with("üü") && short.contains("ü… (4020 characters) …ü"), "{short}");
        assert!(short.ends_with("ü; nothing was signed") && short.chars().count() < FAULT_CHARS_MAX + 40);
    }

    #[test]
    fn json_is_ascii_and_still_says_the_same() {
        let document = json!({"text": "a\u{1b}\u{9b}\u{202e}ü😀\u{7f}\n"});
        let text = ascii(&document).unwrap();
        assert!(text.iter().all(|byte| (b' '..=b'~').contains(byte)), "{text:?}");
        assert_eq!(serde_json::from_slice::<Value>(&text).unwrap(), document);
    }
}
