//! Rust files of the tree, and a scanner that tells code from text: good enough for what `rustfmt` has written.

use std::fs;
use std::path::Path;

use crate::support::{files, root};

/// A Rust file of the tree.
pub(super) struct Source {
    /// Its path below the repository.
    pub(super) path: String,
    pub(super) text: String,
    /// The text with comments and the contents of literals blanked out; line feeds stay where they are.
    pub(super) code: String,
}

impl Source {
    pub(super) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let code = without_comments_and_literals(&text);
        Self { path: relative(path), text, code }
    }

    /// The room that a file of `src` belongs to; `None` for `lib.rs` and `main.rs`.
    pub(super) fn room(&self) -> Option<&str> {
        self.path.strip_prefix("src/")?.split_once('/').map(|(room, _)| room)
    }

    /// The code without what is compiled for tests only.
    pub(super) fn shipped(&self) -> &str {
        if self.path.contains("/tests/") {
            return "";
        }
        let tests = self.code.find("#[cfg(test)]\nmod tests {").unwrap_or(self.code.len());
        self.code.get(..tests).unwrap()
    }

    pub(super) fn line_of(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }
}

pub(super) fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

pub(super) fn sources(folders: &[&str]) -> Vec<Source> {
    let sources: Vec<_> = folders
        .iter()
        .flat_map(|folder| files(&root().join(folder), ".rs"))
        .map(|path| Source::read(&path))
        .collect();
    assert!(!sources.is_empty(), "no Rust file below {folders:?}");
    sources
}

fn without_comments_and_literals(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = text.as_bytes().to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_or_comment(bytes, at);
        if let Some((from, to, end)) = end {
            for byte in &mut code[from..to] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
            at = end;
        } else {
            at += 1;
        }
    }
    String::from_utf8(code).unwrap()
}

/// The stretch to blank out that starts here, and where to go on: a comment whole, a literal between its quotes.
fn literal_or_comment(bytes: &[u8], at: usize) -> Option<(usize, usize, usize)> {
    let rest = &bytes[at..];
    let find = |from: usize, what: &[u8]| {
        bytes[from..]
            .windows(what.len())
            .position(|window| window == what)
            .map_or(bytes.len(), |found| from + found)
    };
    if rest.starts_with(b"//") {
        let end = find(at, b"\n");
        return Some((at, end, end));
    }
    if rest.starts_with(b"/*") {
        let end = (find(at, b"*/") + 2).min(bytes.len());
        return Some((at, end, end));
    }
    let in_word =
        at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_') && bytes[at - 1] != b'b';
    if rest[0] == b'r' && !in_word {
        let hashes = rest[1..].iter().take_while(|&&byte| byte == b'#').count();
        if rest.get(1 + hashes) == Some(&b'"') {
            let open = at + 2 + hashes;
            let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
            let end = find(open, &close);
            return Some((open, end, end + close.len()));
        }
    }
    match rest[0] {
        b'"' => {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            Some((at + 1, end, end + 1))
        }
        // A character, not a lifetime: it is escaped, or closes after one character.
        b'\'' if rest.get(1) == Some(&b'\\') => {
            let end = find(at + 3, b"'");
            Some((at + 1, end, end + 1))
        }
        b'\'' => {
            let width = std::str::from_utf8(&rest[1..]).ok()?.chars().next()?.len_utf8();
            (rest.get(1 + width) == Some(&b'\'')).then_some((at + 1, at + 1 + width, at + 2 + width))
        }
        _ => None,
    }
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where a word stands in code, as a whole word.
pub(super) fn places(code: &str, word: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    let alone = |&at: &usize| {
        let before = at > 0 && is_word(bytes[at - 1]) && is_word(word.as_bytes()[0]);
        let last = *word.as_bytes().last().unwrap();
        let after = bytes.get(at + word.len()).is_some_and(|&byte| is_word(byte)) && is_word(last);
        !before && !after
    };
    code.match_indices(word).map(|(at, _)| at).filter(alone).collect()
}

/// The word that starts here.
pub(super) fn word_at(code: &str, at: usize) -> &str {
    let end =
        code[at..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(code.len(), |end| at + end);
    &code[at..end]
}

/// From an item's keyword to the end of its braces, or `None` when it has no body.
pub(super) fn body(code: &str, at: usize) -> Option<(usize, usize)> {
    let (mut depth, mut nested, mut open) = (0_usize, 0_usize, None);
    for (offset, byte) in code[at..].bytes().enumerate() {
        match byte {
            b'(' | b'[' => nested += 1,
            b')' | b']' => nested = nested.saturating_sub(1),
            b';' if depth == 0 && nested == 0 => return None,
            b'{' => {
                depth += 1;
                open.get_or_insert(at + offset);
            }
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some((open?, at + offset));
                }
            }
            _ => {}
        }
    }
    None
}

#[test]
fn the_scanner_tells_code_from_text() {
    let text =
        "fn a<'x>() { let s = \"} // no\"; let c = '{'; /* } */ r#\"}\"#; '\\''; b'}'; } // }\nfn b();";
    let code = without_comments_and_literals(text);
    assert_eq!(code.len(), text.len());
    assert_eq!(code.matches(['{', '}']).count(), 2, "{code}");
    let (open, close) = body(&code, 0).unwrap();
    assert!(code[open..].starts_with('{') && code[..=close].trim_end().ends_with('}'));
    assert_eq!(body(&code, code.find("fn b").unwrap()), None);
    assert_eq!(places("fn sign(resign, sign)", "sign").len(), 2);
}
