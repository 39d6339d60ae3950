//! A run as the store would give it: 2 encoders x 2 clusterers x n_clusters 2..6 and auto x 5 folds, a failed cell,
//! undefined scores, controls. Numbers come from a smooth formula with a small deterministic wobble.

use std::collections::BTreeMap;

use trailmark_core::{Failure, FailureClass, Key, Score, Undefined};
use trailmark_report::{RunView, SilhouetteSample};
use trailmark_store::record::{
    CellName, CellRecord, CellScores, Comparison, DatasetFacts, FORMAT_VERSION, Interval, MetricFacts, NClusters,
    Outcome, Pick, Role, RunManifest, ScoreRow, Split, TestResult, Timing, Verdict,
};

pub(crate) const FOLDS: usize = 5;
const ENCODERS: [(&str, &str); 2] = [("tfidf", "tfidf"), ("w2v", "word2vec")];
const CLUSTERERS: [(&str, &str); 2] = [("kmeans", "kmeans"), ("ward", "agglomerative")];

/// Between -1 and 1, the same for the same words.
fn wobble(parts: &[&str]) -> f64 {
    let key = Key::of_bytes(parts.join("/").as_bytes());
    (key.seed() >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0
}

fn row(split: Split, control: &str, metric: &str, score: Score) -> ScoreRow {
    let role = if control.is_empty() { Role::Arm } else { Role::Control };
    ScoreRow { split, role, control: control.to_owned(), metric: metric.to_owned(), score, n_users: None }
}

/// The users of a fold whose future is known: folds are not of one size.
pub(crate) fn n_users(fold: usize) -> usize {
    130 + 10 * fold
}

/// A mean over users says over how many.
fn over_users(mut rows: Vec<ScoreRow>, fold: usize) -> Vec<ScoreRow> {
    for row in rows.iter_mut().filter(|row| row.metric == "cluster_popularity/ndcg@10") {
        row.n_users = Some(n_users(fold));
    }
    rows
}

/// Rounded, so that goldens stay readable.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn scores(encoder: &str, clusterer: &str, k: usize, fold: usize) -> Vec<ScoreRow> {
    let fold_name = fold.to_string();
    let noise = |what: &str, size: f64| size * wobble(&[encoder, clusterer, &k.to_string(), &fold_name, what]);
    let peak = (k as f64 - 4.0).abs();
    let lift = if encoder == "w2v" { 0.16 } else { 0.0 } + if clusterer == "ward" { -0.03 } else { 0.0 };
    let ari = 0.62 + lift - 0.085 * peak + noise("ari", 0.02);
    let ami = 0.58 + lift - 0.06 * peak + noise("ami", 0.02);
    let ndcg = 0.213 + 0.25 * lift - 0.004 * peak + noise("ndcg", 0.006);
    let scale = if encoder == "w2v" { 210.0 } else { 18_400.0 };
    let inertia = scale * (0.35 + 1.3 / k as f64 + 0.05 * peak.min(1.0)) * (1.0 + noise("inertia", 0.02));
    let silhouette = if encoder == "w2v" { 0.34 } else { 0.11 } - 0.03 * peak + noise("silhouette", 0.012);
    let mut rows = vec![
        row(Split::Test, "", "adjusted_rand_score", Score::value(round(ari))),
        row(Split::Test, "", "adjusted_mutual_info_score", Score::value(round(ami))),
        row(Split::Test, "", "cluster_popularity/ndcg@10", Score::value(round(ndcg))),
        row(Split::Test, "random_labels", "adjusted_rand_score", Score::value(round(noise("random", 0.012)))),
        row(Split::Test, "random_labels", "adjusted_mutual_info_score", Score::value(round(noise("random2", 0.012)))),
        row(
            Split::Test,
            "random_labels",
            "cluster_popularity/ndcg@10",
            Score::value(round(0.19 + noise("random3", 0.004))),
        ),
        row(Split::Test, "", "silhouette_score", Score::value(round(silhouette - 0.02 + noise("test", 0.01)))),
        row(Split::Train, "", "silhouette_score", Score::value(round(silhouette + 0.01))),
    ];
    if clusterer == "kmeans" {
        rows.push(row(Split::Train, "", "inertia", Score::value(round(inertia))));
    } else {
        rows.push(row(Split::Train, "", "inertia", Score::value(round(inertia * 1.06))));
    }
    // One undefined fold: its arm has no bare mean at n_clusters = 6.
    if (encoder, clusterer, k, fold) == ("tfidf", "ward", 6, 3) {
        rows[6].score = Score::from(Undefined::OneCluster);
    }
    over_users(rows, fold)
}

