//! References, and the XML declaration.

use super::names::{is_char, is_ncname, is_space};
use super::{ENCODING, ENTITY, MALFORMED, Scan, Trouble, short};

/// Resolves the reference that `text` begins with. Yields the character and how long the reference is.
pub(super) fn reference(text: &str, at: usize) -> Scan<(char, usize)> {
    let body = text.as_bytes().get(1..).unwrap_or_default();
    let length = body
        .iter()
        .take(MAX_REFERENCE)
        .take_while(|b| !matches!(b, b';' | b'<' | b'&') && !is_space(**b))
        .count();
    let name = text.get(1..=length).unwrap_or_default();
    match body.get(length) {
        Some(b';') => {}
        None => return Ok(None),
        Some(_) => return Err(Trouble::new(&MALFORMED, at, "'&' that begins no reference")),
    }
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => match name.strip_prefix('#') {
            None if is_ncname(name) => {
                return Err(Trouble::new(&ENTITY, at, format!("the entity '&{name};' is not declared")));
            }
            None => return Err(Trouble::new(&MALFORMED, at, "'&' that begins no reference")),
            Some(number) => character(number)
                .ok_or_else(|| Trouble::new(&MALFORMED, at, format!("'&{name};' is no character of XML")))?,
        },
    };
    Ok(Some((c, length + 2)))
}

/// Longer references are not believed.
const MAX_REFERENCE: usize = 64;

fn character(number: &str) -> Option<char> {
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    let unsigned = digits.starts_with(|c: char| c.is_ascii_hexdigit());
    let c = u32::from_str_radix(digits, radix).ok().filter(|_| unsigned).and_then(char::from_u32)?;
    is_char(c).then_some(c)
}

/// Reads what stands between `<?xml` and `?>`. Yields whether the document says it is US-ASCII.
pub(super) fn declaration(text: &str, at: usize) -> Result<bool, Trouble> {
    let mut rest = text;
    let version = pseudo(&mut rest, "version");
    let encoding = pseudo(&mut rest, "encoding");
    let standalone = pseudo(&mut rest, "standalone");
    if !rest.trim_matches([' ', '\t', '\r', '\n']).is_empty()
        || !matches!(version, Some("1.0"))
        || !matches!(standalone, None | Some("yes" | "no"))
    {
        return Err(Trouble::new(
            &MALFORMED,
            at,
            format!("'<?xml{}?>' does not declare XML 1.0", short(text)),
        ));
    }
    match encoding.unwrap_or("UTF-8") {
        name if name.eq_ignore_ascii_case("UTF-8") => Ok(false),
        name if name.eq_ignore_ascii_case("US-ASCII") => Ok(true),
        name => Err(Trouble::new(&ENCODING, at, format!("the encoding '{}' is not UTF-8", short(name)))),
    }
}

/// Takes ` name="value"` off `rest`.
fn pseudo<'a>(rest: &mut &'a str, name: &str) -> Option<&'a str> {
    let space = [' ', '\t', '\r', '\n'];
    let text = rest.strip_prefix(space)?.trim_start_matches(space).strip_prefix(name)?;
    let text = text.trim_start_matches(space).strip_prefix('=')?.trim_start_matches(space);
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, after) = text.get(1..)?.split_once(quote)?;
    *rest = after;
    Some(value)
}

/// How many closing brackets text ends with that may belong to `]]>`.
pub(super) fn brackets(bytes: &[u8]) -> usize {
    bytes.iter().rev().take(2).take_while(|b| **b == b']').count()
}
