//! Documents that an operator composes in TOML, with keys in files beside it, and ready ones in JSON.

use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue, Deserializer};
use toml::{Spanned, Table, Value};

use super::{COMPOSED, read_all};
use crate::base::disk::{self, Document};
use crate::base::fault::{Code, Fault};
use crate::base::text::without_value;
use crate::format::json::{self, Limits, Numbers};
use crate::format::private;

const DOCUMENT_BYTES_MAX: u64 = 4 << 20;
/// Longer files are not put into a document: the standard has no limit, and no document of a federation comes near.
const COMPANION_BYTES_MAX: u64 = 1 << 20;
const KEY_FILE_BYTES_MAX: u64 = 64 << 10;

/// Opens a document that may be composed: the files that its `[[keys]]` name are put into it, as `pem` or `jwk`, so that
/// one digest covers all. What is ready, or names no file, stays as it is. Every line keeps its number, so that what a reader
/// says of one is true of the operator's own file. It is read once: whatever becomes of the file, it says the same.
pub(super) fn open(path: &Path) -> Result<Document, Fault> {
    open_with(path, &[])
}

/// Opens a document whose members of these names are names of files, or lists of them, too: what stands in the files takes
/// their place.
pub(super) fn open_with(path: &Path, names: &[&str]) -> Result<Document, Fault> {
    let document = Document::from_path(path, disk::read(path, DOCUMENT_BYTES_MAX)?);
    let bytes = read_all(&document, DOCUMENT_BYTES_MAX)?;
    let at = |fault: Fault| fault.at(path.display());
    if is_json(&bytes) {
        let ready = if names.is_empty() { None } else { Some(ready_with(path, &bytes, names).map_err(at)?) };
        return Ok(ready.unwrap_or(document));
    }
    let text = utf8(&bytes).map_err(at)?;
    let table = parsed(text).map_err(at)?.into_inner();
    let mut changes = keys_into(path, text, &table)?;
    if !names.is_empty() {
        let put = |name: &DeValue<'_>, span: Range<usize>| {
            let put = companion(path, name.as_str()).map(|text| literal(&text));
            put.map_err(|fault| fault.at(place(path, text, &span)))
        };
        for member in names.iter().filter_map(|name| table.get(*name)) {
            let content = match member.get_ref() {
                DeValue::Array(files) => {
                    let files = files.iter().map(|file| put(file.get_ref(), member.span()));
                    let lines = text.get(member.span()).unwrap_or_default().matches('\n').count();
                    format!("[{}{}]", files.collect::<Result<Vec<_>, _>>()?.join(", "), "\n".repeat(lines))
                }
                file => put(file, member.span())?,
            };
            changes.push((member.span(), content));
        }
    }
    if changes.is_empty() {
        return Ok(document);
    }
    Ok(Document::from_path(path, changed(text, changes).into_bytes()))
}

/// What takes the place of the names of files in `[[keys]]`. What has another shape is told by the reader of the kind.
fn keys_into(path: &Path, text: &str, table: &DeTable<'_>) -> Result<Vec<(Range<usize>, String)>, Fault> {
    let mut changes = Vec::new();
    let keys = table.get("keys").and_then(|keys| keys.get_ref().as_array());
    for key in keys.into_iter().flatten().filter_map(|key| key.get_ref().as_table()) {
        let Some((name, value)) = key.get_key_value("file") else { continue };
        let Some(file) = value.get_ref().as_str() else { continue };
        let file = path.parent().unwrap_or(Path::new("")).join(file);
        if key.contains_key("pem") || key.contains_key("jwk") {
            let fault =
                COMPOSED.fault(format!("{}: the key of {} is there twice", path.display(), file.display()));
            return Err(fault.hint("give one of file, pem and jwk"));
        }
        let (form, content) = key_file(&file).map_err(|fault| fault.at(place(path, text, &value.span())))?;
        changes.push((name.span(), form.to_owned()));
        changes.push((value.span(), literal(&content)));
    }
    Ok(changes)
}

/// A ready document with what stands in files in the place of their names.
fn ready_with(path: &Path, bytes: &[u8], names: &[&str]) -> Result<Document, Fault> {
    let mut whole = value(bytes)?;
    let put = |name: &json::Value| companion(path, name.as_str()).map(json::Value::String);
    for name in names {
        match whole.get_mut(*name) {
            None => {}
            Some(json::Value::Array(files)) => {
                *files = files.iter().map(put).collect::<Result<_, _>>()?;
            }
            Some(file) => *file = put(file)?,
        }
    }
    Ok(Document::from_path(path, text(&whole)))
}

/// What stands in a file that a document names.
fn companion(path: &Path, name: Option<&str>) -> Result<String, Fault> {
    let name = name.ok_or_else(|| COMPOSED.fault("the name of a file is no text"))?;
    let file = path.parent().unwrap_or(Path::new("")).join(name);
    let text = String::from_utf8(disk::read(&file, COMPANION_BYTES_MAX)?);
    let text = text.map_err(|_| COMPOSED.fault(format!("{} is not UTF-8", file.display())))?;
    private::refuse_text(&text).map_err(|fault| fault.at(file.display()))?;
    Ok(text)
}

/// Where something stands in a document.
fn place(path: &Path, text: &str, span: &Range<usize>) -> String {
    format!("{}: line {}", path.display(), line_of(text, span.start))
}

/// The number of a line.
fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().split('\n').count()
}

