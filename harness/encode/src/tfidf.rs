//! N-grams of tokens, words or characters, weighted by how few training samples hold them, optionally reduced by a
//! truncated SVD.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Embeddings, Failure, ParamKind, ParamSpec, Params, SequenceView, Spec};

use crate::analyzer::{ANALYZER, Analyzer, Reader};
use crate::counting::{Counts, dense, embeddings};
use crate::svd::{Sparse, Svd, truncated};
use crate::vocabulary::{Rule, Vocabulary};

/// Features kept where neither `max_features` nor `svd_dim` bounds the width of the vectors.
const WIDEST: usize = 4096;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "tfidf",
    summary: "n-grams of tokens, words or characters, weighted by inverse document frequency, optionally reduced by truncated SVD",
    reference: "Sparck Jones 1972, J. Documentation 28; Deerwester et al. 1990, JASIS 41; agrees with scikit-learn's \
                TfidfVectorizer and TruncatedSVD",
    // 2: the SVD runs on the smaller side of the matrix, from another start.
    revision: 2,
    cost: Cost {
        time: "tokens * n-gram lengths; with svd_dim at most 16 passes of (nonzeros + (n_samples + n_terms) * svd_dim) * svd_dim",
        memory: "4 * tokens + n_terms; with svd_dim 16 * nonzeros + 24 * n_terms * svd_dim",
    },
    params: &[
        ANALYZER,
        ParamSpec {
            name: "ngram_min",
            summary: "shortest n-gram, in tokens, words or characters",
            kind: ParamKind::Integer { min: 1, max: 16 },
            default: ParamDefault::Integer(1),
        },
        ParamSpec {
            name: "ngram_max",
            summary: "longest n-gram, in tokens, words or characters",
            kind: ParamKind::Integer { min: 1, max: 16 },
            default: ParamDefault::Integer(1),
        },
        ParamSpec {
            name: "min_df",
            summary: "leave out n-grams that occur in fewer training samples",
            kind: ParamKind::Integer { min: 1, max: i64::MAX },
            default: ParamDefault::Integer(1),
        },
        ParamSpec {
            name: "max_features",
            summary: "keep this many n-grams, those of most training samples; left out: 4096, or all under svd_dim",
            kind: ParamKind::Integer { min: 1, max: i64::MAX },
            default: ParamDefault::Absent,
        },
        ParamSpec {
            name: "sublinear_tf",
            summary: "1 + ln(count) in place of the count",
            kind: ParamKind::Flag,
            default: ParamDefault::Flag(false),
        },
        ParamSpec {
            name: "smooth_idf",
            summary: "ln((1 + n) / (1 + df)) + 1 in place of ln(n / df) + 1",
            kind: ParamKind::Flag,
            default: ParamDefault::Flag(true),
        },
        ParamSpec {
            name: "norm",
            summary: "scale every row to length 1 (before the SVD)",
            kind: ParamKind::Flag,
            default: ParamDefault::Flag(true),
        },
        ParamSpec {
            name: "svd_dim",
            summary: "reduce to this many dimensions by truncated SVD; left out: no reduction",
            kind: ParamKind::Integer { min: 1, max: 4096 },
            default: ParamDefault::Absent,
        },
    ],
};

/// Makes the encoder.
pub(crate) fn build(params: &Params, _assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    let (ngram_min, ngram_max) = (params.size("ngram_min"), params.size("ngram_max"));
    if ngram_min > ngram_max {
        return Err(BuildError(format!(
            "tfidf: ngram_min is {ngram_min} and ngram_max is {ngram_max}; raise ngram_max or lower ngram_min"
        )));
    }
    let svd_dim = params.try_size("svd_dim");
    let max_features = params.try_size("max_features").or(if svd_dim.is_none() { Some(WIDEST) } else { None });
    Ok(Box::new(Tfidf {
        analyzer: Analyzer::of(params),
        rule: Rule { ngram_min, ngram_max, min_df: params.size("min_df"), max_features },
        weighting: Weighting { sublinear_tf: params.flag("sublinear_tf"), norm: params.flag("norm") },
        smooth_idf: params.flag("smooth_idf"),
        svd_dim,
    }))
}

