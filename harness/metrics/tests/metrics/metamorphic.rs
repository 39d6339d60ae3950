//! Relations between scores of changed inputs, over random partitions.

use trailmark_core::contract::{Distance, MetricInput, Points};
use trailmark_core::{Labels, Matrix, Score, Stream};
use trailmark_kit::close;
use trailmark_metrics::registry;

const DISTANCES: [Distance; 3] = [Distance::Euclidean, Distance::SquaredEuclidean, Distance::Cosine];

struct World {
    x: Matrix<f64>,
    labels_true: Vec<Option<u32>>,
    labels_pred: Labels,
}

impl World {
    fn new(stream: &mut Stream) -> Self {
        let n = 4 + stream.below(90);
        let cols = 1 + stream.below(6);
        let (classes, clusters) = (1 + stream.below(5), 1 + stream.below(8));
        let x = (0..n * cols).map(|_| stream.normal() + 0.5).collect();
        let labels_true = (0..n).map(|_| (!stream.chance(0.1)).then(|| stream.below(classes) as u32)).collect();
        let labels_pred = (0..n).map(|_| (!stream.chance(0.1)).then(|| stream.below(clusters) as u32)).collect();
        Self { x: Matrix::from_vec(n, cols, x).unwrap(), labels_true, labels_pred: Labels(labels_pred) }
    }

    fn scores(&self, distance: Distance) -> Vec<(&'static str, Score)> {
        let input = MetricInput {
            labels_pred: &self.labels_pred,
            labels_true: Some(&self.labels_true),
            x: Some(Points::F64(&self.x)),
            distance,
        };
        registry().iter().map(|metric| (metric.spec().name, metric.score(&input))).collect()
    }

    fn map(&self, change: impl Fn(usize, f64) -> f64) -> Self {
        let cols = self.x.cols();
        let data = self.x.as_slice().iter().enumerate().map(|(at, &value)| change(at / cols, value)).collect();
        Self {
            x: Matrix::from_vec(self.x.rows(), cols, data).unwrap(),
            labels_true: self.labels_true.clone(),
            labels_pred: self.labels_pred.clone(),
        }
    }
}

fn worlds() -> impl Iterator<Item = (World, Stream)> {
    (0..60).map(|seed| {
        let mut stream = Stream::new(seed);
        (World::new(&mut stream), stream)
    })
}

#[track_caller]
fn assert_same(what: &str, name: &str, before: &Score, after: &Score) {
    match (before.number(), after.number()) {
        (Some(before), Some(after)) => {
            assert!(close(after, before, 1e-9, 1e-11), "{what} moved {name} from {before} to {after}");
        }
        _ => assert_eq!(before, after, "{what} moved {name}"),
    }
}

#[test]
fn renaming_clusters_and_classes_moves_no_bit() {
    for (world, mut stream) in worlds() {
        let mut names: Vec<u32> = (0..40).collect();
        stream.shuffle(&mut names);
        let rename = |labels: &[Option<u32>]| -> Vec<Option<u32>> {
            labels.iter().map(|label| label.map(|name| names[name as usize] * 1_000)).collect()
        };
        let renamed = World {
            x: world.x.clone(),
            labels_true: rename(&world.labels_true),
            labels_pred: Labels(rename(&world.labels_pred.0)),
        };
        for distance in DISTANCES {
            assert_eq!(world.scores(distance), renamed.scores(distance));
        }
    }
}

#[test]
fn shuffling_samples_moves_nothing() {
    for (world, mut stream) in worlds() {
        let mut order: Vec<usize> = (0..world.x.rows()).collect();
        stream.shuffle(&mut order);
        let shuffled = World {
            x: world.x.select_rows(&order),
            labels_true: order.iter().map(|&row| world.labels_true[row]).collect(),
            labels_pred: world.labels_pred.select(&order),
        };
        for distance in DISTANCES {
            for ((name, before), (_, after)) in world.scores(distance).iter().zip(shuffled.scores(distance)) {
                assert_same("shuffling", name, before, &after);
            }
        }
    }
}

