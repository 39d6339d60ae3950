//! A small catalogue of fakes: names, parameters and needs like the real ones, and nothing behind them.

use std::path::Path;
use std::sync::LazyLock;

use trailmark_core::catalogue::{BuildError, ClustererEntry, EncoderEntry, FusionEntry, PostEntry};
use trailmark_core::contract::{Metric, MetricInput, NumberOfClusters, Ranker, RecommendTrain, Recommender};
use trailmark_core::spec::{Direction, Needs, ParamDefault};
use trailmark_core::{Catalogue, Cost, ParamKind, ParamSpec, Score, Spec, Undefined};
use trailmark_suite::{CheckContext, Diagnostics, Suite};

const fn spec(name: &'static str, params: &'static [ParamSpec]) -> Spec {
    Spec { name, summary: "A fake.", reference: "none", revision: 1, cost: Cost { time: "", memory: "" }, params }
}

const fn param(name: &'static str, kind: ParamKind, default: ParamDefault, summary: &'static str) -> ParamSpec {
    ParamSpec { name, summary, kind, default }
}

static SYNTHETIC: Spec = spec(
    "synthetic",
    &[
        param("users", ParamKind::Integer { min: 10, max: 1_000_000 }, ParamDefault::Integer(800), "number of users"),
        param(
            "separation",
            ParamKind::Number { min: 0.0, max: 4.0 },
            ParamDefault::Number(1.0),
            "how far the groups differ; 0 plants none",
        ),
        param("order_only", ParamKind::Flag, ParamDefault::Flag(false), "groups differ only in the order of events"),
        param("language", ParamKind::Choice(&["en", "zh"]), ParamDefault::Text("en"), "language of texts"),
    ],
);

static PRECOMPUTED: Spec =
    spec("precomputed", &[param("path", ParamKind::Text, ParamDefault::Required, "vectors with user ids")]);
static TFIDF: Spec = spec(
    "tfidf",
    &[
        param("ngram_max", ParamKind::Integer { min: 1, max: 5 }, ParamDefault::Integer(1), "longest event n-gram"),
        param("svd", ParamKind::Integer { min: 2, max: 1024 }, ParamDefault::Absent, "dimensions kept; left out, all"),
    ],
);
static WORD2VEC: Spec = spec(
    "word2vec",
    &[
        param("dim", ParamKind::Integer { min: 1, max: 4096 }, ParamDefault::Integer(64), "length of the vectors"),
        param(
            "learning_rate",
            ParamKind::Number { min: 0.0, max: 1.0 },
            ParamDefault::Number(0.025),
            "first learning rate",
        ),
    ],
);

static AGGLOMERATIVE: Spec = spec(
    "agglomerative",
    &[param(
        "linkage",
        ParamKind::Choice(&["ward", "average", "complete", "single"]),
        ParamDefault::Text("ward"),
        "distance between clusters",
    )],
);
static CONCATENATION: Spec = spec("concatenation", &[]);

static WEIGHTED_SUM: Spec = spec(
    "weighted_sum",
    &[param("alpha", ParamKind::Number { min: 0.0, max: 1.0 }, ParamDefault::Number(0.5), "weight of the first part")],
);

static DBSCAN: Spec = spec(
    "dbscan",
    &[param("min_samples", ParamKind::Integer { min: 1, max: 10_000 }, ParamDefault::Integer(5), "dense enough")],
);

static KMEANS: Spec = spec(
    "kmeans",
    &[
        param("n_init", ParamKind::Integer { min: 1, max: 10_000 }, ParamDefault::Integer(10), "random starts"),
        param(
            "tol",
            ParamKind::Number { min: 0.0, max: f64::INFINITY },
            ParamDefault::Number(1e-4),
            "movement of centres that counts as none",
        ),
    ],
);

static CENTER: Spec = spec("center", &[]);
static L2: Spec = spec("l2", &[]);
static PCA: Spec = spec(
    "pca",
    &[
        param(
            "n_components",
            ParamKind::Integer { min: 1, max: i64::MAX },
            ParamDefault::Integer(50),
            "components kept; all where there are fewer",
        ),
        param("shrinkage", ParamKind::Number { min: 0.0, max: 1.0 }, ParamDefault::Absent, "left out, it is estimated"),
    ],
);

struct FakeMetric {
    spec: Spec,
    needs: Needs,
    direction: Direction,
}

impl Metric for FakeMetric {
    fn spec(&self) -> &'static Spec {
        METRICS
            .iter()
            .map(|metric| &metric.spec)
            .find(|spec| spec.name == self.spec.name)
            .expect("every fake is in METRICS")
    }

    fn needs(&self) -> Needs {
        self.needs
    }

    fn direction(&self) -> Direction {
        self.direction
    }

    fn score(&self, _: &MetricInput<'_>) -> Score {
        Score::Undefined { reason: Undefined::NotApplicable }
    }
}

const fn external(name: &'static str) -> FakeMetric {
    let needs = Needs { embeddings: false, labels_true: true };
    FakeMetric { spec: spec(name, &[]), needs, direction: Direction::Higher }
}

