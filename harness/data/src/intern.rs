//! Names as small numbers: a log repeats its users, items and categories, so each text is kept once.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

/// The number of "no name".
pub(crate) const NONE: u32 = u32::MAX;

/// Gives each distinct text a number, by first appearance.
///
/// The map is only looked up, never walked, and its hasher has fixed keys, so nothing here depends on a draw.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interner {
    names: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, u32, BuildHasherDefault<DefaultHasher>>,
}

impl Interner {
    /// The number of a text.
    pub(crate) fn id(&mut self, name: &str) -> u32 {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = u32::try_from(self.names.len()).ok().filter(|id| *id != NONE);
        let id = id.unwrap_or_else(|| panic!("more than {} distinct names in one column", NONE - 1));
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        self.ids.insert(name, id);
        id
    }

    /// The number of a text that is already known.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.ids.get(name).copied()
    }

    /// The text of a number, empty for [`NONE`].
    pub(crate) fn name(&self, id: u32) -> &str {
        self.names.get(id as usize).map_or("", |name| name)
    }

    /// Number of distinct texts.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// All texts in order of their numbers.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }
}

/// Renumbers the names that are in use by ascending text. Gives the sorted names and the new number of each old one
/// ([`NONE`] for those not in use).
pub(crate) fn ranked(interner: &Interner, used: &[bool]) -> (Interner, Vec<u32>) {
    let mut order: Vec<u32> = (0..interner.len() as u32).filter(|id| used[*id as usize]).collect();
    order.sort_unstable_by(|a, b| interner.name(*a).cmp(interner.name(*b)));
    let mut sorted = Interner::default();
    let mut renumbered = vec![NONE; interner.len()];
    for id in order {
        renumbered[id as usize] = sorted.id(interner.name(id));
    }
    (sorted, renumbered)
}
