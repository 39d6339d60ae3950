//! Vectors of a group: a frozen encoder runs once per dataset on all rows, before the groups; the others are fitted on
//! the training rows of each fold. Both are kept by content, so that a second run, another clusterer or another
//! n_clusters computes nothing again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trailmark_core::contract::{Context, Scope};
use trailmark_core::{Failure, FailureClass, Fold, Key, Matrix, SequenceView};
use trailmark_evaluate::LeakGuard;
use trailmark_store::artifact::Vectors;

use crate::Sink;
use crate::clock::Timer;
use crate::group::{Task, TaskKind};
use crate::job::{Event, RunError};
use crate::prepare::{Prepared, VectorSource};
use crate::shield::shield;

/// Vectors of frozen encoders, by dataset and encoder.
pub(crate) struct Frozen(BTreeMap<(usize, usize), Result<Arc<Vectors>, Failure>>);

/// The space of one group, after the post steps.
pub(crate) struct Space {
    pub(crate) train: Matrix<f32>, // (n_train, n_features)
    pub(crate) test: Matrix<f32>,  // (n_test, n_features)
    pub(crate) warnings: Vec<String>,
}

impl Frozen {
    /// Encodes every dataset that a task needs, with all threads.
    pub(crate) fn encode(prepared: &Prepared<'_>, tasks: &[Task], sink: &Sink<'_>) -> Result<Self, RunError> {
        let needed: BTreeSet<(usize, usize)> = tasks
            .iter()
            .flat_map(|task| match task.kind {
                TaskKind::Arms { encoder, .. } => {
                    let sources = prepared.sources(encoder).into_iter();
                    let frozen = sources.filter(|(_, made)| made.scope() == Scope::Frozen);
                    frozen.map(|(encoder, _)| (task.dataset, encoder)).collect()
                }
                TaskKind::Controls => Vec::new(),
            })
            .collect();
        let mut vectors = BTreeMap::new();
        for (dataset, encoder) in needed {
            let key = prepared.embeddings_key(dataset, encoder, None);
            let what = format!("{}/{}", prepared.dataset(dataset).id, prepared.job.suite.encoders[encoder].id);
            let found = match cached(prepared, &key, sink)? {
                Some(found) => Ok(found),
                None => {
                    let n_samples = prepared.dataset(dataset).n_samples();
                    sink.observer.event(Event::Encoding { what: what.clone(), n_samples });
                    let timer = Timer::start();
                    let all: Vec<usize> = (0..n_samples).collect();
                    let made = fit_transform(prepared, (dataset, encoder), &[], &all, prepared.job.limits.threads, 0);
                    sink.timing(timer.timing(&what, "encode", false));
                    if let Ok(made) = &made {
                        sink.save(&prepared.job.store, &key, made);
                    }
                    made
                }
            };
            vectors.insert((dataset, encoder), found.map(Arc::new));
        }
        Ok(Self(vectors))
    }
}

fn cached(prepared: &Prepared<'_>, key: &Key, sink: &Sink<'_>) -> Result<Option<Vectors>, RunError> {
    if !prepared.job.reuse_vectors {
        return Ok(None);
    }
    let mut damaged = Vec::new();
    let found = prepared.job.store.load::<Vectors>(key, &mut damaged)?;
    sink.tell_damaged(damaged);
    Ok(found)
}

fn fit_transform(
    prepared: &Prepared<'_>,
    (dataset, encoder): (usize, usize),
    train: &[usize],
    rows: &[usize],
    threads: usize,
    seed: u64,
) -> Result<Vectors, Failure> {
    let sequences = &prepared.dataset(dataset).sequences;
    let ctx = Context { seed, threads, memory_bytes: prepared.job.limits.memory_bytes };
    shield(|| {
        let VectorSource::Encoder(made) = &prepared.encoders[&encoder].source else {
            return Err(Failure::bug("a fusion was asked to fit"));
        };
        let fitted = made.fit(SequenceView::new(sequences, train), &ctx)?;
        let embeddings = fitted.transform(SequenceView::new(sequences, rows), &ctx)?;
        if embeddings.n_samples() != rows.len() {
            return Err(Failure::bug(format!("{} rows gave {} vectors", rows.len(), embeddings.n_samples())));
        }
        Ok(Vectors { x: embeddings.into_matrix(), warnings: fitted.warnings() })
    })?
}

