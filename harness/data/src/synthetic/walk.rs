//! One user's steps through the shop, and the reordering that makes groups differ in order alone.

use trailmark_core::Stream;

use super::draw::{Table, log_normal};
use super::persona::{BUY, Behaviour, SEARCH, VIEW};
use super::shop::Shop;

/// Session lengths: log-normal, rounded up (fitted to the clicks of a real shop).
const LENGTH: (f64, f64) = (1.40, 1.02);
/// The longest session.
const LONGEST: f64 = 400.0;
/// Chance that a view repeats the item just seen.
const REPEAT: f64 = 0.05;
/// Chance that a view returns to an earlier item of the session.
const REVISIT: f64 = 0.10;
/// Chance, at separation 1, that a route goes to the category its persona goes to next.
const FOLLOW: f64 = 0.95;

/// One event before it has a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) kind: usize,
    pub(super) category: usize,
    /// The item; searches have none.
    pub(super) item: Option<usize>,
    /// The product and the bargain word that a search asks for.
    pub(super) query: Option<(usize, Option<usize>)>,
}

/// The length of one session.
pub(super) fn session_length(stream: &mut Stream) -> usize {
    libm::ceil(log_normal(stream, LENGTH.0, LENGTH.1)).clamp(1.0, LONGEST) as usize
}

/// A user on the way: what was bought before is remembered between sessions.
#[derive(Debug)]
pub(super) struct Walker<'a> {
    shop: &'a Shop,
    bought: Vec<usize>,
}

impl<'a> Walker<'a> {
    pub(super) fn new(shop: &'a Shop) -> Self {
        Self { shop, bought: Vec::new() }
    }

    /// The steps of one session.
    pub(super) fn session(&mut self, stream: &mut Stream, how: &Behaviour, likes: &Table, length: usize) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::with_capacity(length);
        let mut seen: Vec<usize> = Vec::new();
        let mut category = likes.draw(stream);
        let mut item: Option<usize> = None;
        for _ in 0..length {
            let before = steps.last().map(|step| step.kind);
            let kind = match before {
                None => usize::from(!stream.chance(how.starts_with_search)),
                Some(kind) => stream.weighted(&how.next[kind]),
            };
            let mut query = None;
            match kind {
                SEARCH => {
                    category = self.move_on(stream, how, likes, category);
                    item = None;
                    let bargain = stream.chance(how.bargain).then(|| stream.below(3));
                    query = Some((stream.below(4), bargain));
                }
                VIEW => {
                    let found = self.view(stream, how, likes, (category, item), before, &seen);
                    category = self.shop.category_of[found];
                    item = Some(found);
                    seen.push(found);
                }
                _ => {
                    let taken = item.unwrap_or_else(|| self.shop.pick(stream, category, how.thrift));
                    item = Some(taken);
                    if kind == BUY {
                        self.bought.push(taken);
                    }
                }
            }
            steps.push(Step { kind, category, item: if kind == SEARCH { None } else { item }, query });
        }
        steps
    }

    fn view(
        &self,
        stream: &mut Stream,
        how: &Behaviour,
        likes: &Table,
        (category, item): (usize, Option<usize>),
        before: Option<usize>,
        seen: &[usize],
    ) -> usize {
        let luck = stream.uniform();
        if let (Some(item), true) = (item, luck < REPEAT) {
            return item;
        }
        if !seen.is_empty() && (REPEAT..REPEAT + REVISIT).contains(&luck) {
            return seen[stream.below(seen.len())];
        }
        if !self.bought.is_empty() && stream.chance(how.rebuy) {
            return self.bought[stream.below(self.bought.len())];
        }
        let stays = matches!(before, None | Some(SEARCH));
        let category = if stays { category } else { self.move_on(stream, how, likes, category) };
        self.shop.pick(stream, category, how.thrift)
    }

    fn move_on(&self, stream: &mut Stream, how: &Behaviour, likes: &Table, category: usize) -> usize {
        if stream.chance(how.stay) { category } else { likes.draw(stream) }
    }
}

/// A closed round through all categories: `route[c]` comes after `c`. Every persona has its own, and rounds share as
/// few steps as 64 tries find.
pub(super) fn routes(stream: &mut Stream, personas: usize, categories: usize) -> Vec<Vec<usize>> {
    let mut routes: Vec<Vec<usize>> = Vec::new();
    for _ in 0..personas {
        let mut best: Option<(usize, Vec<usize>)> = None;
        for _ in 0..64 {
            let mut round: Vec<usize> = (0..categories).collect();
            stream.shuffle(&mut round);
            let mut route = vec![0; categories];
            for (place, category) in round.iter().enumerate() {
                route[*category] = round[(place + 1) % categories];
            }
            let shared = routes.iter().flat_map(|other| other.iter().zip(&route)).filter(|(a, b)| a == b).count();
            if best.as_ref().is_none_or(|(least, _)| shared < *least) {
                best = Some((shared, route));
            }
        }
        routes.extend(best.map(|(_, route)| route));
    }
    routes
}

/// Puts a user's steps in the order of a route. The steps stay the same ones, so counts of events cannot tell groups
/// apart; steps in one category that follow each other stay together, so that the funnel keeps its order.
pub(super) fn reorder(stream: &mut Stream, steps: Vec<Step>, route: &[usize], separation: f64) -> Vec<Step> {
    let n_steps = steps.len();
    let mut stops: Vec<Vec<Vec<Step>>> = vec![Vec::new(); route.len()];
    for stop in steps.chunk_by(|a, b| a.category == b.category) {
        stops[stop[0].category].push(stop.to_vec());
    }
    let mut ordered: Vec<Step> = Vec::with_capacity(n_steps);
    while ordered.len() < n_steps {
        let follow = stream.chance(FOLLOW * separation);
        let next = ordered.last().filter(|_| follow).and_then(|step| {
            // Along the route to the first category that has a stop left.
            let mut ahead = route[step.category];
            (0..route.len()).find_map(|_| {
                let here = ahead;
                ahead = route[here];
                (!stops[here].is_empty()).then_some(here)
            })
        });
        let category = next.unwrap_or_else(|| {
            let left: Vec<f64> = stops.iter().map(|stops| stops.len() as f64).collect();
            stream.weighted(&left)
        });
        let last = stops[category].len() - 1;
        let stop = stream.below(last + 1);
        stops[category].swap(stop, last);
        ordered.extend(stops[category].pop().into_iter().flatten());
    }
    ordered
}
