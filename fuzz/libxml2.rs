//! libxml2's canonicaliser as a program that is asked many times: Python with lxml at the other end of two pipes. Nothing
//! of it is linked here.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use fedroot::format::xml::Form;

const PROGRAM: &str = include_str!("../tests/peers/canonical.py");

/// A running peer.
pub(crate) struct Libxml2 {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Libxml2 {
    /// Starts it with the first Python that has lxml, Debian's before others.
    pub(crate) fn start() -> Option<Self> {
        let has_lxml = |python: &&str| {
            let tried = Command::new(python).args(["-c", "import lxml"]).stderr(Stdio::null()).status();
            tried.is_ok_and(|status| status.success())
        };
        let python = ["/usr/bin/python3", "python3"].into_iter().find(has_lxml)?;
        let mut child = Command::new(python)
            .args(["-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let (input, output) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        Some(Self { child, input, output })
    }

    /// The exclusive canonical form of a whole document, or why libxml2 refuses it.
    pub(crate) fn canonical(&mut self, document: &[u8], form: &Form) -> Result<Vec<u8>, String> {
        let (comments, prefixes) = (u8::from(form.comments), form.prefixes.join(","));
        writeln!(self.input, "{} {comments} {prefixes}", document.len()).unwrap();
        self.input.write_all(document).unwrap();
        self.input.flush().unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        let Some(length) = answer.strip_prefix("ok ") else {
            return Err(answer.trim_start_matches("no ").trim().to_owned());
        };
        let mut canonical = vec![0; length.trim().parse().unwrap()];
        self.output.read_exact(&mut canonical).unwrap();
        Ok(canonical)
    }
}

impl Drop for Libxml2 {
    fn drop(&mut self) {
        // it ends when nobody asks any more; a child is waited for, so that it leaves no trace
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