/// The space of a group: vectors of the encoder or the joined spaces of its parts, then its post steps, each fitted
/// on training rows.
pub(crate) fn space(
    prepared: &Prepared<'_>,
    task: &Task,
    encoder: usize,
    fold: &Fold,
    frozen: &Frozen,
    guard: &mut LeakGuard<'_>,
    sink: &Sink<'_>,
) -> Result<Space, Failure> {
    let made = &prepared.encoders[&encoder];
    let Space { mut train, mut test, mut warnings } = match &made.source {
        VectorSource::Encoder(encoder_made) => {
            let scope = encoder_made.scope();
            encoded(prepared, task, (encoder, scope), fold, frozen, guard, sink)?
        }
        VectorSource::Fusion { fusion, parts } => {
            let mut spaces = Vec::new();
            for part in parts {
                let id = &prepared.job.suite.encoders[*part].id;
                let space = space(prepared, task, *part, fold, frozen, guard, sink);
                spaces.push(space.map_err(|failure| within(&format!("part {id}"), failure))?);
            }
            let join = |side: fn(&Space) -> &Matrix<f32>| {
                shield(|| fusion.fuse(&spaces.iter().map(side).collect::<Vec<_>>())).and_then(|fused| fused)
            };
            let (train, test) = (join(|space| &space.train)?, join(|space| &space.test)?);
            Space { train, test, warnings: spaces.into_iter().flat_map(|space| space.warnings).collect() }
        }
    };
    if !made.posts.is_empty() {
        guard.saw("post", &fold.train);
    }
    for (post, step) in made.posts.iter().zip(&prepared.job.suite.encoders[encoder].post) {
        shield(|| {
            let fitted = post.fit(&train)?;
            fitted.apply(&mut train)?;
            fitted.apply(&mut test)
        })
        .and_then(|applied| applied)
        .map_err(|failure| within(&format!("post step {}", step.spec.name), failure))?;
    }
    for (x, rows) in [(&train, &fold.train), (&test, &fold.test)] {
        if let Some((row, column, value)) = x.first_not_finite() {
            let id = &prepared.dataset(task.dataset).sequences.ids[rows[row]];
            return Err(Failure::bad_input(format!("the vector of sample {id:?} holds {value} in column {column}")));
        }
    }
    let zero = trailmark_evaluate::zero_rows(&train) + trailmark_evaluate::zero_rows(&test);
    if zero > 0 {
        warnings.push(format!("{zero} of {} vectors are zero and have no direction", train.rows() + test.rows()));
    }
    warnings.sort();
    warnings.dedup();
    Ok(Space { train, test, warnings })
}

fn within(place: &str, mut failure: Failure) -> Failure {
    failure.message = format!("{place}: {}", failure.message);
    failure
}

/// What an encoder makes of both sides of a fold, before any post step.
fn encoded(
    prepared: &Prepared<'_>,
    task: &Task,
    (encoder, scope): (usize, Scope),
    fold: &Fold,
    frozen: &Frozen,
    guard: &mut LeakGuard<'_>,
    sink: &Sink<'_>,
) -> Result<Space, Failure> {
    let keep = |error: RunError| {
        let failure = Failure::from_error(FailureClass::External, &error);
        sink.fail(error);
        failure
    };
    match scope {
        Scope::Frozen => {
            let vectors = frozen
                .0
                .get(&(task.dataset, encoder))
                .cloned()
                .ok_or_else(|| Failure::bug("a frozen encoder was not run before the groups"))??;
            Ok(Space {
                train: vectors.x.select_rows(&fold.train),
                test: vectors.x.select_rows(&fold.test),
                warnings: vectors.warnings.clone(),
            })
        }
        Scope::PerFold => {
            guard.saw("encoder", &fold.train);
            let seed = prepared.seed("encoder", task.dataset, fold, &[&prepared.encoders[&encoder].key]);
            let key = prepared.embeddings_key(task.dataset, encoder, Some((fold, seed)));
            let vectors = match cached(prepared, &key, sink).map_err(keep)? {
                Some(vectors) => vectors,
                None => {
                    let timer = Timer::start();
                    let rows: Vec<usize> = fold.train.iter().chain(&fold.test).copied().collect();
                    let made = fit_transform(prepared, (task.dataset, encoder), &fold.train, &rows, 1, seed)?;
                    sink.timing(timer.timing(&prepared.group_name(task, encoder), "encode", true));
                    sink.save(&prepared.job.store, &key, &made);
                    made
                }
            };
            let n_train = fold.train.len();
            Ok(Space {
                train: vectors.x.select_rows(&(0..n_train).collect::<Vec<_>>()),
                test: vectors.x.select_rows(&(n_train..vectors.x.rows()).collect::<Vec<_>>()),
                warnings: vectors.warnings,
            })
        }
    }
}
