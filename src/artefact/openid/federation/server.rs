//! What stands in the tree unsigned: the list of subordinates (OpenID Federation 1.0, section 8.2), and what a web server has
//! to know to serve the tree.

use std::fmt::Write;

use super::names::{Names, name};
use super::tree::media_type;
use crate::artefact::openid::Form;
use crate::base::text::percent_encoded;
use crate::format::json::Value;

/// The name of the snippet for nginx.
const NGINX: &str = "nginx.conf";

/// The forms of which a tree has one document, in the order of the snippet.
const SINGLE: [Form; 3] = [Form::EntityConfiguration, Form::HistoricalKeys, Form::SignedJwkSet];

/// How clients spell a subject in a query, and the name of its file: they escape more or less of `:` and `/`.
const SPELLINGS: [(&str, &str); 5] = [
    ("NAME", "$1"),
    ("NAME(?:/|%2F)", "$1%2F"),
    ("NAME(?::|%3A)([0-9]+)", "$1%3A$2"),
    ("NAME(?:/|%2F)NAME", "$1%2F$2"),
    ("NAME(?:/|%2F)NAME(?:/|%2F)NAME", "$1%2F$2%2F$3"),
];

/// What stands for `NAME`, and before each of them.
const PLAIN: &str = "([a-z0-9._~-]+)";
const HTTPS: (&str, &str) = ("https(?::|%3A)(?:/|%2F)(?:/|%2F)", "https%3A%2F%2F");

/// The files that nobody signs: name, media type, bytes. `subjects` are those of the statements, sorted; `forms` are those of
/// the documents of which the tree has one.
pub(super) fn beside(
    names: &Names,
    subjects: &[&str],
    forms: &[Form],
) -> Vec<(String, &'static str, Vec<u8>)> {
    let list = names.list.as_ref().map(|path| {
        let mut text = String::from("[");
        for (place, subject) in subjects.iter().enumerate() {
            text.push_str(if place > 0 { "," } else { "" });
            text.push_str(&Value::from(*subject).to_string());
        }
        text.push_str("]\n");
        (path.clone(), "application/json", text.into_bytes())
    });
    let snippet = nginx(names, subjects, forms);
    list.into_iter().chain([(NGINX.to_owned(), "text/plain", snippet.into_bytes())]).collect()
}

/// The snippet for the `server` block of nginx. It has the same size however many subordinates there are: their files are
/// found by name.
fn nginx(names: &Names, subjects: &[&str], forms: &[Form]) -> String {
    let mut text = String::from(
        "# Made by fedroot. For the `server` block: `root` is the folder of this tree\n\
         # (below the path of the entity, where it has one), then include this file.\n",
    );
    if names.fetch.is_some() || names.marks.is_some() {
        argument(&mut text, "sub", subjects);
    }
    if names.marks.is_some() {
        argument(&mut text, "trust_mark_type", &[]);
    }
    let location = |text: &mut String, path: &str, kind: &str, file: &str| {
        let prefix = &names.prefix;
        let _ = write!(
            text,
            "location = {prefix}/{path} {{\n    types {{ }}\n    default_type {kind};\n{file}}}\n"
        );
    };
    for form in SINGLE.into_iter().filter(|form| forms.contains(form)) {
        if let Some(path) = names.path(&names.id(form, "")) {
            location(&mut text, &path, media_type(form), "");
        }
    }
    if let Some(path) = &names.list {
        location(&mut text, path, "application/json", "");
    }
    if let Some(path) = &names.fetch {
        let file = format!("    try_files {}/{path}/$fedroot_sub =404;\n", names.prefix);
        location(&mut text, path, media_type(Form::SubordinateStatement), &file);
    }
    if let Some(path) = &names.marks {
        let prefix = &names.prefix;
        let file = format!("    try_files {prefix}/{path}/$fedroot_trust_mark_type/$fedroot_sub =404;\n");
        location(&mut text, path, media_type(Form::TrustMark), &file);
    }
    text
}

/// An argument of the query as the name of a file: nothing that leads elsewhere, and nothing at all where it is missing.
fn argument(text: &mut String, argument: &str, known: &[&str]) {
    let _ = writeln!(text, "set $fedroot_{argument} $arg_{argument};");
    for (spelling, file) in SPELLINGS {
        let (start, encoded) = HTTPS;
        let spelling = format!("^{start}{}$", spelling.replace("NAME", PLAIN));
        let _ = writeln!(
            text,
            "if ($arg_{argument} ~* \"{spelling}\") {{ set $fedroot_{argument} \"{encoded}{file}\"; }}"
        );
    }
    let _ = writeln!(
        text,
        "if ($fedroot_{argument} ~ \"^$|[^A-Za-z0-9%_~.-]\") {{ set $fedroot_{argument} -; }}"
    );
    for long in known.iter().filter(|known| name(known) != percent_encoded(known)) {
        let _ = writeln!(
            text,
            "if ($arg_{argument} = \"{}\") {{ set $fedroot_{argument} {}; }}",
            percent_encoded(long),
            name(long)
        );
    }
}
