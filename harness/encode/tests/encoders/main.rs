//! Encoders as the runner meets them: through the registry.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod counted;
mod events;
mod glove;
mod precomputed;
mod real;
mod word2vec;
mod word_vectors;

use std::path::PathBuf;

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder};
use trailmark_core::spec::ParamValue;
use trailmark_core::{Matrix, Params, SequenceView, Sequences};

const CTX: Context = Context { seed: 1, threads: 1, memory_bytes: 1 << 30 };

/// Paths as they are, no models.
struct Plain;

impl Assets for Plain {
    fn model(&self, name: &str) -> Result<PathBuf, String> {
        Err(format!("there is no model {name}"))
    }

    fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(path)
    }
}

fn try_make(name: &str, params: &[(&str, ParamValue)]) -> Result<Box<dyn Encoder>, BuildError> {
    let entry = trailmark_encode::registry().into_iter().find(|entry| entry.spec.name == name).unwrap();
    let all = params.iter().fold(Params::defaults(entry.spec), |all, (name, value)| {
        assert!(entry.spec.param(name).is_some(), "{} has no parameter {name}", entry.spec.name);
        all.with(name, value.clone())
    });
    (entry.build)(&all, &Plain)
}

fn make(name: &str, params: &[(&str, ParamValue)]) -> Box<dyn Encoder> {
    try_make(name, params).unwrap()
}

/// Sequences of documents, ids `u0`, `u1`, ..; tokens are numbered from the last document to the first, so that no
/// encoder gets an order of names for free.
fn sequences(documents: &[Vec<String>]) -> Sequences {
    let mut token_names: Vec<String> = Vec::new();
    let mut tokens: Vec<Vec<u32>> = documents
        .iter()
        .rev()
        .map(|document| {
            document
                .iter()
                .map(|name| {
                    let at = token_names.iter().position(|known| known == name).unwrap_or_else(|| {
                        token_names.push(name.clone());
                        token_names.len() - 1
                    });
                    u32::try_from(at).unwrap()
                })
                .collect()
        })
        .collect();
    tokens.reverse();
    Sequences {
        ids: (0..documents.len()).map(|i| format!("u{i}")).collect(),
        texts: documents.iter().map(|document| document.join(" ")).collect(),
        tokens,
        token_names,
        ..Sequences::default()
    }
}

fn words(documents: &[&str]) -> Vec<Vec<String>> {
    documents.iter().map(|text| text.split_whitespace().map(str::to_owned).collect()).collect()
}

/// Fits on the first `n_train` documents and gives the vectors of all, with the warnings.
fn encode(encoder: &dyn Encoder, all: &Sequences, n_train: usize, ctx: &Context) -> (Matrix<f32>, Vec<String>) {
    let rows: Vec<usize> = (0..all.ids.len()).collect();
    let fitted = encoder.fit(SequenceView::new(all, &rows[..n_train]), ctx).unwrap();
    let x = fitted.transform(SequenceView::new(all, &rows), ctx).unwrap().into_matrix();
    (x, fitted.warnings())
}

fn bits(x: &Matrix<f32>) -> Vec<u32> {
    x.as_slice().iter().map(|value| value.to_bits()).collect()
}