fn cell(encoder: &str, clusterer: &str, n_clusters: NClusters, fold: usize) -> CellName {
    let (dataset, encoder, clusterer) = ("shop".to_owned(), encoder.to_owned(), clusterer.to_owned());
    CellName { dataset, encoder, clusterer, n_clusters, fold, repeat: 0 }
}

fn record(cell: CellName, outcome: Outcome) -> CellRecord {
    let arm = format!("{}/{}/{}", cell.encoder, cell.clusterer, cell.n_clusters);
    CellRecord {
        cell_id: Key::of_bytes(cell.to_string().as_bytes()),
        arm_id: Key::of_bytes(arm.as_bytes()),
        protocol_id: Key::of_bytes(b"protocol"),
        n_train: 640,
        n_test: 160,
        cell,
        outcome,
    }
}

fn ok(rows: Vec<ScoreRow>, picks: Vec<Pick>, warnings: Vec<String>) -> Outcome {
    Outcome::Ok(CellScores {
        rows,
        chosen_from: if picks.is_empty() { Vec::new() } else { vec![2, 3, 4, 5, 6] },
        picks,
        warnings,
        sizes_train: vec![320, 200, 120],
        sizes_test: vec![80, 50, 30],
        assignment: "nearest centroid".to_owned(),
        labels: Key::of_bytes(b"labels"),
        user_scores: Key::of_bytes(b"users"),
    })
}

fn pick(rule: &str, n_clusters: Option<usize>, strength: f64) -> Pick {
    Pick { rule: rule.to_owned(), n_clusters, strength: n_clusters.map(|_| strength) }
}

fn facts(higher_is_better: bool, internal: bool, per_user: bool, summary: &str) -> MetricFacts {
    MetricFacts { higher_is_better, internal, per_user, summary: summary.to_owned() }
}

