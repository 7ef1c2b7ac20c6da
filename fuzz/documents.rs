//! Makes a well-formed document out of any bytes: each byte is one choice. Everything that canonicalisation has to think
//! about is likely: namespaces declared, hidden, undeclared and superfluous, attributes in any order, white space and line
//! ends of every kind, references, CDATA, comments and instructions in every place, letters of two, three and four bytes.

use fedroot::format::xml::Form;

const PREFIXES: &[&str] = &["", "a", "b", "ab", "xs", "é", "A", "a-1", "_"];
const NAMESPACES: &[&str] =
    &["urn:one", "urn:two", "http://example.org/three", "http://example.org/three/", "urn:four?a=b;c=&#x64;"];
const LOCALS: &[&str] = &["e", "a", "B", "Entity", "x.y", "ö", "名", "_1", "xml-x"];
const SPACES: &[&str] = &[" ", "\n", "\t", "\r\n", "\r", "  \n ", " "];
const PIECES: &[&str] = &[
    "text",
    " ",
    "\n",
    "\t",
    "\r\n",
    "\r",
    "&amp;",
    "&lt;",
    "&gt;",
    "&quot;",
    "&apos;",
    "&#9;",
    "&#xA;",
    "&#13;",
    "&#x20;",
    "&#x10FFFF;",
    "&#233;",
    "é",
    "\u{2028}",
    "\u{85}",
    "🔑",
    "\u{fffd}",
    "&#xD;&#10;",
    "-",
    "?",
    "=",
    "/",
    "xmlns",
    "]] ",
];

/// The choices left.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn below(&mut self, limit: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % limit
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len())]
    }
}

/// A document and how it is to be canonicalised.
pub(crate) fn document(choices: &[u8]) -> (String, Form) {
    let mut choices = Choices(choices);
    let mut prefixes = Vec::new();
    while prefixes.len() < 4 && choices.one_in(3) {
        let prefix = choices.pick(PREFIXES);
        prefixes.push(if prefix.is_empty() { "#default".to_owned() } else { prefix.to_owned() });
    }
    let form = Form { comments: choices.one_in(2), outside: true, prefixes };
    let mut out = String::new();
    if choices.one_in(8) {
        out.push('\u{feff}');
    }
    if choices.one_in(2) {
        out += choices.pick(&[
            "<?xml version=\"1.0\"?>",
            "<?xml version='1.0' encoding='UTF-8'?>",
            "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\" ?>",
        ]);
    }
    outside(&mut choices, &mut out);
    let mut scope = vec![(String::new(), String::new())];
    element(&mut choices, &mut out, &mut scope, 0);
    outside(&mut choices, &mut out);
    (out, form)
}

fn outside(choices: &mut Choices<'_>, out: &mut String) {
    while choices.one_in(3) {
        match choices.below(3) {
            0 => out.push_str(choices.pick(SPACES)),
            _ => aside(choices, out),
        }
    }
}

/// A comment or an instruction.
fn aside(choices: &mut Choices<'_>, out: &mut String) {
    let text = choices.pick(&["", "x", " a & b < c ", "line\r\nend", "\r", "é🔑", "x=\"y\" "]);
    match choices.below(4) {
        0 => *out += &format!("<!--{text}-->"),
        1 => *out += &format!("<?p{}{text}?>", choices.pick(SPACES)),
        2 => *out += "<?xml-stylesheet?>",
        _ => *out += &format!("<?é  {text}?>"),
    }
}

fn element(choices: &mut Choices<'_>, out: &mut String, scope: &mut Vec<(String, String)>, depth: usize) {
    let outer = scope.len();
    let mut written = Vec::new();
    while written.len() < 5 && choices.one_in(2) {
        declare(choices, &mut written, scope, outer);
    }
    let name = name(choices, &mut written, scope, outer, false);
    let mut taken = Vec::new();
    while taken.len() < 6 && choices.one_in(2) {
        attribute(choices, &mut written, scope, outer, &mut taken);
    }
    *out += &format!("<{}", name.0);
    while !written.is_empty() {
        let next = written.remove(choices.below(written.len()));
        *out += &format!("{}{next}", choices.pick(SPACES));
    }
    if choices.one_in(4) {
        *out += choices.pick(SPACES);
    }
    if choices.one_in(4) || depth > 12 {
        *out += "/>";
    } else {
        out.push('>');
        content(choices, out, scope, depth);
        *out += &format!("</{}{}>", name.0, if choices.one_in(4) { choices.pick(SPACES) } else { "" });
    }
    scope.truncate(outer);
}

