//! How much of one entity is looked at, and how much a group may say of its entities: parts, and the bytes of their texts.

use crate::policy::{Certificate, Contact, Endpoint, Key, Registration, Role, Scope, Text};

/// Room for the parts of one entity; what there is no room for is left out, and that is noted.
#[derive(Clone, Copy)]
pub(super) struct Room {
    parts: usize,
    bytes: usize,
    /// Whether something was left out.
    pub(super) is_cut: bool,
}

impl Room {
    /// Of one entity: ten times what any honest one has.
    pub(super) const ENTITY: Self = Self { parts: 2_000, bytes: 2 << 20, is_cut: false };
    /// Of all groups that an entity stands in: each of their parts is looked at once more with each entity.
    pub(super) const GROUPS: Self = Self { parts: 200, bytes: 16 << 10, is_cut: false };

    /// Adds a part, if there is room.
    pub(super) fn push<T: Part>(&mut self, parts: &mut Vec<T>, part: T) {
        if self.take(part.parts(), part.bytes()) {
            parts.push(part);
        }
    }

    /// Whether there is room for so much more, which is then taken.
    pub(super) fn take(&mut self, parts: usize, bytes: usize) -> bool {
        if let Some(parts) = self.parts.checked_sub(parts)
            && let Some(bytes) = self.bytes.checked_sub(bytes)
        {
            (self.parts, self.bytes) = (parts, bytes);
            return true;
        }
        self.is_cut = true;
        false
    }
}

/// A part of an entity, as it comes.
pub(super) trait Part {
    /// It counts as so many.
    fn parts(&self) -> usize {
        1
    }

    /// Bytes of its texts.
    fn bytes(&self) -> usize;
}

impl Part for Option<String> {
    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, String::len)
    }
}

impl Part for String {
    fn bytes(&self) -> usize {
        self.len()
    }
}

impl Part for (String, String) {
    fn bytes(&self) -> usize {
        self.0.len() + self.1.len()
    }
}

impl Part for Text {
    fn bytes(&self) -> usize {
        self.what.len() + self.language.bytes() + self.value.len()
    }
}

impl Part for Scope {
    fn bytes(&self) -> usize {
        self.value.len()
    }
}

impl Part for Endpoint {
    fn bytes(&self) -> usize {
        let Self { service, binding, location, response, index, is_default } = self;
        let optional = [response, index, is_default].map(Part::bytes);
        service.len() + binding.len() + location.len() + optional.iter().sum::<usize>()
    }
}

impl Part for Role {
    fn parts(&self) -> usize {
        1 + self.settings.len()
    }

    fn bytes(&self) -> usize {
        let optional = [&self.kind, &self.protocols, &self.error_url].map(Part::bytes);
        let settings = self.settings.iter().map(Part::bytes);
        self.name.len() + optional.into_iter().chain(settings).sum::<usize>()
    }
}

impl Part for Key {
    fn bytes(&self) -> usize {
        self.purpose.bytes()
    }
}

impl Part for Option<Certificate> {
    fn bytes(&self) -> usize {
        0
    }
}

impl Part for Contact {
    fn bytes(&self) -> usize {
        self.purpose.len()
    }
}

impl Part for Registration {
    fn bytes(&self) -> usize {
        self.authority.bytes() + self.instant.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_and_noted() {
        let mut room = Room { parts: 3, bytes: 10, is_cut: false };
        let mut texts = Vec::new();
        for text in ["1234", "123456"] {
            room.push(&mut texts, text.to_owned());
        }
        assert!(!room.is_cut);
        room.push(&mut texts, "x".to_owned());
        assert!(room.is_cut, "bytes count");
        assert_eq!(texts.len(), 2);
        let mut room = Room { parts: 3, bytes: 10, is_cut: false };
        (0..4).for_each(|_| room.push(&mut texts, String::new()));
        assert!(room.is_cut, "parts count");
        assert_eq!(texts.len(), 5);
        let mut room = Room { parts: 3, bytes: 10, is_cut: false };
        let settings = vec![(String::new(), String::new()); 3];
        room.push(&mut Vec::new(), Role { settings, ..Role::default() });
        assert!(room.is_cut, "settings count");
    }
}