fn manifest() -> RunManifest {
    let metrics = [
        (
            "adjusted_rand_score",
            facts(true, false, false, "Agreement of pairs with the reference, corrected for chance."),
        ),
        (
            "adjusted_mutual_info_score",
            facts(true, false, false, "Shared information with the reference, corrected for chance."),
        ),
        (
            "cluster_popularity/ndcg@10",
            facts(true, false, true, "Ranking quality of items popular in the user's cluster."),
        ),
        ("silhouette_score", facts(true, true, true, "Mean silhouette over users.")),
        ("inertia", facts(false, true, false, "Sum of squared distances to the own centre.")),
    ];
    let dataset = DatasetFacts {
        protocol_id: Key::of_bytes(b"protocol"),
        protocol: BTreeMap::from([
            ("data".to_owned(), Key::of_bytes(b"data").to_string()),
            ("metrics".to_owned(), Key::of_bytes(b"metrics").to_string()),
            ("split".to_owned(), Key::of_bytes(b"split").to_string()),
        ]),
        synthetic: true,
        n_samples: 800,
        n_users: 800,
        n_items: 240,
        labels: BTreeMap::from([("persona".to_owned(), 4)]),
        accounting: vec![
            "rows read: 48212".to_owned(),
            "rows dropped, missing value: 37".to_owned(),
            "sequences left out, fewer than 3 events: 12".to_owned(),
        ],
    };
    let names = |list: [(&str, &str); 2]| list.map(|(id, kind)| (id.to_owned(), kind.to_owned())).to_vec();
    RunManifest {
        format: FORMAT_VERSION,
        tool: "trailmark 0.1.0".to_owned(),
        suite: "quickstart".to_owned(),
        suite_hash: Key::of_bytes(b"suite"),
        overrides: vec!["dataset.shop.users=800".to_owned()],
        question: Some("Do learnt embeddings find shopper groups that <event> counts miss?".to_owned()),
        primary: "adjusted_rand_score".to_owned(),
        pick_rule: "silhouette".to_owned(),
        n_clusters: vec![2, 3, 4, 5, 6],
        folds: FOLDS,
        repeats: 1,
        encoders: names(ENCODERS),
        clusterers: names(CLUSTERERS),
        encoder_keys: ENCODERS.iter().map(|(id, _)| ((*id).to_owned(), Key::of_bytes(id.as_bytes()))).collect(),
        store: "artifacts".to_owned(),
        n_cells: 125,
        datasets: BTreeMap::from([("shop".to_owned(), dataset)]),
        metrics: metrics.into_iter().map(|(name, facts)| (name.to_owned(), facts)).collect(),
        host: "linux x86_64".to_owned(),
        threads: 2,
        libraries: BTreeMap::from([("kodama".to_owned(), "0.3.0".to_owned())]),
        vcs_commit: Some("227551b0c0ffee00c0ffee00c0ffee00c0ffee00".to_owned()),
        vcs_dirty: Some(false),
    }
}

fn comparison(varies: &str, (a, b): (&str, &str), shared: &str, numbers: (f64, f64, f64, f64), p: f64) -> Comparison {
    let (mean_a, mean_b, low, high) = numbers;
    let claim = low > 0.0 || high < 0.0;
    let family = if varies == "encoder" { 2 } else { 1 };
    let p_adjusted = (p * family as f64).min(1.0);
    Comparison {
        dataset: "shop".to_owned(),
        varies: varies.to_owned(),
        a: a.to_owned(),
        b: b.to_owned(),
        shared: shared.to_owned(),
        metric: "adjusted_rand_score".to_owned(),
        mean_a: Some(mean_a),
        mean_b: Some(mean_b),
        difference: Some(mean_b - mean_a),
        interval: Some(Interval { low, high, level: 0.95, method: "corrected resampled t".to_owned() }),
        tests: vec![
            TestResult {
                test: "wilcoxon".to_owned(),
                n_blocks: FOLDS,
                p: None,
                effect: None,
                refused: Some("5 blocks cannot reach 0.05".to_owned()),
            },
            TestResult {
                test: "corrected_resampled_t".to_owned(),
                n_blocks: FOLDS,
                p: Some(p),
                effect: Some(("dz".to_owned(), (mean_b - mean_a) / 0.02)),
                refused: None,
            },
        ],
        p_adjusted: Some(p_adjusted),
        family,
        alpha: 0.05,
        verdict: match (claim, mean_b > mean_a) {
            (true, true) => Verdict::BetterB,
            (true, false) => Verdict::BetterA,
            (false, _) => Verdict::NoDifferenceShown,
        },
        note: (!claim).then(|| format!("adjusted p {p_adjusted:.4} is not below 0.05")),
    }
}

/// Silhouettes with four blades of unlike size, some users below zero.
fn silhouettes() -> Vec<SilhouetteSample> {
    let arms = [("tfidf", "kmeans", 0.12), ("w2v", "kmeans", 0.42)];
    arms.map(|(encoder, clusterer, level)| SilhouetteSample {
        dataset: "shop".to_owned(),
        encoder: encoder.to_owned(),
        clusterer: clusterer.to_owned(),
        n_clusters: 4,
        fold: 0,
        values: (0..160u32)
            .map(|user| {
                let cluster = if user < 70 { 0 } else { 1 + user % 3 };
                (cluster, round(level + 0.25 * wobble(&[encoder, &user.to_string()]) - 0.05 * f64::from(cluster)))
            })
            .collect(),
    })
    .to_vec()
}

