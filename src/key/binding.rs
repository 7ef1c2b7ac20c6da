//! One key line, one trust relationship: tenant, environment and purpose; a version for each key of the line.

use std::fmt;
use std::str::FromStr;

use super::NAME;
use crate::base::fault::Fault;
use crate::base::text::counted;

/// How much depends on a key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Environment {
    /// To try things out: no confirmation is asked for.
    Sandbox,
    /// To rehearse.
    Staging,
    /// Real: severe acts want a confirmation.
    Prod,
}

impl Environment {
    /// Every environment.
    pub const ALL: [Self; 3] = [Self::Sandbox, Self::Staging, Self::Prod];

    /// Its name in a key line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Staging => "staging",
            Self::Prod => "prod",
        }
    }

    /// Whether severe acts want a confirmation.
    pub const fn is_severe(self) -> bool {
        matches!(self, Self::Prod)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Environment {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::ALL.into_iter().find(|environment| environment.name() == text).ok_or_else(|| {
            NAME.fault(format!("there is no environment '{text}'")).hint("take sandbox, staging or prod")
        })
    }
}

/// A key line: `TENANT/ENVIRONMENT/PURPOSE`, such as `example.org/prod/metadata`.
///
/// Tenant and purpose are 1 to 64 of `a`–`z`, `0`–`9`, `.`, `_`, `-`, starting with a letter or digit: they name folders.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Line {
    tenant: String,
    environment: Environment,
    purpose: String,
}

impl Line {
    /// Who relies on the key.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// How much depends on it.
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// What it is for.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// One key of this line.
    pub fn version(&self, version: u32) -> KeyId {
        KeyId { line: self.clone(), version }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.tenant, self.environment, self.purpose)
    }
}

impl FromStr for Line {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let wrong = |why: String| {
            NAME.fault(format!("'{text}' is not a key line: {why}"))
                .hint("write it TENANT/ENVIRONMENT/PURPOSE, such as example.org/sandbox/metadata")
        };
        let part = |name: &str, part: &str| {
            let first = part.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            let rest =
                part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
            if first && rest && part.len() <= 64 {
                Ok(part.to_owned())
            } else {
                Err(wrong(format!(
                    "the {name} is 1 to 64 of a-z 0-9 . _ - and starts with a letter or digit"
                )))
            }
        };
        if let Some((line, version)) = text.split_once('#') {
            return Err(NAME
                .fault(format!("'{text}' names one key, and a key line is wanted"))
                .hint(format!("leave #{version} out: {line}")));
        }
        let mut parts = text.split('/');
        let (Some(tenant), Some(environment), Some(purpose), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            let count = text.split('/').count();
            return Err(wrong(format!("it has {}, not three", counted(count as u64, "part", "parts"))));
        };
        Ok(Self {
            tenant: part("tenant", tenant)?,
            environment: environment.parse()?,
            purpose: part("purpose", purpose)?,
        })
    }
}

/// One key of a line, written `LINE#VERSION`; versions count from 1.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId {
    /// The line.
    pub line: Line,
    /// Which of its keys.
    pub version: u32,
}

impl FromStr for KeyId {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let number = |text: &str| {
            text.parse().ok().filter(|version: &u32| *version > 0 && version.to_string() == text)
        };
        let parts = text.split_once('#').and_then(|(line, version)| Some((line, number(version)?)));
        let Some((line, version)) = parts else {
            return Err(NAME.fault(format!("'{text}' is not a key")).hint(
                "write it as TENANT/ENVIRONMENT/PURPOSE#VERSION, such as example.org/prod/metadata#2",
            ));
        };
        Ok(line.parse::<Line>()?.version(version))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.line, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_it_is_written() {
        let line: Line = "example.org/prod/metadata".parse().unwrap();
        assert_eq!(
            (line.tenant(), line.environment(), line.purpose()),
            ("example.org", Environment::Prod, "metadata")
        );
        assert_eq!(line.to_string(), "example.org/prod/metadata");
        assert_eq!(line.version(2).to_string(), "example.org/prod/metadata#2");
    }

    #[test]
    fn names_that_could_leave_the_vault_or_deceive_are_refused() {
        let long = format!("{}/prod/x", "a".repeat(65));
        for wrong in [
            "",
            "example.org",
            "example.org/prod",
            "example.org/prod/a/b",
            "../prod/x",
            "./prod/x",
            ".hidden/prod/x",
            "-x/prod/x",
            "example.org/prod/",
            "/prod/x",
            "Example.org/prod/x",
            "ex ample/prod/x",
            "example.org/PROD/x",
            "example.org/production/x",
            "exаmple.org/prod/x", // a Cyrillic letter
            "a\n/prod/x",
            long.as_str(),
        ] {
            assert_eq!(wrong.parse::<Line>().unwrap_err().code(), &NAME, "{wrong:?}");
        }
    }
}
