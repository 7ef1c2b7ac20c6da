//! Which elements are the groups and entities of a document: those that consumers find. What is reviewed and what is split
//! are told apart by this one notion.

use super::element::Element;

/// What a start tag is to the document as a whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stand {
    /// The root, or a group directly in a group.
    Group,
    /// The root, or an entity directly in a group.
    Entity,
    /// A group or an entity anywhere else: some consumers pass it over, others find it.
    Misplaced,
    /// Any other element.
    Part,
}

/// Follows the groups and the entity that are open.
#[derive(Default)]
pub(super) struct Structure {
    /// They stand one in the other, from the root on.
    groups: usize,
    /// How deep the open entity is.
    entity: Option<usize>,
}

impl Structure {
    /// Whether an entity is open.
    pub(super) const fn is_in_entity(&self) -> bool {
        self.entity.is_some()
    }

    /// Takes a start tag at a depth in.
    pub(super) fn start(&mut self, depth: usize, element: Element) -> Stand {
        let is_in_place = self.entity.is_none() && depth == self.groups;
        match element {
            Element::Group if is_in_place => self.groups += 1,
            Element::Entity if is_in_place => self.entity = Some(depth),
            Element::Group | Element::Entity => return Stand::Misplaced,
            _ => return Stand::Part,
        }
        if element == Element::Group { Stand::Group } else { Stand::Entity }
    }

    /// Takes the end of an element at a depth in. Yields which of the two ended, if any did.
    pub(super) fn end(&mut self, depth: usize) -> Stand {
        if self.entity.take_if(|own| *own == depth).is_some() {
            return Stand::Entity;
        }
        if self.entity.is_none() && depth + 1 == self.groups {
            self.groups -= 1;
            return Stand::Group;
        }
        Stand::Part
    }
}
