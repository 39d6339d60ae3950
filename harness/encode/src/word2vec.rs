//! Vectors of tokens learnt from their neighbours (skip-gram or CBOW with negative sampling), pooled over a sequence.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Failure, ParamKind, ParamSpec, Params, SequenceView, Spec};

use crate::negative_sampling::{Architecture, Settings, kept_share, train};
use crate::pooling::{POOLING, Pooling, SIF_A};
use crate::token_vectors::{Corpus, TokenVectors};

/// Thinning that keeps a smaller share of all tokens than this deserves a warning.
const FEW_KEPT: f64 = 0.25;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "word2vec",
    summary: "skip-gram or CBOW with negative sampling over tokens, trained on training samples, pooled",
    reference: "Mikolov et al. 2013, NeurIPS, arXiv 1310.4546; update rule as the authors' word2vec.c, \
                with negatives shared by the neighbours of a position: Ji et al. 2016, arXiv 1604.04661; merging of \
                workers: Maleki et al. 2021, MLSys; sif pooling: Arora, \
                Liang and Ma 2017, ICLR",
    // 2: the first vectors spread twice as far. 3: neighbours share their negatives; workers merge by Adasum.
    revision: 3,
    cost: Cost { time: "tokens * epochs * window * (negative + 1) * dim", memory: "2 * vocabulary * dim * 4 a worker" },
    params: &[
        ParamSpec {
            name: "architecture",
            summary: "skip_gram: the token from each of its neighbours; cbow: the token from the mean of its neighbours",
            kind: ParamKind::Choice(&["skip_gram", "cbow"]),
            default: ParamDefault::Text("skip_gram"),
        },
        ParamSpec {
            name: "dim",
            summary: "number of dimensions",
            kind: ParamKind::Integer { min: 1, max: 4096 },
            default: ParamDefault::Integer(64),
        },
        ParamSpec {
            name: "window",
            summary: "neighbours to each side at most; every position draws its own reach from 1 to this",
            kind: ParamKind::Integer { min: 1, max: 1000 },
            default: ParamDefault::Integer(5),
        },
        ParamSpec {
            name: "negative",
            summary: "tokens drawn against each position; in skip-gram up to 16 neighbours share them",
            kind: ParamKind::Integer { min: 1, max: 1000 },
            default: ParamDefault::Integer(5),
        },
        ParamSpec {
            name: "epochs",
            summary: "passes over the training samples",
            kind: ParamKind::Integer { min: 1, max: 10_000 },
            default: ParamDefault::Integer(5),
        },
        ParamSpec {
            name: "min_count",
            summary: "tokens that occur less often in training are unknown",
            kind: ParamKind::Integer { min: 1, max: i64::MAX },
            default: ParamDefault::Integer(1),
        },
        ParamSpec {
            name: "subsample",
            // gensim's default of 1e-3 is for natural language; with a dozen kinds of event every token is frequent, and
            // it would throw most of the training data away.
            summary: "share of all tokens above which a token is thinned out; 0 switches it off",
            kind: ParamKind::Number { min: 0.0, max: 1.0 },
            default: ParamDefault::Number(0.0),
        },
        ParamSpec {
            name: "learning_rate",
            summary: "first step size; falls in a line to a ten-thousandth of it",
            kind: ParamKind::Number { min: 1e-9, max: 10.0 },
            default: ParamDefault::Number(0.025),
        },
        ParamSpec {
            name: "workers",
            summary: "train in this many shards of samples, merged in a fixed order; the result depends on the number, but \
                      not on the threads that run them, at most --threads",
            kind: ParamKind::Integer { min: 1, max: 256 },
            default: ParamDefault::Integer(1),
        },
        ParamSpec {
            name: "hogwild",
            summary: "let the workers share one table without locks: NOT REPRODUCIBLE, every run gives other vectors",
            kind: ParamKind::Flag,
            default: ParamDefault::Flag(false),
        },
        POOLING,
        SIF_A,
    ],
};

/// Makes the encoder.
pub(crate) fn build(params: &Params, _assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    let architecture = if params.text("architecture") == "cbow" { Architecture::Cbow } else { Architecture::SkipGram };
    let (workers, hogwild) = (params.size("workers"), params.flag("hogwild"));
    if hogwild && workers == 1 {
        return Err(BuildError(
            "word2vec: hogwild = true needs workers of 2 or more; one worker has nothing to share".to_owned(),
        ));
    }
    Ok(Box::new(Word2Vec {
        settings: Settings {
            architecture,
            dim: params.size("dim"),
            window: params.size("window"),
            negative: params.size("negative"),
            epochs: params.size("epochs"),
            subsample: params.number("subsample"),
            learning_rate: params.number("learning_rate"),
            workers,
            hogwild,
        },
        min_count: params.size("min_count"),
        pooling: Pooling::of(params),
    }))
}

struct Word2Vec {
    settings: Settings,
    min_count: usize,
    pooling: Pooling,
}

impl Encoder for Word2Vec {
    fn scope(&self) -> Scope {
        Scope::PerFold
    }

    fn fit<'a>(&'a self, rows: SequenceView<'_>, ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        let Settings { dim, subsample, hogwild, .. } = self.settings;
        let corpus = Corpus::learn(rows, self.min_count)?;
        let trained = train(&self.settings, &corpus.sequences, &corpus.frequencies, ctx)?;
        let kept = kept_share(&corpus.frequencies, subsample);
        let mut warnings = Vec::new();
        if trained.n_steps == 0 {
            warnings.push(
                "word2vec learnt nothing: no training sample kept two known tokens; its vectors are random".to_owned(),
            );
        }
        if kept < FEW_KEPT {
            warnings.push(format!(
                "subsample = {subsample:?} keeps {:.1} % of the training tokens, as every token of a small vocabulary is \
                 frequent; set subsample = 0 to train on all",
                100.0 * kept
            ));
        }
        if hogwild {
            warnings.push("hogwild = true: these vectors are not reproducible, another run gives others".to_owned());
        }
        Ok(Box::new(TokenVectors::new(corpus, trained.vectors, dim, self.pooling, warnings, ctx)?))
    }
}
