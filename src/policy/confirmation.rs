//! What a person confirms before a severe act: the digest of the request, typed back in part or given as a flag.

use rand_core::CryptoRng;

use super::{MISCONFIRMED, UNCONFIRMED};
use crate::base::bytes::Digest;
use crate::base::fault::Fault;
use crate::base::words;
use crate::key::Environment;

/// What is asked of a key, as names and values. Its digest is what people compare and confirm: it is the same for the same
/// request, whenever and wherever it is made.
#[derive(Clone, Debug)]
pub struct Request {
    environment: Environment,
    /// Where the act decides it rather than the environment.
    severe: Option<bool>,
    text: String,
}

impl Request {
    /// Starts a request for an act in this environment.
    pub fn new(act: &str, environment: Environment) -> Self {
        Self { environment, severe: None, text: format!("fedroot request v1\nact {act}\n") }
    }

    /// Adds what the request depends on. A value never holds a line feed: names, digests and numbers only.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.text.push_str(&format!("{name} {value}\n"));
        self
    }

    /// Says that the act wants a confirmation in every environment, or in none.
    #[must_use]
    pub const fn severe(mut self, severe: bool) -> Self {
        self.severe = Some(severe);
        self
    }

    /// What is asked, a line each: the octets of the digest.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The digest of the request.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }

    /// Whether the act is severe: whether it wants a confirmation.
    pub const fn is_severe(&self) -> bool {
        match self.severe {
            Some(severe) => severe,
            None => self.environment.is_severe(),
        }
    }

    /// Draws three different places among the words of the digest.
    pub fn challenge(&self, random: &mut dyn CryptoRng) -> Challenge {
        let mut places: Vec<usize> = Vec::new();
        while places.len() < 3 {
            // 256 is a multiple of 32: every place is as likely as any other.
            let place = usize::from(random.next_u32().to_le_bytes()[0] % 32);
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places.sort_unstable();
        let words = words::of(self.digest().as_bytes());
        let asked = places.into_iter().filter_map(|place| Some((place + 1, *words.get(place)?))).collect();
        Challenge { request: self.digest(), asked }
    }

    /// Accepts a confirmation for exactly this request.
    pub fn confirm(&self, given: &Confirmation) -> Result<Confirmed, Fault> {
        let digest = self.digest();
        match given {
            Confirmation::Digest(confirmed) if *confirmed == digest => {
                Ok(Confirmed { request: digest, how: "digest" })
            }
            Confirmation::Digest(confirmed) => Err(MISCONFIRMED
                .fault(format!("--confirm {confirmed} is not the digest of this request, which is {digest}"))
                .hint("something changed since the review: look again")),
            Confirmation::Words(challenge, answers) if challenge.request == digest => {
                challenge.check(answers).map(|()| Confirmed { request: digest, how: "words" })
            }
            Confirmation::Words(..) => Err(MISCONFIRMED.fault("the words belong to another request")),
            Confirmation::None if self.is_severe() => Err(UNCONFIRMED
                .fault(if self.severe == Some(true) {
                    "what is final wants a confirmation".to_owned()
                } else {
                    format!("acts in the environment {} want a confirmation", self.environment)
                })
                .hint("--dry-run prints the request digest: give it as --confirm sha256:…, or run it at a terminal")),
            Confirmation::None => Ok(Confirmed { request: digest, how: "not asked" }),
        }
    }
}

/// Three words of a request's digest that a person has to type.
#[derive(Clone, Debug)]
pub struct Challenge {
    request: Digest,
    asked: Vec<(usize, &'static str)>,
}

impl Challenge {
    /// The places of the words, counted from 1.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.asked.iter().map(|(place, _)| *place)
    }

    fn check(&self, answers: &[String]) -> Result<(), Fault> {
        let right = |((_, word), answer): (&(usize, &str), &String)| word.eq_ignore_ascii_case(answer.trim());
        if answers.len() == self.asked.len() && self.asked.iter().zip(answers).all(right) {
            return Ok(());
        }
        Err(MISCONFIRMED
            .fault("the words are not those of the request digest")
            .hint("read them again from the screen"))
    }
}

/// How somebody confirms a request.
#[derive(Clone, Debug)]
pub enum Confirmation {
    /// Not at all.
    None,
    /// By the digest from an earlier review.
    Digest(Digest),
    /// By three words of the digest, typed at the terminal.
    Words(Challenge, Vec<String>),
}

/// Proof that a request was confirmed, or needed no confirmation. Comes only out of [`Request::confirm`].
///
/// ```compile_fail,E0451
/// # let request = fedroot::base::bytes::Digest::of(b"");
/// let forged = fedroot::policy::Confirmed { request, how: "digest" };
/// ```
#[derive(Debug)]
pub struct Confirmed {
    request: Digest,
    how: &'static str,
}

impl Confirmed {
    /// The digest of the confirmed request.
    pub const fn request(&self) -> Digest {
        self.request
    }

    /// How it was confirmed: `digest`, `words` or `not asked`.
    pub const fn how(&self) -> &'static str {
        self.how
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random;

    fn request(environment: Environment) -> Request {
        Request::new("sign", environment).with("key", "example.org/prod/metadata#1")
    }

    #[test]
    fn the_digest_depends_on_every_part_and_on_nothing_else() {
        let digest = request(Environment::Prod).digest();
        assert_eq!(digest, request(Environment::Sandbox).digest());
        assert_ne!(digest, request(Environment::Prod).with("x", "y").digest());
    }

    #[test]
    fn prod_wants_a_confirmation_and_takes_only_its_own() {
        let request = request(Environment::Prod);
        let other = Request::new("sign", Environment::Prod);
        let refused = |given: &Confirmation| request.confirm(given).unwrap_err().code().name;
        assert_eq!(refused(&Confirmation::None), "confirm.missing");
        assert_eq!(refused(&Confirmation::Digest(other.digest())), "confirm.wrong");
        let mut random = random::system();
        let foreign = other.challenge(&mut random);
        let answers = foreign.asked.iter().map(|(_, word)| (*word).to_owned()).collect();
        assert_eq!(refused(&Confirmation::Words(foreign, answers)), "confirm.wrong");
        assert_eq!(request.confirm(&Confirmation::Digest(request.digest())).unwrap().how(), "digest");
    }

    #[test]
    fn the_three_words_have_to_be_right() {
        let request = request(Environment::Prod);
        let challenge = request.challenge(&mut random::system());
        let places: Vec<_> = challenge.places().collect();
        assert!(places.is_sorted() && places.iter().all(|place| (1..=32).contains(place)));
        let answers: Vec<_> = challenge.asked.iter().map(|(_, word)| word.to_uppercase()).collect();
        let given = |answers: &[String]| Confirmation::Words(challenge.clone(), answers.to_vec());
        assert_eq!(request.confirm(&given(&answers)).unwrap().how(), "words");
        let mut swapped = answers.clone();
        swapped.swap(0, 1);
        for wrong in [&answers[..2], &[], &swapped] {
            assert_eq!(request.confirm(&given(wrong)).unwrap_err().code(), &MISCONFIRMED);
        }
    }

    #[test]
    fn sandbox_asks_for_nothing_but_a_wrong_confirmation_is_still_wrong() {
        let request = request(Environment::Sandbox);
        assert_eq!(request.confirm(&Confirmation::None).unwrap().how(), "not asked");
        assert!(request.confirm(&Confirmation::Digest(Digest::of(b""))).is_err());
    }
}