fn content(choices: &mut Choices<'_>, out: &mut String, scope: &mut Vec<(String, String)>, depth: usize) {
    for _ in 0..choices.below(6) {
        match choices.below(6) {
            0 => aside(choices, out),
            1 => {
                *out += &format!(
                    "<![CDATA[{}]]>",
                    choices.pick(&["", "<&>", "a\r\nb", "]]", "]", "\"é\" &amp; "])
                );
            }
            2 => out.push_str(choices.pick(PIECES)),
            _ => element(choices, out, scope, depth + 1),
        }
    }
}

/// The innermost binding of a prefix.
fn bound<'s>(scope: &'s [(String, String)], prefix: &str) -> Option<&'s str> {
    scope.iter().rev().find(|(bound, _)| bound == prefix).map(|(_, namespace)| namespace.as_str())
}

fn declare(
    choices: &mut Choices<'_>,
    written: &mut Vec<String>,
    scope: &mut Vec<(String, String)>,
    outer: usize,
) {
    let prefix = choices.pick(PREFIXES);
    let namespace = if prefix.is_empty() && choices.one_in(3) { "" } else { choices.pick(NAMESPACES) };
    if scope[outer..].iter().all(|(declared, _)| declared != prefix) {
        let (colon, quote) = (if prefix.is_empty() { "" } else { ":" }, choices.pick(&["\"", "'"]));
        written.push(format!("xmlns{colon}{prefix}={quote}{namespace}{quote}"));
        scope.push((prefix.to_owned(), namespace.to_owned()));
    }
}

/// A name whose prefix is bound, and what it stands for.
fn name(
    choices: &mut Choices<'_>,
    written: &mut Vec<String>,
    scope: &mut Vec<(String, String)>,
    outer: usize,
    of_attribute: bool,
) -> (String, (String, String)) {
    let (prefix, local) = (choices.pick(PREFIXES), choices.pick(LOCALS));
    if prefix.is_empty() {
        let namespace = if of_attribute { "" } else { bound(scope, "").unwrap_or_default() };
        return (local.to_owned(), (namespace.to_owned(), local.to_owned()));
    }
    if bound(scope, prefix).is_none() {
        let namespace = choices.pick(NAMESPACES);
        written.push(format!("xmlns:{prefix}=\"{namespace}\""));
        scope.push((prefix.to_owned(), namespace.to_owned()));
    }
    debug_assert!(scope.len() >= outer);
    let namespace = bound(scope, prefix).unwrap_or_default().to_owned();
    (format!("{prefix}:{local}"), (namespace, local.to_owned()))
}

fn attribute(
    choices: &mut Choices<'_>,
    written: &mut Vec<String>,
    scope: &mut Vec<(String, String)>,
    outer: usize,
    taken: &mut Vec<(String, String)>,
) {
    let (name, stands_for) = if choices.one_in(6) {
        let local = choices.pick(&["lang", "space", "base"]);
        (format!("xml:{local}"), ("xml".to_owned(), local.to_owned()))
    } else {
        name(choices, written, scope, outer, true)
    };
    if taken.contains(&stands_for) {
        return;
    }
    taken.push(stands_for);
    let quote = choices.pick(&["\"", "'"]);
    let mut value = String::new();
    for _ in 0..choices.below(4) {
        value += choices.pick(PIECES);
    }
    value += choices.pick(&["", "'", "\"", ">"]);
    let value = value.replace(quote, "");
    let equals = choices.pick(&["=", "=", " = ", "\n=\t"]);
    written.push(format!("{name}{equals}{quote}{value}{quote}"));
}
