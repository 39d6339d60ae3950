//! How a persona behaves: where it starts, how it goes from search to view to cart to buy, what it likes and what it
//! pays. `separation` blends every persona with the common behaviour; at 0 nothing is left of it.

use super::draw::zipf;

/// Number of event kinds, in the order of rows and columns: search, view, cart (2), buy.
pub(super) const KINDS: usize = 4;
pub(super) const SEARCH: usize = 0;
pub(super) const VIEW: usize = 1;
pub(super) const BUY: usize = 3;

/// Fall of the popularity of categories with their rank.
const CATEGORY_POPULARITY: f64 = 0.9;
/// Share of a persona's events that goes to its own categories, at separation 1.
const OWN_SHARE: f64 = 0.8;
/// Chance that the next view stays in the category.
const STAY: f64 = 0.65;
/// The same where groups differ in order only: routes have to change category to be seen.
const STAY_IN_ROUTES: f64 = 0.0;

/// A way to shop.
#[derive(Debug, Clone)]
struct Archetype {
    name: &'static str,
    /// Chance that a session starts with a search.
    starts_with_search: f64,
    /// Chances of the next kind, by the present one.
    next: [[f64; KINDS]; KINDS],
    /// Preference for cheap (positive) or dear (negative) items.
    thrift: f64,
    /// Chance that a view returns to something bought before.
    rebuy: f64,
    /// Chance that a query asks for a bargain.
    bargain: f64,
}

/// What all users do when nothing tells them apart. Rates of carts and buys are those of real click logs of shops,
/// with searches added.
static COMMON: Archetype = Archetype {
    name: "common",
    starts_with_search: 0.35,
    next: [[0.10, 0.86, 0.03, 0.01], [0.09, 0.83, 0.055, 0.025], [0.05, 0.81, 0.08, 0.06], [0.08, 0.77, 0.03, 0.12]],
    thrift: 0.0,
    rebuy: 0.05,
    bargain: 0.05,
};

static ARCHETYPES: [Archetype; 6] = [
    Archetype {
        name: "window_shopper",
        starts_with_search: 0.05,
        next: [
            [0.02, 0.96, 0.015, 0.005],
            [0.02, 0.96, 0.015, 0.005],
            [0.02, 0.95, 0.025, 0.005],
            [0.02, 0.95, 0.02, 0.01],
        ],
        thrift: -1.0,
        rebuy: 0.0,
        bargain: 0.0,
    },
    Archetype {
        name: "researcher",
        starts_with_search: 0.85,
        next: [
            [0.30, 0.68, 0.015, 0.005],
            [0.30, 0.66, 0.03, 0.01],
            [0.25, 0.69, 0.03, 0.03],
            [0.25, 0.70, 0.02, 0.03],
        ],
        thrift: 0.0,
        rebuy: 0.0,
        bargain: 0.05,
    },
    Archetype {
        name: "cart_abandoner",
        starts_with_search: 0.25,
        next: [
            [0.05, 0.85, 0.095, 0.005],
            [0.04, 0.66, 0.295, 0.005],
            [0.04, 0.66, 0.295, 0.005],
            [0.05, 0.83, 0.11, 0.01],
        ],
        thrift: 0.0,
        rebuy: 0.05,
        bargain: 0.10,
    },
    Archetype {
        name: "bargain_hunter",
        starts_with_search: 0.70,
        next: [[0.18, 0.76, 0.05, 0.01], [0.20, 0.68, 0.08, 0.04], [0.10, 0.70, 0.10, 0.10], [0.25, 0.65, 0.04, 0.06]],
        thrift: 3.0,
        rebuy: 0.0,
        bargain: 0.85,
    },
    Archetype {
        name: "loyal_rebuyer",
        starts_with_search: 0.10,
        next: [[0.04, 0.84, 0.06, 0.06], [0.04, 0.70, 0.08, 0.18], [0.03, 0.57, 0.10, 0.30], [0.04, 0.62, 0.06, 0.28]],
        thrift: 0.0,
        rebuy: 0.50,
        bargain: 0.0,
    },
    Archetype {
        name: "fast_buyer",
        starts_with_search: 0.60,
        next: [[0.04, 0.62, 0.22, 0.12], [0.06, 0.46, 0.28, 0.20], [0.03, 0.27, 0.10, 0.60], [0.25, 0.55, 0.08, 0.12]],
        thrift: -2.0,
        rebuy: 0.05,
        bargain: 0.0,
    },
];

