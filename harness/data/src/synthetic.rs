//! The generator: a shop with planted groups of users, so that every suite can be run without a network and scored
//! against the truth. Results on it are results on synthetic data.
//!
//! Calibrations (popularity, session lengths, pauses, funnel) are measured on real click logs; each is a named
//! constant beside its use. All draws come from the fixed stream and all functions from libm: equal seeds give equal
//! bytes on every platform.

mod draw;
mod persona;
mod shop;
mod walk;
mod words;

use trailmark_core::spec::{ParamDefault, ParamKind, ParamSpec};
use trailmark_core::{Cost, Params, Spec, Stream};

use crate::DataError;
use crate::events::{Clock, Event, EventLog, LogBuilder, Number};
use crate::intern::NONE;
use draw::{Table, dirichlet, geometric, log_normal};
use persona::{Behaviour, SEARCH};
use shop::Shop;
use walk::{Step, Walker};
use words::{EN, Words, ZH};

/// Monday 2024-01-01, midnight UTC.
const START_MS: i64 = 1_704_067_200_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Pauses inside a session in seconds: log-normal, fitted to a real shop; longer ones than this end a session.
const GAP: (f64, f64) = (3.97, 1.50);
const LONGEST_GAP_S: f64 = 1800.0;
/// Least pause between two sessions: above the longest pause inside one, so that a gap of 30 minutes finds them.
const BETWEEN_MS: i64 = 31 * 60_000;
/// How near a user's taste is to that of the persona.
const TASTE: f64 = 60.0;
/// Change of a category's share from the first day to the last, as a share of itself, half of them up and half down.
const DRIFT: f64 = 0.33;
/// Share of the two personas of a mixed user.
const MIXED: f64 = 0.6;
/// Traffic by weekday from Monday.
const WEEKDAYS: [f64; 7] = [0.153, 0.173, 0.169, 0.153, 0.137, 0.101, 0.113];
/// Traffic by hour from midnight: about thirty times as much at the peak as in the night.
const HOURS: [f64; 24] = [
    0.020, 0.010, 0.005, 0.003, 0.003, 0.005, 0.011, 0.024, 0.041, 0.052, 0.056, 0.053, 0.050, 0.050, 0.050, 0.050,
    0.052, 0.055, 0.061, 0.072, 0.085, 0.087, 0.066, 0.039,
];

static SPEC: Spec = Spec {
    name: "synthetic",
    summary: "shop behaviour with planted personas",
    reference: "own generator, calibrated on public shop logs; see datasets/README.md",
    revision: 1,
    cost: Cost { time: "n_events", memory: "the log" },
    params: &[
        ParamSpec {
            name: "users",
            summary: "number of users",
            kind: ParamKind::Integer { min: 1, max: 10_000_000 },
            default: ParamDefault::Integer(800),
        },
        ParamSpec {
            name: "personas",
            summary: "number of planted groups",
            kind: ParamKind::Integer { min: 1, max: 24 },
            default: ParamDefault::Integer(6),
        },
        ParamSpec {
            name: "separation",
            summary: "how far groups differ; 0 plants none",
            kind: ParamKind::Number { min: 0.0, max: 1.0 },
            default: ParamDefault::Number(1.0),
        },
        ParamSpec {
            name: "order_only",
            summary: "groups have the same events and differ in their order alone",
            kind: ParamKind::Flag,
            default: ParamDefault::Flag(false),
        },
        ParamSpec {
            name: "imbalance",
            summary: "each group is smaller than the one before by this share",
            kind: ParamKind::Number { min: 0.0, max: 0.9 },
            default: ParamDefault::Number(0.0),
        },
        ParamSpec {
            name: "language",
            summary: "language of event names, categories, titles and queries",
            kind: ParamKind::Choice(&["en", "zh"]),
            default: ParamDefault::Text("en"),
        },
        ParamSpec {
            name: "items",
            summary: "number of items",
            kind: ParamKind::Integer { min: 16, max: 1_000_000 },
            default: ParamDefault::Integer(1200),
        },
        ParamSpec {
            name: "categories",
            summary: "number of categories",
            kind: ParamKind::Integer { min: 2, max: 16 },
            default: ParamDefault::Integer(12),
        },
        ParamSpec {
            name: "sessions",
            summary: "mean number of sessions of a user",
            kind: ParamKind::Integer { min: 1, max: 1000 },
            default: ParamDefault::Integer(8),
        },
        ParamSpec {
            name: "days",
            summary: "length of the log in days",
            kind: ParamKind::Integer { min: 1, max: 3650 },
            default: ParamDefault::Integer(60),
        },
        ParamSpec {
            name: "noise",
            summary: "share of users who are robots, mixtures of two personas, or visitors of one event",
            kind: ParamKind::Number { min: 0.0, max: 1.0 },
            default: ParamDefault::Number(0.05),
        },
    ],
};

/// The generator's name card.
pub fn synthetic_spec() -> &'static Spec {
    &SPEC
}