#[test]
fn swapping_the_labellings_keeps_symmetric_scores_and_exchanges_the_others() {
    for (world, _) in worlds() {
        // Noise would count differently on the two sides: leave it out.
        let kept: Vec<usize> =
            (0..world.x.rows()).filter(|&row| world.labels_true[row].and(world.labels_pred.0[row]).is_some()).collect();
        let (a, b) = (Labels(world.labels_true).select(&kept), world.labels_pred.select(&kept));
        for (name, mirrored) in [
            ("adjusted_mutual_info_score", "adjusted_mutual_info_score"),
            ("adjusted_rand_score", "adjusted_rand_score"),
            ("completeness_score", "homogeneity_score"),
            ("fowlkes_mallows_score", "fowlkes_mallows_score"),
            ("hungarian_accuracy", "hungarian_accuracy"),
            ("normalized_mutual_info_score", "normalized_mutual_info_score"),
            ("pair_f1", "pair_f1"),
            ("pair_precision", "pair_recall"),
            ("rand_score", "rand_score"),
            ("v_measure_score", "v_measure_score"),
        ] {
            let (there, back) = (crate::external(name, &a.0, &b), crate::external(mirrored, &b.0, &a));
            assert_same("swapping", name, &there, &back);
        }
    }
}

#[test]
fn scaling_keeps_ratios_and_squares_the_inertia() {
    for (world, _) in worlds() {
        for factor in [1e-3, 7.0, 1e6] {
            let scaled = world.map(|_, value| value * factor);
            for distance in DISTANCES {
                for ((name, before), (_, after)) in world.scores(distance).iter().zip(scaled.scores(distance)) {
                    let power = match (*name, distance) {
                        ("inertia", _) | ("mean_intra_cluster_distance", Distance::SquaredEuclidean) => 2,
                        ("mean_intra_cluster_distance", Distance::Euclidean) => 1,
                        _ => 0,
                    };
                    let before =
                        before.number().map_or(before.clone(), |value| Score::value(value * f64::powi(factor, power)));
                    match (before.number(), after.number()) {
                        (Some(before), Some(after)) => {
                            assert!(
                                close(after, before, 1e-9, 0.0) || close(after, before, 0.0, 1e-11),
                                "scaling by {factor} moved {name} from {before} to {after}"
                            );
                        }
                        _ => assert_eq!(before, after, "scaling moved {name}"),
                    }
                }
            }
        }
    }
}

#[test]
fn translation_keeps_all_but_cosine_scores() {
    for (world, _) in worlds() {
        let moved = world.map(|_, value| value + 1024.0);
        for distance in [Distance::Euclidean, Distance::SquaredEuclidean] {
            for ((name, before), (_, after)) in world.scores(distance).iter().zip(moved.scores(distance)) {
                assert_same("translation", name, before, &after);
            }
        }
    }
}

#[test]
fn scaling_each_sample_by_its_own_factor_keeps_cosine_scores() {
    for (world, _) in worlds() {
        let stretched = world.map(|row, value| value * (1.0 + row as f64));
        for name in ["silhouette_score", "mean_intra_cluster_distance"] {
            let score =
                |world: &World| crate::internal(name, Points::F64(&world.x), &world.labels_pred, Distance::Cosine);
            assert_same("stretching", name, &score(&world), &score(&stretched));
        }
    }
}