/// How one group of users behaves, ready to draw from.
#[derive(Debug, Clone)]
pub(super) struct Behaviour {
    pub(super) starts_with_search: f64,
    pub(super) next: [[f64; KINDS]; KINDS],
    pub(super) thrift: f64,
    pub(super) rebuy: f64,
    pub(super) bargain: f64,
    /// Chance that the next view stays in the category.
    pub(super) stay: f64,
    /// Shares of the categories.
    pub(super) affinity: Vec<f64>,
}

impl Behaviour {
    /// A persona at some separation from the common behaviour.
    pub(super) fn persona(persona: usize, personas: usize, categories: usize, separation: f64) -> Self {
        let own = &ARCHETYPES[persona % ARCHETYPES.len()];
        let blend = |common: f64, own: f64| (1.0 - separation) * common + separation * own;
        let mut next = COMMON.next;
        for (row, own_row) in next.iter_mut().zip(&own.next) {
            row.iter_mut().zip(own_row).for_each(|(common, own)| *common = blend(*common, *own));
        }
        let mut affinity = zipf(categories, CATEGORY_POPULARITY);
        affinity.iter_mut().for_each(|share| *share *= 1.0 - separation * OWN_SHARE);
        for (category, share) in [(persona, 0.6), (persona + personas, 0.4)] {
            affinity[category % categories] += separation * OWN_SHARE * share;
        }
        Self {
            starts_with_search: blend(COMMON.starts_with_search, own.starts_with_search),
            next,
            thrift: blend(COMMON.thrift, own.thrift),
            rebuy: blend(COMMON.rebuy, own.rebuy),
            bargain: blend(COMMON.bargain, own.bargain),
            stay: STAY,
            affinity,
        }
    }

    /// The common behaviour over equally liked categories, for groups that differ in order only.
    pub(super) fn without_preferences(categories: usize) -> Self {
        let common = Self::persona(0, 1, categories, 0.0);
        Self { stay: STAY_IN_ROUTES, affinity: vec![1.0 / categories as f64; categories], ..common }
    }

    /// A robot: anything after anything.
    pub(super) fn robot(categories: usize) -> Self {
        Self {
            starts_with_search: 0.25,
            next: [[0.25; KINDS]; KINDS],
            thrift: 0.0,
            rebuy: 0.0,
            bargain: 0.0,
            stay: 0.0,
            affinity: vec![1.0 / categories as f64; categories],
        }
    }
}

/// The name of a persona: that of its way to shop, numbered from the second round on.
pub(super) fn name(persona: usize) -> String {
    let round = persona / ARCHETYPES.len();
    let name = ARCHETYPES[persona % ARCHETYPES.len()].name;
    if round == 0 { name.to_owned() } else { format!("{name}_{}", round + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_every_matrix_sums_to_one() {
        for archetype in ARCHETYPES.iter().chain([&COMMON]) {
            for row in &archetype.next {
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{}: {row:?}", archetype.name);
            }
        }
    }

    #[test]
    fn at_separation_0_all_personas_behave_alike_to_the_bit() {
        let first = Behaviour::persona(0, 6, 12, 0.0);
        for persona in 1..6 {
            let other = Behaviour::persona(persona, 6, 12, 0.0);
            assert_eq!(
                (first.next, first.affinity.clone(), first.thrift, first.rebuy),
                (other.next, other.affinity, other.thrift, other.rebuy)
            );
        }
    }
}