/// The run.
pub(crate) fn run() -> RunView {
    let mut records = Vec::new();
    for fold in 0..FOLDS {
        let shared = vec![
            row(Split::Test, "one_cluster", "adjusted_rand_score", Score::value(0.0)),
            row(Split::Test, "one_cluster", "adjusted_mutual_info_score", Score::value(0.0)),
            row(
                Split::Test,
                "one_cluster",
                "cluster_popularity/ndcg@10",
                Score::value(round(0.195 + 0.004 * wobble(&["g", &fold.to_string()]))),
            ),
            row(Split::Test, "one_cluster", "silhouette_score", Score::from(Undefined::OneCluster)),
        ];
        records.push(record(
            cell("none", "one_cluster", NClusters::Fixed(1), fold),
            ok(over_users(shared, fold), Vec::new(), Vec::new()),
        ));
        for (encoder, _) in ENCODERS {
            for (clusterer, _) in CLUSTERERS {
                for k in 2..=6 {
                    let name = cell(encoder, clusterer, NClusters::Fixed(k), fold);
                    // One failed cell: its arm has no bare mean at n_clusters = 3.
                    let outcome = if (encoder, clusterer, k, fold) == ("w2v", "ward", 3, 2) {
                        let mut failure = Failure::new(
                            FailureClass::Oom,
                            "a condensed matrix of 640 users needs 1.6 MB, 1 MB is declared",
                        );
                        failure.chain.push("raise [limits] memory".to_owned());
                        Outcome::Failed(failure)
                    } else {
                        let warnings = if clusterer == "kmeans" && k == 6 && fold < 2 {
                            vec!["did not converge in 300 iterations".to_owned()]
                        } else {
                            Vec::new()
                        };
                        ok(scores(encoder, clusterer, k, fold), Vec::new(), warnings)
                    };
                    records.push(record(name, outcome));
                }
                let k = if (encoder, fold) == ("tfidf", 1) { 3 } else { 4 };
                let elbow = if fold == 4 { None } else { Some(3 + fold % 2) };
                let picks = vec![pick("silhouette", Some(k), 0.31), pick("elbow", elbow, 0.22)];
                let outcome = ok(scores(encoder, clusterer, k, fold), picks, Vec::new());
                records.push(record(cell(encoder, clusterer, NClusters::Auto, fold), outcome));
            }
        }
    }
    records.sort_by(|a, b| a.cell.cmp(&b.cell));
    let timing = |what: &str, stage: &str, wall_s: f64| Timing {
        what: what.to_owned(),
        stage: stage.to_owned(),
        wall_s,
        cpu_s: None,
        peak_rss_bytes: None,
    };
    RunView {
        manifest: manifest(),
        records,
        comparisons: vec![
            comparison("encoder", ("tfidf", "w2v"), "kmeans", (0.603, 0.781, 0.131, 0.225), 0.000_4),
            comparison("encoder", ("tfidf", "w2v"), "ward", (0.571, 0.752, 0.118, 0.244), 0.001_9),
            comparison("clusterer", ("kmeans", "ward"), "w2v", (0.781, 0.752, -0.071, 0.013), 0.13),
        ],
        silhouettes: silhouettes(),
        timings: vec![
            timing("shop/tfidf/fold=0/rep=0", "encode", 0.21),
            timing("shop/tfidf/fold=1/rep=0", "encode", 0.19),
            timing("shop/w2v/fold=0/rep=0", "encode", 2.4),
            timing("shop/w2v/kmeans/k=4/fold=0/rep=0", "fit", 0.034),
            timing("shop/w2v/kmeans/k=5/fold=0/rep=0", "fit", 0.041),
        ],
        resolved_suite: "schema = 1\n\n[suite]\nname = \"quickstart\"\nquestion = \"a <b> & c?\"\n".to_owned(),
    }
}
