//! Values worked out by hand or published, and the degenerate inputs that reference implementations answer with a
//! stand-in number.

use trailmark_core::contract::{Distance, MetricInput, Points};
use trailmark_core::{Labels, Matrix, Undefined};
use trailmark_kit::close;

const SEVEN: [u32; 7] = [0, 0, 1, 1, 2, 2, 2];

fn assert_external(labels_pred: &[u32], expected: &[(&str, f64)]) {
    let labels_true: Vec<Option<u32>> = SEVEN.iter().copied().map(Some).collect();
    for &(name, expected) in expected {
        let score = crate::external(name, &labels_true, &Labels::from_ids(labels_pred.iter().copied()));
        let value = score.number().unwrap_or_else(|| panic!("{name}: {score:?}"));
        assert!(close(value, expected, 1e-9, 1e-11), "{name} of {labels_pred:?}: got {value}, expected {expected}");
    }
}

fn assert_undefined(name: &str, rows: &[Vec<f64>], labels: &[u32], distance: Distance, reason: &str) {
    let x = Matrix::from_rows(rows).unwrap();
    let score = crate::internal(name, Points::F64(&x), &Labels::from_ids(labels.iter().copied()), distance);
    assert_eq!((score.status(), score.reason().as_str()), ("undefined", reason), "{name} of {rows:?}");
}

#[test]
fn seven_samples_have_their_published_external_scores() {
    assert_external(
        &[0, 0, 1, 2, 2, 2, 1],
        &[
            ("rand_score", 0.714285714286),
            ("adjusted_rand_score", 0.2125),
            ("normalized_mutual_info_score", 0.563635553099),
            ("adjusted_mutual_info_score", 0.258151141470),
            ("v_measure_score", 0.563635553099),
            ("fowlkes_mallows_score", 0.4),
            ("purity_score", 0.714285714286),
            ("hungarian_accuracy", 0.714285714286),
        ],
    );
    assert_external(
        &[0; 7],
        &[
            ("adjusted_rand_score", 0.0),
            ("adjusted_mutual_info_score", 0.0),
            ("normalized_mutual_info_score", 0.0),
            ("v_measure_score", 0.0),
            ("fowlkes_mallows_score", 0.487950036474),
            ("purity_score", 0.428571428571),
        ],
    );
    assert_external(
        &[0, 1, 2, 3, 4, 5, 6],
        &[
            ("adjusted_rand_score", 0.0),
            ("adjusted_mutual_info_score", 0.0),
            ("normalized_mutual_info_score", 0.713406305764),
            ("v_measure_score", 0.713406305764),
            ("purity_score", 1.0),
        ],
    );
}

#[test]
fn five_points_have_their_published_internal_scores() {
    let rows = [[0.0, 0.0], [0.0, 1.0], [4.0, 0.0], [4.0, 2.0], [10.0, 0.0]];
    let x = Matrix::from_rows(&rows).unwrap();
    let labels = Labels::from_ids([0, 0, 1, 1, 2]);
    for (name, expected) in [
        ("silhouette_score", 0.512720024497),
        ("calinski_harabasz_score", 27.16),
        ("davies_bouldin_score", 0.302869131614),
        ("inertia", 2.5),
        ("mean_intra_cluster_distance", 1.5),
    ] {
        let value = crate::internal(name, Points::F64(&x), &labels, Distance::Euclidean).number().unwrap();
        assert!(close(value, expected, 1e-9, 0.0), "{name}: got {value}, expected {expected}");
    }
    let samples = trailmark_metrics::silhouette_samples(Points::F64(&x), &labels, Distance::Euclidean).unwrap();
    let expected = [0.763932022500, 0.757464374964, 0.507577497529, 0.534626227491, 0.0];
    for (got, expected) in samples.iter().zip(expected) {
        assert!(close(*got, expected, 1e-9, 0.0), "got {samples:?}");
    }
}

#[test]
fn degenerate_vectors_are_undefined_with_a_reason_and_never_a_number() {
    let pairs = [vec![0.0, 0.0], vec![0.0, 0.0], vec![5.0, 5.0], vec![5.0, 5.0]];
    let same_centres = [vec![-1.0], vec![1.0], vec![-1.0], vec![1.0]];
    let split = [0, 0, 1, 1];
    assert_undefined("calinski_harabasz_score", &pairs, &split, Distance::Euclidean, "zero_dispersion");
    assert_undefined("davies_bouldin_score", &pairs, &split, Distance::Euclidean, "zero_dispersion");
    assert_undefined("davies_bouldin_score", &same_centres, &split, Distance::Euclidean, "coincident_centroids");
    assert_undefined("silhouette_score", &pairs, &split, Distance::Cosine, "zero_vector");
    assert_undefined("mean_intra_cluster_distance", &pairs, &split, Distance::Cosine, "zero_vector");
    for name in ["silhouette_score", "calinski_harabasz_score", "davies_bouldin_score"] {
        assert_undefined(name, &pairs, &[0; 4], Distance::Euclidean, "one_cluster");
        assert_undefined(name, &pairs, &[0, 1, 2, 3], Distance::Euclidean, "all_singletons");
    }
}

#[test]
fn a_common_offset_of_1e8_costs_no_precision() {
    let rows = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [5.0, 5.0], [6.0, 5.0], [5.0, 6.0]];
    let x = Matrix::from_rows(&rows.map(|row| row.map(|value| value + 1e8))).unwrap();
    let labels = Labels::from_ids([0, 0, 0, 1, 1, 1]);
    let value = crate::internal("silhouette_score", Points::F64(&x), &labels, Distance::Euclidean).number().unwrap();
    assert!(close(value, 0.839816331259, 1e-11, 0.0), "got {value}");
}

#[test]
fn what_a_metric_needs_and_lacks_is_a_reason() {
    let labels = Labels::from_ids([0, 1]);
    for metric in trailmark_metrics::registry() {
        let input = MetricInput { labels_pred: &labels, labels_true: None, x: None, distance: Distance::Euclidean };
        let expected = if metric.internal() { Undefined::NotApplicable } else { Undefined::NoTruth };
        assert_eq!(metric.score(&input).reason(), expected.name(), "{}", metric.spec().name);
    }
}