/// What kind of user is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Plain,
    /// Sessions of two personas; labelled with the first, which has more of them.
    Mixed(usize),
    /// Not a person: no label.
    Robot,
    /// Came once, looked once.
    Once,
}

struct Generator<'a> {
    categories: usize,
    separation: f64,
    days: usize,
    sessions: usize,
    words: &'static Words,
    shop: &'a Shop,
    behaviours: Vec<Behaviour>,
    /// One per persona where groups differ in order only.
    routes: Option<Vec<Vec<usize>>>,
    robot: Behaviour,
    /// Chances of each day.
    calendar: Table,
    hours: Table,
}

/// Generates the log.
pub(crate) fn generate(params: &Params, seed: u64) -> Result<EventLog, DataError> {
    let (users, personas) = (params.size("users"), params.size("personas"));
    let (items, categories) = (params.size("items"), params.size("categories"));
    let (separation, order_only) = (params.number("separation"), params.flag("order_only"));
    if items < categories {
        let problem = format!("items = {items} is below categories = {categories}: raise items");
        return Err(DataError::Generator { problem });
    }
    if order_only && categories <= personas {
        let problem = format!(
            "order_only needs more categories than personas to give each its own route, not categories = \
             {categories} and personas = {personas}"
        );
        return Err(DataError::Generator { problem });
    }
    let words = if params.text("language") == "zh" { &ZH } else { &EN };
    let mut stream = Stream::new(seed);
    let shop = Shop::new(&mut stream, items, categories, words);
    let days = params.size("days");
    let generator = Generator {
        categories,
        separation,
        days,
        sessions: params.size("sessions"),
        words,
        shop: &shop,
        behaviours: (0..personas)
            .map(|persona| match order_only {
                true => Behaviour::without_preferences(categories),
                false => Behaviour::persona(persona, personas, categories, separation),
            })
            .collect(),
        routes: order_only.then(|| walk::routes(&mut stream, personas, categories)),
        robot: Behaviour::robot(categories),
        calendar: Table::new(&(0..days).map(|day| WEEKDAYS[day % 7]).collect::<Vec<_>>()),
        hours: Table::new(&HOURS),
    };

    let people = people(&mut stream, users, &shares(personas, params.number("imbalance")), params.number("noise"));
    let width = users.to_string().len().max(4);
    let mut builder = LogBuilder::new(Clock::Instants, true, false);
    builder.declare("persona");
    for item in &shop.items {
        let id = builder.log().items.id(&item.name);
        builder.title(id, &item.title);
    }
    for (number, (persona, sort)) in people.into_iter().enumerate() {
        let user = builder.log().users.id(&format!("u{:0width$}", number + 1));
        if sort != Sort::Robot {
            builder.attribute("persona", user, &persona::name(persona));
        }
        // A stream of its own: a user's events do not depend on how many draws others took.
        let mut own = Stream::new(trailmark_core::random::seed(seed, "user", &[&number.to_string()]));
        let sessions = generator.user(&mut own, persona, sort);
        generator.write(&mut own, &mut builder, user, sessions);
    }
    builder.finish(std::path::Path::new("synthetic"), 0.0)
}