const fn internal(name: &'static str, direction: Direction) -> FakeMetric {
    FakeMetric { spec: spec(name, &[]), needs: Needs { embeddings: true, labels_true: false }, direction }
}

static METRICS: [FakeMetric; 4] = [
    external("adjusted_mutual_info_score"),
    external("adjusted_rand_score"),
    internal("davies_bouldin_score", Direction::Lower),
    internal("silhouette_score", Direction::Higher),
];

struct FakeRecommender;

static CLUSTER_POPULARITY: Spec = spec("cluster_popularity", &[]);

impl Recommender for FakeRecommender {
    fn spec(&self) -> &'static Spec {
        &CLUSTER_POPULARITY
    }

    fn fit(&self, _: &RecommendTrain<'_>) -> Box<dyn Ranker> {
        struct Nothing;
        impl Ranker for Nothing {
            fn rank(&self, _: Option<u32>, _: &[u32], _: usize) -> Vec<u32> {
                Vec::new()
            }
        }
        Box::new(Nothing)
    }
}

static NDCG: Spec = spec("ndcg", &[]);
static RECALL: Spec = spec("recall", &[]);

fn none<T>() -> Result<T, BuildError> {
    Err(BuildError("a fake cannot be built".to_owned()))
}

pub(crate) static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue {
    encoders: [&PRECOMPUTED, &TFIDF, &WORD2VEC].map(|spec| EncoderEntry { spec, build: |_, _| none() }).to_vec(),
    fusions: [(&CONCATENATION, None), (&WEIGHTED_SUM, Some(2))]
        .map(|(spec, max_parts)| FusionEntry { spec, max_parts, build: |_| none() })
        .to_vec(),
    clusterers: [
        (&AGGLOMERATIVE, NumberOfClusters::Asked),
        (&DBSCAN, NumberOfClusters::Found),
        (&KMEANS, NumberOfClusters::Asked),
    ]
    .map(|(spec, n_clusters)| ClustererEntry { spec, n_clusters, build: |_| none() })
    .to_vec(),
    posts: [&CENTER, &L2, &PCA].map(|spec| PostEntry { spec, build: |_| panic!("a fake cannot be built") }).to_vec(),
    metrics: METRICS.iter().map(|metric| metric as &'static dyn Metric).collect(),
    recommenders: vec![&FakeRecommender],
    ranking_metrics: vec![&NDCG, &RECALL],
    synthetic: Some(&SYNTHETIC),
    datasets: vec!["eshop-2008".to_owned(), "ml-100k".to_owned()],
});

pub(crate) fn context() -> CheckContext<'static> {
    const PLACEHOLDERS: &[&str] = &["category", "event", "gap", "item", "price_band", "query", "title"];
    CheckContext { catalogue: &CATALOGUE, placeholders: PLACEHOLDERS }
}

pub(crate) fn parse(text: &str, overrides: &[&str]) -> Result<Suite, Diagnostics> {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    trailmark_suite::parse(text, "suite.toml", Path::new(""), &overrides, &context())
}

/// A suite that must be valid.
#[track_caller]
pub(crate) fn valid(text: &str, overrides: &[&str]) -> Suite {
    parse(text, overrides).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// A suite that uses most of the format.
pub(crate) const WIDE: &str = r#"
schema = 1

[suite]
name = "wide"
seed = 7
question = "Does \"wide\" hold? C:\\ 是"

[[dataset]]
id = "shop"
source = "synthetic"
users = 300
separation = 2
labels = ["persona", "city"]

[[dataset]]
id = "log"
source = "data/clicks.tsv.gz"
max_dropped = 0.5
sample_users = 100

[dataset.columns]
names = ["u", "s", "t", "what", "sex", "age"]
user = "u"
session = "s"
time = { column = "t", format = "unix_ms" }
event = "what"
label_columns = { sex = "sex", "age group" = "age" }
rename = { sex = { "1" = "f", "2" = "m" } }

[[dataset]]
id = "films"
source = "ml-100k"
labels = ["gender"]

[[dataset]]
id = "atomic"
source = "data/x/x.inter"
labels = ["gender"]

[sequence]
unit = "session"
gap = "30m"
form = { text = "{event} a \"{title}\"" }
price_bands = [5, 7.5]

[split]
folds = 3
repeats = 2
future = { after = 2017-12-01 }

[[encoder]]
id = "bag"
kind = "tfidf"

[[encoder]]
id = "w2v"
kind = "word2vec"
learning_rate = 1
post = ["center", { kind = "pca", n_components = 20, shrinkage = 0 }, "l2"]

[[clusterer]]
id = "kmeans"
kind = "kmeans"
tol = 0

[[clusterer]]
id = "ward"
kind = "agglomerative"

[sweep]
n_clusters = { from = 2, to = 8, step = 3 }
pick = "elbow"

[score]
primary = "cluster_popularity/ndcg@5"
distance = "cosine"
recommend = { at = [10, 5], exclude_seen = true }

[[compare]]
arms = "encoder"

[[compare]]
arms = "clusterer"
metric = "silhouette_score"
alpha = 0.01

[[gate]]
margin = 0.02

[[gate]]
metric = "adjusted_rand_score[city]"
rule = "exact"
select = "^shop/.*/k=8"
"#;
