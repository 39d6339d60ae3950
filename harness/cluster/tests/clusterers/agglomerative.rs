//! Agglomerative clustering: rules for new rows, limits, what is shared, what is refused.

use trailmark_core::contract::{Context, Distance, ModelValue, Partition, Points};
use trailmark_core::spec::ParamValue;
use trailmark_core::{Failure, FailureClass, Labels, Matrix, Pairs, Params, Space};

use crate::{CTX, entry, failure, fit, groups, make, points};

const LINKAGES: [&str; 7] = ["ward", "average", "complete", "single", "weighted", "centroid", "median"];

fn text(name: &'static str, word: &str) -> (&'static str, ParamValue) {
    (name, ParamValue::Text(word.to_owned()))
}

fn linkage(word: &str) -> [(&'static str, ParamValue); 1] {
    [text("linkage", word)]
}

fn labels(fits: Vec<Result<Box<dyn Partition>, Failure>>) -> Vec<Labels> {
    fits.into_iter().map(|fit| fit.unwrap().labels().clone()).collect()
}

fn euclidean(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>().sqrt()
}

/// Distances of the rows of one matrix to those of another.
fn table(of: &Matrix<f32>, to: &Matrix<f32>) -> Matrix<f64> {
    let rows: Vec<Vec<f64>> = of.iter_rows().map(|a| to.iter_rows().map(|b| euclidean(a, b)).collect()).collect();
    Matrix::from_rows(&rows).unwrap()
}

#[test]
fn each_linkage_assigns_by_its_own_notion_of_near() {
    // A long cluster 0..10 and a pair at 14, 15.
    let x: Vec<Vec<f32>> = (0..=10).map(|i| vec![i as f32]).chain([vec![14.0], vec![15.0]]).collect();
    let x = Matrix::from_rows(&x).unwrap();
    let new = Matrix::from_rows(&[vec![11.9_f32], vec![11.0]]).unwrap();
    for (word, expected, rule) in [
        ("single", [0, 0], "nearest member"),
        ("average", [1, 1], "least mean distance to members"),
        ("complete", [1, 1], "least distance to farthest member"),
        ("ward", [1, 1], "nearest centroid"),
        ("centroid", [1, 1], "nearest centroid"),
    ] {
        // Of single linkage's tree the cut into two is the long cluster and the pair; other linkages cut elsewhere,
        // and the new rows lie on the pair's side of it.
        let partition = fit(&*make("agglomerative", &linkage(word)), &x, 2).unwrap();
        assert_eq!(partition.assignment_rule(), rule);
        assert_eq!(
            partition.assign((&new).into()).unwrap(),
            Labels::from_ids(expected),
            "{word}: {:?}",
            partition.labels()
        );
    }
}

#[test]
fn weighted_and_median_linkage_let_both_parts_of_a_merge_weigh_the_same() {
    // One cluster of three at 0 and one at 4, another at 20 and 21: the first one's mean is at 1, its midpoint at 2.
    let x = Matrix::from_rows(&[[0.0_f32], [0.0], [0.0], [4.0], [20.0], [21.0]]).unwrap();
    // The mean of the six-fold distances meets that of the pair at different places.
    for (word, rule, to_first) in [
        ("median", "nearest midpoint centre", 11.2),
        ("weighted", "least mean distance to members, each part of a merge weighing the same", 11.2),
    ] {
        let partition = fit(&*make("agglomerative", &linkage(word)), &x, 2).unwrap();
        assert_eq!(partition.labels(), &Labels::from_ids([0, 0, 0, 0, 1, 1]), "{word}");
        assert_eq!(partition.assignment_rule(), rule);
        // Halfway between 2 and 20.5 is 11.25, between the mean 1 and 20.5 it would be 10.75.
        let new = Matrix::from_rows(&[[to_first], [11.3_f32]]).unwrap();
        assert_eq!(partition.assign((&new).into()).unwrap(), Labels::from_ids([0, 1]), "{word}");
    }
    for word in ["centroid", "average"] {
        let partition = fit(&*make("agglomerative", &linkage(word)), &x, 2).unwrap();
        let new = Matrix::from_rows(&[[10.7_f32], [10.8]]).unwrap();
        assert_eq!(partition.assign((&new).into()).unwrap(), Labels::from_ids([0, 1]), "{word}");
    }
}

#[test]
fn clusters_are_named_by_first_appearance_and_all_of_them_are_there() {
    let x = groups(90, 30, 3, 2);
    for word in LINKAGES {
        for partition in
            make("agglomerative", &linkage(word)).fit_sweep(&Space::of(&x), &points(&[1, 2, 3, 10, 90]), &CTX)
        {
            let partition = partition.unwrap();
            assert_eq!(partition.labels(), &partition.labels().canonical(), "{word}");
            assert!(partition.inertia().is_some(), "{word}");
        }
        let all = make("agglomerative", &linkage(word)).fit_sweep(&Space::of(&x), &points(&[1, 10, 90]), &CTX);
        let counts: Vec<usize> = labels(all).iter().map(Labels::n_clusters).collect();
        assert_eq!(counts, [1, 10, 90], "{word}");
    }
}

#[test]
fn training_rows_of_separated_groups_are_assigned_where_they_are() {
    let x = groups(60, 5, 4, 3);
    for metric in ["euclidean", "cosine"] {
        for word in
            LINKAGES.into_iter().filter(|word| metric == "euclidean" || !["ward", "centroid", "median"].contains(word))
        {
            let partition =
                fit(&*make("agglomerative", &[text("linkage", word), text("metric", metric)]), &x, 4).unwrap();
            assert_eq!(&partition.assign((&x).into()).unwrap(), partition.labels(), "{word}, {metric}");
        }
    }
}

#[test]
fn permuted_rows_get_permuted_labels() {
    let x = groups(80, 20, 5, 4);
    let order: Vec<usize> = (0..80).map(|i| (i * 37 + 11) % 80).collect();
    let y = x.select_rows(&order);
    for word in LINKAGES {
        let clusterer = make("agglomerative", &linkage(word));
        let ours = fit(&*clusterer, &x, 7).unwrap().labels().select(&order).canonical();
        assert_eq!(ours, fit(&*clusterer, &y, 7).unwrap().labels().canonical(), "{word}");
    }
}

#[test]
fn threads_and_shared_distances_move_no_bit_and_spare_the_pass() {
    let x = groups(300, 20, 5, 5);
    for (metric, distance) in [("euclidean", Distance::Euclidean), ("cosine", Distance::Cosine)] {
        let first = make("agglomerative", &[text("linkage", "average"), text("metric", metric)]);
        let second = make("agglomerative", &[text("linkage", "single"), text("metric", metric)]);
        let need = first.pair_needs(300, 20, &CTX);
        assert_eq!(need, second.pair_needs(300, 20, &CTX), "linkages share one table");
        assert_eq!((need[0].distance, need[0].condensed, need.len()), (distance, true, 1));
        let pairs = [trailmark_geometry::gather((&x).into(), &need[0], 1).unwrap()];
        for clusterer in [first, second] {
            let sweep = points(&[2, 5, 17]);
            let alone = labels(clusterer.fit_sweep(&Space::of(&x), &sweep, &CTX));
            let threads = labels(clusterer.fit_sweep(&Space::of(&x), &sweep, &Context { threads: 2, ..CTX }));
            assert_eq!(alone, threads, "{metric}, two threads");
            let before = trailmark_geometry::passes();
            let shared = labels(clusterer.fit_sweep(&Space { points: (&x).into(), pairs: &pairs }, &sweep, &CTX));
            assert_eq!(trailmark_geometry::passes(), before, "{metric}: a table that is there is not made again");
            assert_eq!(alone, shared, "{metric}, shared table");
        }
    }
}

#[test]
fn nothing_is_asked_for_by_a_fit_that_would_refuse_or_draw() {
    let ask = |params: &[(&str, ParamValue)], n, ctx| make("agglomerative", params).pair_needs(n, 10, ctx);
    assert!(ask(&[], 30_001, &Context { memory_bytes: 1 << 40, ..CTX }).is_empty());
    assert!(ask(&[], 2000, &Context { memory_bytes: 1 << 20, ..CTX }).is_empty());
    assert!(ask(&[text("above_max", "subsample"), ("max_samples", ParamValue::Integer(50))], 51, &CTX).is_empty());
    assert!(ask(&[text("linkage", "single"), text("metric", "precomputed")], 10, &CTX).is_empty());
    assert_eq!(ask(&[], 2000, &CTX), [trailmark_core::PairNeeds { condensed: true, ..Default::default() }]);
}

#[test]
fn more_users_than_declared_are_refused_with_need_and_limit() {
    let x = groups(50, 2, 3, 2);
    let small = make("agglomerative", &[("max_samples", ParamValue::Integer(40))]);
    let refusal = failure(&*small, &x, 3);
    assert_eq!(refusal.class, FailureClass::Oom);
    assert_eq!(
        refusal.message,
        "agglomerative on 50 users needs 28500 bytes, and max_samples limits it to 40 users (20400 bytes); raise \
         max_samples, set above_max = \"subsample\", or take fewer users with sample_users"
    );
    let ctx = Context { memory_bytes: 1000, ..CTX };
    let refusal =
        make("agglomerative", &[]).fit_sweep(&Space::of(&x), &points(&[3]), &ctx).pop().unwrap().err().unwrap();
    assert_eq!(
        refusal.to_string(),
        "oom: agglomerative on 50 users needs 28500 bytes, the limit is 1000 bytes; raise --memory or take fewer users"
    );
}

#[test]
fn above_the_limit_a_drawn_part_is_linked_and_the_others_are_assigned_and_it_says_so() {
    let x = groups(120, 3, 4, 6);
    for word in LINKAGES {
        let clusterer = make(
            "agglomerative",
            &[text("linkage", word), text("above_max", "subsample"), ("max_samples", ParamValue::Integer(40))],
        );
        let sweep = clusterer.fit_sweep(&Space::of(&x), &points(&[4, 2]), &CTX);
        let partition = sweep[0].as_ref().unwrap();
        // The generator's groups come in turn.
        let truth = Labels::from_ids((0..120).map(|i| i % 4));
        assert_eq!(partition.labels().canonical(), truth, "{word}");
        assert_eq!(&partition.assign((&x).into()).unwrap(), partition.labels(), "{word}");
        let rule = partition.assignment_rule();
        assert_eq!(
            partition.warnings(),
            [format!(
                "the tree links 40 of 120 users, drawn by the seed of the step (above_max = \"subsample\"); the other \
                 80 went to their clusters as new users do: {rule}"
            )]
        );
        let whole = fit(&*make("agglomerative", &linkage(word)), &x, 4).unwrap();
        let (ours, theirs) = (partition.inertia().unwrap(), whole.inertia().unwrap());
        assert!((ours - theirs).abs() <= 1e-9 * theirs, "{word}: all rows count, {ours} {theirs}");
        // Every value of n_clusters cuts the same tree, alone or in a sweep.
        let linked = |partition: &dyn Partition| partition.model().into_iter().find(|(name, _)| *name == "linked_rows");
        let alone = fit(&*clusterer, &x, 2).unwrap();
        let beside = sweep[1].as_ref().unwrap();
        assert_eq!(alone.labels(), beside.labels(), "{word}");
        assert_eq!(linked(&*alone), linked(&**partition), "{word}");
        assert!(linked(&*alone).is_some());
        let refusal = clusterer.fit_sweep(&Space::of(&x), &points(&[41]), &CTX).pop().unwrap().err().unwrap();
        assert!(refusal.message.starts_with("40 users cannot make 41 clusters"), "{refusal}");
    }
    // Another seed of the step draws others.
    let clusterer = make("agglomerative", &[text("above_max", "subsample"), ("max_samples", ParamValue::Integer(40))]);
    let rows = |seed| {
        let ctx = Context { seed, ..CTX };
        clusterer.fit_sweep(&Space::of(&x), &points(&[4]), &ctx).pop().unwrap().unwrap().model().pop().unwrap()
    };
    assert_ne!(rows(1), rows(2));
    assert_eq!(rows(1), rows(1));
}

#[test]
fn linkages_of_means_refuse_other_distances_and_say_what_to_do() {
    let refusal = |word, metric| {
        let spec = entry("agglomerative").spec;
        let params =
            Params::defaults(spec).with("linkage", ParamValue::Text(word)).with("metric", ParamValue::Text(metric));
        (entry("agglomerative").build)(&params).err().map(|error| error.to_string())
    };
    for word in ["ward", "centroid", "median"] {
        assert_eq!(
            refusal(word.to_owned(), "cosine".to_owned()).unwrap(),
            format!(
                "agglomerative with linkage = \"{word}\" works on Euclidean distances, metric = \"cosine\" has others; \
                 add the post step l2 to the encoder and set metric = \"euclidean\" (of vectors of length 1 the squared \
                 Euclidean distance is twice the cosine distance), or take linkage average, complete, single or weighted"
            )
        );
        let message = refusal(word.to_owned(), "precomputed".to_owned()).unwrap();
        assert!(message.contains("give the vectors with metric = \"euclidean\", or take linkage average"), "{message}");
    }
    for word in ["average", "complete", "single", "weighted"] {
        assert_eq!(refusal(word.to_owned(), "cosine".to_owned()), None);
        assert_eq!(refusal(word.to_owned(), "precomputed".to_owned()), None);
    }
}

#[test]
fn a_vector_of_zeros_has_no_cosine_distance() {
    let mut x = groups(10, 3, 2, 1);
    let cosine = make("agglomerative", &[text("linkage", "average"), text("metric", "cosine")]);
    let partition = fit(&*cosine, &x, 2).unwrap();
    let message = partition.assign((&Matrix::<f32>::zeros(1, 3)).into()).unwrap_err().message;
    assert!(message.starts_with("row 0 is a vector of zeros, which has no cosine distance"), "{message}");
    x.row_mut(7).fill(0.0);
    let message = failure(&*cosine, &x, 2).message;
    assert!(message.starts_with("row 7 is a vector of zeros, which has no cosine distance"), "{message}");
}

#[test]
fn given_distances_make_the_tree_of_the_vectors_they_come_from() {
    let (x, new) = (groups(60, 4, 3, 7), groups(9, 4, 3, 7));
    let (distances, new_distances) = (table(&x, &x), table(&new, &x));
    for word in ["average", "complete", "single", "weighted"] {
        for limit in [60, 30] {
            let common =
                [text("linkage", word), text("above_max", "subsample"), ("max_samples", ParamValue::Integer(limit))];
            let vectors = make("agglomerative", &common);
            let given = make("agglomerative", &[&common[..], &[text("metric", "precomputed")]].concat());
            let by_vectors = fit(&*vectors, &x, 5).unwrap();
            let by_distances = given.fit_sweep(&Space::of(&distances), &points(&[5]), &CTX).pop().unwrap().unwrap();
            assert_eq!(by_vectors.labels(), by_distances.labels(), "{word}, {limit}");
            assert_eq!(
                by_vectors.assign((&new).into()).unwrap(),
                by_distances.assign((&new_distances).into()).unwrap(),
                "{word}, {limit}"
            );
            assert_eq!(by_distances.inertia(), None, "no vectors, no centres");
            let correlation = |partition: &dyn Partition| {
                let found = partition.model().into_iter().find(|(name, _)| *name == "cophenetic_correlation");
                let Some((_, ModelValue::Number(value))) = found else { panic!("no correlation: {word}") };
                value
            };
            let (a, b) = (correlation(&*by_vectors), correlation(&*by_distances));
            assert!((a - b).abs() < 1e-6, "{word}, {limit}: {a} {b}");
        }
    }
}

#[test]
fn a_table_that_holds_no_distances_is_refused_at_the_first_wrong_place() {
    let given = make("agglomerative", &[text("linkage", "average"), text("metric", "precomputed")]);
    let refusal = |rows: &[[f64; 3]]| {
        let x = Matrix::from_rows(rows).unwrap();
        given.fit_sweep(&Space::of(&x), &points(&[2]), &CTX).pop().unwrap().err().unwrap().message
    };
    assert!(
        refusal(&[[0.0, 1.0, 2.0], [1.0, 0.0, 3.0]])
            .starts_with("metric = \"precomputed\" takes a square table of distances, got 2 rows and 3 columns")
    );
    assert_eq!(
        refusal(&[[0.0, 1.0, 2.0], [1.0, 0.5, 3.0], [2.0, 3.0, 0.0]]),
        "the distance of sample 1 to itself is 0.5; the diagonal must be 0"
    );
    assert_eq!(
        refusal(&[[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.5, 3.0, 0.0]]),
        "the table is not symmetric: 2 at row 0, column 2, and 2.5 at row 2, column 0; give (d + d.T) / 2 if that is meant"
    );
    assert_eq!(
        refusal(&[[0.0, 1.0, -2.0], [1.0, 0.0, 3.0], [-2.0, 3.0, 0.0]]),
        "the distance at row 0, column 2 is -2; distances are not negative"
    );
    let x = Matrix::from_rows(&[[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 3.0, 0.0]]).unwrap();
    let partition = given.fit_sweep(&Space::of(&x), &points(&[2]), &CTX).pop().unwrap().unwrap();
    assert_eq!(
        partition.assign((&Matrix::<f64>::zeros(1, 2)).into()).unwrap_err().message,
        "the clusters were fitted on the distances of 3 samples to each other; rows to assign are their distances to \
         these 3, got 2 columns"
    );
}

#[test]
fn the_model_is_scipys_matrix_with_what_the_tree_says_of_itself() {
    let x = Matrix::from_rows(&[[0.0_f64], [1.0], [10.0]]).unwrap();
    for (word, last) in [("average", 9.5), ("single", 9.0), ("centroid", 9.5)] {
        let clusterer = make("agglomerative", &linkage(word));
        let partition = clusterer.fit_sweep(&Space::of(&x), &points(&[2]), &CTX).pop().unwrap().unwrap();
        let model: std::collections::BTreeMap<_, _> = partition.model().into_iter().collect();
        let table = Matrix::from_rows(&[[0.0, 1.0, 1.0, 2.0], [2.0, 3.0, last, 3.0]]).unwrap();
        assert_eq!(model["dendrogram"], ModelValue::Table(table), "{word}");
        assert_eq!(model["heights"], ModelValue::Numbers(vec![1.0, last]), "{word}");
        assert_eq!(model["dendrogram_gap_n_clusters"], ModelValue::Count(2), "{word}");
        let ModelValue::Number(correlation) = model["cophenetic_correlation"] else { panic!("{word}") };
        // Distances 1, 10, 9 and heights 1, last, last.
        assert!((correlation - 0.994_850).abs() < 1e-6, "{word}: {correlation}");
        assert_eq!(model.get("n_inversions"), (word == "centroid").then_some(&ModelValue::Count(0)), "{word}");
    }
}

#[test]
fn vectors_in_double_precision_are_told_apart_where_single_precision_cannot() {
    let x = Matrix::from_rows(&[[1e9], [1e9 + 1.0], [1e9 + 10.0], [1e9 + 11.0]]).unwrap();
    for word in LINKAGES {
        let clusterer = make("agglomerative", &linkage(word));
        let exact = clusterer.fit_sweep(&Space { points: Points::F64(&x), pairs: &[] }, &points(&[2]), &CTX);
        let partition = exact.into_iter().next().unwrap().unwrap();
        assert_eq!(partition.labels(), &Labels::from_ids([0, 0, 1, 1]), "{word}");
        assert_eq!(partition.assign((&x).into()).unwrap(), Labels::from_ids([0, 0, 1, 1]), "{word}");
        assert_eq!(partition.inertia(), Some(1.0), "{word}");
    }
}

#[test]
fn distances_that_leave_the_range_are_refused() {
    let x = Matrix::from_rows(&[[-3e38_f32], [3e38], [0.0]]).unwrap();
    let message = failure(&*make("agglomerative", &linkage("single")), &x, 2).message;
    assert_eq!(message, "distances between users leave the range of numbers; scale the vectors");
}

#[test]
fn one_user_makes_one_cluster() {
    let x = Matrix::from_rows(&[vec![1.0_f32, 2.0]]).unwrap();
    for (name, clusterer) in crate::all() {
        let partition = fit(&*clusterer, &x, 1).unwrap();
        assert_eq!(partition.labels(), &Labels::from_ids([0]), "{name}");
        assert_eq!(partition.inertia(), Some(0.0), "{name}");
    }
    // A table of another space covers nothing and is left alone.
    let other = [Pairs { condensed: vec![1.0; 3], ..Pairs::default() }];
    let partition = make("agglomerative", &[])
        .fit_sweep(&Space { points: (&x).into(), pairs: &other }, &points(&[1]), &CTX)
        .pop()
        .unwrap();
    assert!(partition.is_ok());
}