/// Shares of the personas.
fn shares(personas: usize, imbalance: f64) -> Vec<f64> {
    let weights: Vec<f64> = (0..personas).map(|persona| libm::pow(1.0 - imbalance, persona as f64)).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// Personas and sorts of all users: persona sizes as near to their shares as whole numbers allow, in random order.
fn people(stream: &mut Stream, users: usize, shares: &[f64], noise: f64) -> Vec<(usize, Sort)> {
    let mut reached = 0.0;
    let mut personas: Vec<usize> = Vec::with_capacity(users);
    for (persona, share) in shares.iter().enumerate() {
        reached += share;
        let upto = if persona + 1 == shares.len() { users } else { libm::round(reached * users as f64) as usize };
        personas.resize(upto.max(personas.len()), persona);
    }
    stream.shuffle(&mut personas);
    let noisy = libm::round(noise * users as f64) as usize;
    personas
        .into_iter()
        .enumerate()
        .map(|(number, persona)| {
            let sort = match (number < noisy, number % 3) {
                (false, _) => Sort::Plain,
                (true, 0) if shares.len() > 1 => {
                    Sort::Mixed((persona + 1 + stream.below(shares.len() - 1)) % shares.len())
                }
                (true, 1) => Sort::Robot,
                (true, _) => Sort::Once,
            };
            (persona, sort)
        })
        .collect()
}

impl Generator<'_> {
    /// The sessions of one user, in order, each with its start.
    fn user(&self, stream: &mut Stream, persona: usize, sort: Sort) -> Vec<(i64, Vec<Step>)> {
        let n_sessions = match sort {
            Sort::Once => 1,
            _ => {
                let least = self.sessions.div_ceil(2);
                least + geometric(stream, 1.0 / (1.0 + (self.sessions - least) as f64))
            }
        };
        let lengths: Vec<usize> =
            (0..n_sessions).map(|_| if sort == Sort::Once { 1 } else { walk::session_length(stream) }).collect();
        let starts = self.starts(stream, n_sessions);
        let own = match sort {
            Sort::Robot => &self.robot,
            _ => &self.behaviours[persona],
        };
        let taste = |stream: &mut Stream, how: &Behaviour| match (&self.routes, sort) {
            (None, Sort::Plain | Sort::Mixed(_) | Sort::Once) => dirichlet(stream, &how.affinity, TASTE),
            _ => how.affinity.clone(),
        };
        let own_taste = taste(stream, own);
        let other = if let Sort::Mixed(other) = sort { Some(&self.behaviours[other]) } else { None };
        let other_taste = other.map(|how| taste(stream, how));

        let mut walker = Walker::new(self.shop);
        let mut sessions: Vec<Vec<Step>> = Vec::with_capacity(n_sessions);
        for (length, start) in lengths.iter().zip(&starts) {
            let (how, taste) = match (other, &other_taste) {
                (Some(how), Some(taste)) if !stream.chance(MIXED) => (how, taste),
                _ => (own, &own_taste),
            };
            let likes = Table::new(&self.drifted(taste, *start));
            sessions.push(walker.session(stream, how, &likes, *length));
        }
        if let (Some(routes), false) = (&self.routes, sort == Sort::Robot) {
            let steps = sessions.into_iter().flatten().collect();
            let mut ordered = walk::reorder(stream, steps, &routes[persona], self.separation).into_iter();
            sessions = lengths.iter().map(|length| ordered.by_ref().take(*length).collect()).collect();
        }
        starts.into_iter().zip(sessions).collect()
    }

    /// Starts of sessions by weekday and hour, ascending, in Unix milliseconds.
    fn starts(&self, stream: &mut Stream, n_sessions: usize) -> Vec<i64> {
        let mut starts: Vec<i64> = (0..n_sessions)
            .map(|_| {
                let day = self.calendar.draw(stream) as i64;
                let hour = self.hours.draw(stream) as i64;
                START_MS + day * DAY_MS + hour * HOUR_MS + stream.below(HOUR_MS as usize) as i64
            })
            .collect();
        starts.sort_unstable();
        starts
    }

    /// Tastes at some time: some categories come into fashion, others go. Not where only order may differ.
    fn drifted(&self, taste: &[f64], start: i64) -> Vec<f64> {
        if self.routes.is_some() {
            return taste.to_vec();
        }
        let along = ((start - START_MS) as f64 / (self.days as i64 * DAY_MS) as f64).min(1.0) - 0.5;
        let factor = |category: usize| 1.0 + if category.is_multiple_of(2) { DRIFT * along } else { -DRIFT * along };
        debug_assert_eq!(taste.len(), self.categories);
        taste.iter().enumerate().map(|(category, share)| share * factor(category)).collect()
    }

    /// Gives the steps times and texts.
    fn write(&self, stream: &mut Stream, builder: &mut LogBuilder, user: u32, sessions: Vec<(i64, Vec<Step>)>) {
        let mut free_from = i64::MIN;
        for (number, (start, steps)) in sessions.into_iter().enumerate() {
            let mut time = start.max(free_from);
            let session = builder.log().sessions.id(&format!("s{:03}", number + 1));
            for (place, step) in steps.iter().enumerate() {
                if place > 0 {
                    time += pause_ms(stream);
                }
                let event = self.event(builder, user, session, time, step);
                builder.push(event);
            }
            free_from = time + BETWEEN_MS;
        }
    }

    fn event(&self, builder: &mut LogBuilder, user: u32, session: u32, time: i64, step: &Step) -> Event {
        let (category, products) = self.words.categories[step.category];
        let log = builder.log();
        let query = step.query.map(|(product, bargain)| match bargain {
            Some(word) => format!("{}{}{}", self.words.bargain[word], self.words.blank, products[product]),
            None => products[product].to_owned(),
        });
        debug_assert_eq!(step.kind == SEARCH, query.is_some());
        Event {
            user,
            session,
            kind: log.kinds.id(self.words.kinds[step.kind]),
            item: step.item.map_or(NONE, |item| log.items.id(&self.shop.items[item].name)),
            category: log.categories.id(category),
            query: query.map_or(NONE, |query| log.queries.id(&query)),
            time,
            order: 0.0,
            value: Number::NONE,
            price: step.item.map_or(Number::NONE, |item| Number::new(self.shop.items[item].price)),
            line: log.events.len() as u64 + 1,
        }
    }
}

/// A pause inside a session, in milliseconds, at least one.
fn pause_ms(stream: &mut Stream) -> i64 {
    loop {
        let seconds = log_normal(stream, GAP.0, GAP.1);
        if seconds <= LONGEST_GAP_S {
            return (libm::round(seconds * 1000.0) as i64).max(1);
        }
    }
}

#[cfg(test)]
#[path = "synthetic/tests.rs"]
mod tests;