/// Text as TOML in one line: what JSON escapes, TOML escapes the same way.
fn literal(text: &str) -> String {
    json::Value::from(text).to_string()
}

/// A text with other pieces in these places.
fn changed(text: &str, mut changes: Vec<(Range<usize>, String)>) -> String {
    changes.sort_by_key(|(place, _)| place.start);
    let (mut whole, mut at) = (String::new(), 0);
    for (place, piece) in changes {
        whole.push_str(text.get(at..place.start).unwrap_or_default());
        whole.push_str(&piece);
        at = place.end;
    }
    whole + text.get(at..).unwrap_or_default()
}

/// What a file with a key holds: PEM, or a JWK in JSON.
fn key_file(path: &Path) -> Result<(&'static str, String), Fault> {
    let text = String::from_utf8(disk::read(path, KEY_FILE_BYTES_MAX)?)
        .map_err(|_| COMPOSED.fault(format!("{} is not UTF-8", path.display())))?;
    let at = |fault: Fault| fault.at(path.display());
    private::refuse_text(&text).map_err(at)?;
    if is_json(text.as_bytes()) {
        value(text.as_bytes()).map_err(at)?;
        return Ok(("jwk", text));
    }
    Ok(("pem", text))
}

/// A composed document, or a ready one.
pub(super) enum Input<T> {
    /// What the operator composed.
    Composed(T),
    /// The document itself, and its value.
    Ready(Vec<u8>, serde_json::Value),
}

/// Reads a document that [`open`] opened.
pub(super) fn read<T: DeserializeOwned>(document: &Document) -> Result<Input<T>, Fault> {
    let bytes = read_all(document, DOCUMENT_BYTES_MAX)?;
    if is_json(&bytes) {
        let value = value(&bytes)?;
        return Ok(Input::Ready(bytes, value));
    }
    table(&bytes).map(Input::Composed)
}

/// Reads a ready document: one strict JSON text.
pub(super) fn value(bytes: &[u8]) -> Result<serde_json::Value, Fault> {
    json::read(bytes, Numbers::Whole, &Limits::default())
}

/// A value as the text of a file, for people to read too.
pub(super) fn text(value: &serde_json::Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

/// A byte order mark before JSON is its reader's to refuse.
fn is_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// Reads TOML, as strictly as JSON.
fn table<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let text = utf8(bytes)?;
    T::deserialize(Deserializer::from(parsed(text)?)).map_err(|e| wrong(text, &e))
}

/// The same as it stands. What may not stand there is looked for first, for what a typed reader says of a wrong value may
/// repeat it.
fn parsed(text: &str) -> Result<Spanned<DeTable<'_>>, Fault> {
    private::refuse_text(text)?;
    let table = DeTable::parse(text).map_err(|e| wrong(text, &e))?;
    let whole = Table::deserialize(Deserializer::from(table.clone())).map_err(|e| wrong(text, &e))?;
    let Limits { depth, mut values, .. } = Limits::default();
    private::refuse(&strict("", Value::Table(whole), depth, &mut values)?)?;
    Ok(table)
}

fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    str::from_utf8(bytes).map_err(|_| COMPOSED.fault("it is not UTF-8"))
}

fn wrong(text: &str, error: &toml::de::Error) -> Fault {
    let line = error.span().map_or(1, |span| line_of(text, span.start));
    COMPOSED.fault(format!("line {line}: {}", without_value(error.message())))
}

/// A value as JSON, if the strict reader would take it: no dates, whole numbers that every reader holds exactly, so many values
/// and so many of them within each other. `at` is its place, such as `metadata.federation_entity`.
fn strict(at: &str, value: Value, depth: usize, left: &mut usize) -> Result<json::Value, Fault> {
    let wrong =
        |code: &'static Code, why: &str, way_out| Err(code.fault(format!("{at}: {why}")).hint(way_out));
    let inner = match value {
        Value::Array(_) | Value::Table(_) => depth.checked_sub(1),
        _ => Some(depth),
    };
    let (Some(depth), Some(rest)) = (inner, left.checked_sub(1)) else {
        return wrong(
            &json::LIMIT,
            "too many values, or too many within each other",
            "no reader takes so many",
        );
    };
    *left = rest;
    Ok(match value {
        Value::String(text) => text.into(),
        Value::Boolean(is_so) => is_so.into(),
        Value::Integer(number) if number.unsigned_abs() <= json::WHOLE_MAX => number.into(),
        Value::Integer(number) => {
            return wrong(&json::NUMBER, &format!("{number} is beyond 2^53 - 1"), "write it as text");
        }
        Value::Float(number) => {
            return wrong(&json::NUMBER, &format!("{number} is no whole number"), "write it as text");
        }
        Value::Datetime(_) => {
            return wrong(&COMPOSED, "a date stands there without quotes", "write dates as text");
        }
        Value::Array(values) => {
            let element = |(n, value)| strict(&format!("{at}[{n}]"), value, depth, left);
            values.into_iter().enumerate().map(element).collect::<Result<_, _>>()?
        }
        Value::Table(members) => {
            let dot = if at.is_empty() { "" } else { "." };
            let mut member = |(name, value)| {
                let value = strict(&format!("{at}{dot}{name}"), value, depth, left)?;
                Ok((name, value))
            };
            json::Value::Object(members.into_iter().map(&mut member).collect::<Result<_, Fault>>()?)
        }
    })
}