#[derive(Clone, Copy)]
struct Weighting {
    sublinear_tf: bool,
    norm: bool,
}

struct Tfidf {
    analyzer: Analyzer,
    rule: Rule,
    weighting: Weighting,
    smooth_idf: bool,
    svd_dim: Option<usize>,
}

struct Fitted {
    reader: Reader,
    vocabulary: Vocabulary,
    idf: Vec<f64>, // (n_features,)
    weighting: Weighting,
    svd: Option<Svd>,
    counts: Counts,
}

impl Encoder for Tfidf {
    fn scope(&self) -> Scope {
        Scope::PerFold
    }

    fn fit<'a>(&'a self, train: SequenceView<'_>, ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        let reader = Reader::learn(self.analyzer, train);
        let documents: Vec<_> = (0..train.len()).map(|i| reader.read(train, i)).collect();
        let vocabulary = Vocabulary::learn_from(&documents, reader.names(train), self.analyzer.unit(), self.rule)?;
        let more = f64::from(u8::from(self.smooth_idf));
        let n = vocabulary.n_rows as f64 + more;
        let idf =
            vocabulary.document_frequencies.iter().map(|&df| libm::log(n / (f64::from(df) + more)) + 1.0).collect();
        let mut fitted =
            Fitted { reader, vocabulary, idf, weighting: self.weighting, svd: None, counts: Counts::default() };
        if let Some(dim) = self.svd_dim {
            let mut x = Sparse::new(fitted.vocabulary.len());
            for document in &documents {
                x.push(fitted.weigh(document).0);
            }
            fitted.svd = Some(truncated(&x, dim, ctx)?);
        }
        Ok(Box::new(fitted))
    }
}

impl Fitted {
    /// Columns and weights of a row, and the number of its n-grams that training does not know.
    fn weigh(&self, tokens: &[u32]) -> (Vec<(u32, f64)>, usize) {
        let (counts, unknown) = self.vocabulary.counts(tokens);
        let mut weights: Vec<(u32, f64)> = counts
            .into_iter()
            .map(|(column, count)| {
                let count = f64::from(count);
                let tf = if self.weighting.sublinear_tf { 1.0 + libm::log(count) } else { count };
                (column, tf * self.idf[column as usize])
            })
            .collect();
        if self.weighting.norm && !weights.is_empty() {
            let length = weights.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
            weights.iter_mut().for_each(|(_, weight)| *weight /= length);
        }
        (weights, unknown)
    }
}

impl Transform for Fitted {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32, rounded once")]
    fn transform(&self, rows: SequenceView<'_>, ctx: &Context) -> Result<Embeddings, Failure> {
        let width = self.svd.as_ref().map_or(self.vocabulary.len(), Svd::dim);
        let mut x = dense(rows.len(), width, "lower max_features, set svd_dim, or raise --memory", ctx)?;
        for i in 0..rows.len() {
            let document = self.reader.read(rows, i);
            let (weights, unknown) = self.weigh(&document);
            self.counts.row(!weights.is_empty());
            if self.vocabulary.is_of_single_parts() {
                self.counts.tokens(document.len(), unknown);
            }
            match &self.svd {
                Some(svd) => {
                    for (value, projected) in x.row_mut(i).iter_mut().zip(svd.project(&weights)) {
                        *value = projected as f32;
                    }
                }
                None => {
                    for (column, weight) in weights {
                        x.row_mut(i)[column as usize] = weight as f32;
                    }
                }
            }
        }
        embeddings(x)
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.vocabulary.warnings();
        warnings.extend(self.svd.iter().filter_map(|svd| svd.warning.clone()));
        warnings.extend(self.counts.warnings_of(
            "training knows",
            self.reader.analyzer.unit(),
            "the training vocabulary",
        ));
        warnings
    }
}
