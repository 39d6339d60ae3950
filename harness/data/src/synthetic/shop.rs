//! The generated shop: items by category with popularity, price and title.

use trailmark_core::Stream;

use super::draw::{Table, log_normal, zipf};
use super::words::Words;

/// Fall of popularity with rank inside a category; real shops have 0.5 to 0.95.
const POPULARITY: f64 = 0.9;
/// Spread of prices around the price level of their category.
const PRICE_SD: f64 = 0.6;

/// One item.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// `i0001`.
    pub(super) name: String,
    /// Readable name.
    pub(super) title: String,
    /// Price with two decimals.
    pub(super) price: f64,
    /// Place of its price among those of its category: 0 cheapest, 1 dearest.
    pub(super) price_rank: f64,
}

/// All items, category by category.
#[derive(Debug)]
pub(super) struct Shop {
    pub(super) items: Vec<Item>,
    /// Category of each item.
    pub(super) category_of: Vec<usize>,
    /// First item of each category.
    first: Vec<usize>,
    popularity: Vec<Table>,
}

impl Shop {
    /// A shop with at least one item per category.
    pub(super) fn new(stream: &mut Stream, n_items: usize, n_categories: usize, words: &Words) -> Self {
        let mut shop = Self { items: vec![], category_of: vec![], first: vec![], popularity: vec![] };
        let width = n_items.to_string().len().max(4);
        for category in 0..n_categories {
            let size = n_items / n_categories + usize::from(category < n_items % n_categories);
            let level = log_normal(stream, 3.2, 0.5);
            let first = shop.items.len();
            shop.first.push(first);
            shop.popularity.push(Table::new(&zipf(size, POPULARITY)));
            for place in 0..size {
                let (_, products) = words.categories[category];
                let adjective = words.adjectives[(place / products.len()) % words.adjectives.len()];
                let product = products[place % products.len()];
                shop.items.push(Item {
                    name: format!("i{:0width$}", first + place + 1),
                    title: format!("{adjective}{}{product}", words.blank),
                    price: libm::round(level * log_normal(stream, 0.0, PRICE_SD) * 100.0).max(1.0) / 100.0,
                    price_rank: 0.0,
                });
                shop.category_of.push(category);
            }
            shop.rank_prices(first);
        }
        shop
    }

    fn rank_prices(&mut self, first: usize) {
        let mut order: Vec<usize> = (first..self.items.len()).collect();
        order.sort_by(|a, b| self.items[*a].price.total_cmp(&self.items[*b].price));
        let last = (order.len().max(2) - 1) as f64;
        for (place, item) in order.into_iter().enumerate() {
            self.items[item].price_rank = place as f64 / last;
        }
    }

    /// An item of a category by popularity. A positive `thrift` takes cheap ones more often, a negative one dear ones.
    pub(super) fn pick(&self, stream: &mut Stream, category: usize, thrift: f64) -> usize {
        loop {
            let item = self.first[category] + self.popularity[category].draw(stream);
            let rank = self.items[item].price_rank;
            let distance = if thrift >= 0.0 { rank } else { 1.0 - rank };
            // Without thrift every draw is taken and no further one is made.
            if thrift == 0.0 || stream.chance(libm::exp(-thrift.abs() * distance)) {
                return item;
            }
        }
    }
}