#[test]
fn repeating_every_sample_keeps_scores_of_shares_and_multiplies_inertia() {
    for (world, _) in worlds() {
        let kept: Vec<usize> = (0..world.x.rows()).filter(|&row| world.labels_pred.0[row].is_some()).collect();
        let times = |times: usize| {
            let rows: Vec<usize> = kept.iter().flat_map(|&row| std::iter::repeat_n(row, times)).collect();
            World {
                x: world.x.select_rows(&rows),
                labels_true: rows.iter().map(|&row| world.labels_true[row]).collect(),
                labels_pred: world.labels_pred.select(&rows),
            }
        };
        let (once, thrice) = (times(1).scores(Distance::Euclidean), times(3).scores(Distance::Euclidean));
        for ((name, before), (_, after)) in once.iter().zip(&thrice) {
            let kept = ["completeness_score", "davies_bouldin_score", "homogeneity_score", "hungarian_accuracy"]
                .into_iter()
                .chain(["normalized_mutual_info_score", "purity_score", "v_measure_score"])
                .any(|kept| kept == *name);
            if kept && before.number().is_some() {
                assert_same("repeating", name, before, after);
            }
            if *name == "inertia" {
                assert_same("repeating", name, &Score::value(3.0 * before.number().unwrap()), after);
            }
        }
    }
}

#[test]
fn a_perfect_partition_scores_exactly_1_and_a_trivial_one_0_when_corrected_for_chance() {
    for (world, _) in worlds() {
        let kept: Vec<usize> = (0..world.x.rows()).filter(|&row| world.labels_true[row].is_some()).collect();
        let truth = Labels(world.labels_true).select(&kept);
        for metric in registry().into_iter().filter(|metric| !metric.internal()) {
            let name = metric.spec().name;
            let score = crate::external(name, &truth.0, &truth);
            assert!(score == Score::value(1.0) || score.reason() == "zero_denominator", "{name}: {score:?}");
        }
        if truth.n_clusters() > 1 && truth.n_clusters() < truth.len() {
            let n = u32::try_from(truth.len()).unwrap();
            for name in ["adjusted_rand_score", "adjusted_mutual_info_score"] {
                let one = crate::external(name, &truth.0, &Labels::from_ids((0..n).map(|_| 0)));
                let singletons = crate::external(name, &truth.0, &Labels::from_ids(0..n));
                assert_eq!((one, singletons), (Score::value(0.0), Score::value(0.0)), "{name}");
            }
        }
    }
}

#[test]
fn scores_corrected_for_chance_average_0_on_random_labels() {
    let mut stream = Stream::new(11);
    let truth: Vec<Option<u32>> = (0..120).map(|row| Some(if row < 70 { 0 } else { row as u32 % 4 })).collect();
    for name in ["adjusted_rand_score", "adjusted_mutual_info_score"] {
        let rounds = 400;
        let values: Vec<f64> = (0..rounds)
            .map(|_| {
                let mut shuffled = truth.clone();
                stream.shuffle(&mut shuffled);
                crate::external(name, &truth, &Labels(shuffled)).number().unwrap()
            })
            .collect();
        let mean = values.iter().sum::<f64>() / f64::from(rounds);
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / f64::from(rounds - 1);
        let error = (variance / f64::from(rounds)).sqrt();
        assert!(mean.abs() <= 3.0 * error, "{name}: mean {mean}, standard error {error}");
    }
}

#[test]
fn scoring_partitions_together_or_alone_gives_the_same_bits() {
    let mut stream = Stream::new(12);
    let n = 700;
    let x = Matrix::from_vec(n, 17, (0..n * 17).map(|_| stream.normal() as f32).collect()).unwrap();
    let other = x.clone();
    let partitions: Vec<Labels> = [1, 2, 3, 9, 60, 400]
        .into_iter()
        .map(|k| Labels((0..n).map(|_| (!stream.chance(0.05)).then(|| stream.below(k) as u32)).collect()))
        .collect();
    let inputs: Vec<MetricInput<'_>> = partitions
        .iter()
        .flat_map(|labels_pred| {
            [Some(Points::F32(&x)), None, Some(Points::F32(&other))].into_iter().flat_map(move |x| {
                DISTANCES.map(|distance| MetricInput { labels_pred, labels_true: None, x, distance })
            })
        })
        .collect();
    for name in ["silhouette_score", "mean_intra_cluster_distance"] {
        let together = crate::metric(name).score_all(&inputs);
        let alone: Vec<Score> = inputs.iter().map(|input| crate::metric(name).score(input)).collect();
        assert_eq!(together, alone, "{name}");
    }
}
