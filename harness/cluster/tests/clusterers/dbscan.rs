//! DBSCAN: scikit-learn's labels, what is shared, what may not change a bit, and what is refused.

use trailmark_core::contract::{Context, ModelValue, Partition, Points, SweepPoint};
use trailmark_core::spec::ParamValue;
use trailmark_core::{Failure, FailureClass, Labels, Matrix, PairNeeds, Space};
use trailmark_geometry::{gather, passes};
use trailmark_kit::{numbers, oracle, rows};

use crate::{CTX, groups, make};

const FOUND: SweepPoint = SweepPoint { n_clusters: None, seed: 1 };

fn params(eps: Option<f64>, min_samples: i64, metric: &str) -> Vec<(&'static str, ParamValue)> {
    let mut params =
        vec![("min_samples", ParamValue::Integer(min_samples)), ("metric", ParamValue::Text(metric.to_owned()))];
    params.extend(eps.map(|eps| ("eps", ParamValue::Number(eps))));
    params
}

fn fit(space: &Space<'_>, params: &[(&str, ParamValue)], ctx: &Context) -> Result<Box<dyn Partition>, Failure> {
    make("dbscan", params).fit_sweep(space, &[FOUND], ctx).pop().unwrap()
}

fn dbscan<'a>(x: impl Into<Points<'a>>, eps: Option<f64>, min_samples: i64) -> Box<dyn Partition> {
    fit(&Space::of(x), &params(eps, min_samples, "euclidean"), &CTX).unwrap()
}

fn eps_of(partition: &dyn Partition) -> f64 {
    match &partition.model()[0] {
        ("eps", ModelValue::Number(eps)) => *eps,
        other => panic!("the model begins with eps, not {other:?}"),
    }
}

fn cores(partition: &dyn Partition) -> Vec<f64> {
    match partition.model().pop() {
        Some(("core_sample_indices", ModelValue::Numbers(cores))) => cores,
        other => panic!("the model ends with core_sample_indices, not {other:?}"),
    }
}

#[test]
fn labels_and_core_samples_are_those_of_scikit_learn_in_both_precisions() {
    let mut borders = 0;
    for case in &oracle("cluster", "dbscan").case {
        let wide: Matrix<f64> = Matrix::from_rows(&rows(case, "x")).unwrap();
        let single: Matrix<f32> = wide.cast();
        let metric = case["metric"].as_str().unwrap();
        let settings = numbers(case, "eps").into_iter().zip(numbers(case, "min_samples"));
        for ((eps, min_samples), (labels, core)) in
            settings.zip(rows(case, "labels").into_iter().zip(rows(case, "core")))
        {
            let what = format!("{}, eps {eps}, min_samples {min_samples}", case["name"]);
            let expected = Labels(labels.iter().map(|&label| (label >= 0.0).then_some(label as u32)).collect());
            for points in [Points::F64(&wide), Points::F32(&single)] {
                let found = fit(&Space::of(points), &params(Some(eps), min_samples as i64, metric), &CTX).unwrap();
                assert_eq!(found.labels(), &expected, "{what}");
                assert_eq!(cores(&*found), core, "{what}");
            }
            borders += expected.len() - expected.n_noise() - core.len();
        }
    }
    assert!(borders > 400, "the table has {borders} samples on borders, which are the hard part");
}

#[test]
fn labels_do_not_depend_on_threads_or_on_a_table_made_for_others() {
    let x = groups(900, 24, 4, 3);
    for metric in ["euclidean", "cosine"] {
        for eps in [None, Some(if metric == "cosine" { 0.02 } else { 6.5 })] {
            let params = params(eps, 5, metric);
            let clusterer = make("dbscan", &params);
            let before = passes();
            let alone = fit(&Space::of(&x), &params, &CTX).unwrap();
            let alone_passes = if eps.is_some() { 1 } else { 2 };
            assert_eq!(passes() - before, alone_passes, "{metric} {eps:?}: a radius that is known needs one pass");
            let two = fit(&Space::of(&x), &params, &Context { threads: 2, ..CTX }).unwrap();
            assert_eq!(alone.labels(), two.labels(), "{metric} {eps:?}");
            let mut needs = clusterer.pair_needs(900, 24, &CTX);
            needs.push(PairNeeds { n_neighbors: 12, radii: vec![1.0, 9.0], ..needs[0].clone() });
            let merged = PairNeeds::merged(&needs);
            let tables = [gather(Points::F32(&x), &merged[0], 2).unwrap()];
            let before = passes();
            let shared = fit(&Space { points: Points::F32(&x), pairs: &tables }, &params, &CTX).unwrap();
            assert_eq!(passes() - before, 1, "{metric} {eps:?}: only the pass that unites is left");
            assert_eq!(shared.labels(), alone.labels(), "{metric} {eps:?}");
            assert_eq!(shared.model(), alone.model(), "{metric} {eps:?}");
        }
    }
}

#[test]
fn several_radii_share_the_first_pass() {
    let x = groups(300, 20, 3, 5);
    let arms: Vec<_> = [4.0, 6.0, 8.0].map(|eps| make("dbscan", &params(Some(eps), 5, "euclidean"))).into();
    let needs: Vec<PairNeeds> = arms.iter().flat_map(|arm| arm.pair_needs(300, 20, &CTX)).collect();
    let merged = PairNeeds::merged(&needs);
    assert_eq!((merged.len(), &merged[0].radii[..]), (1, &[4.0, 6.0, 8.0][..]));
    let before = passes();
    let tables = [gather(Points::F32(&x), &merged[0], 1).unwrap()];
    for arm in &arms {
        let space = Space { points: Points::F32(&x), pairs: &tables };
        arm.fit_sweep(&space, &[FOUND, FOUND], &CTX).into_iter().for_each(|fitted| assert!(fitted.is_ok()));
    }
    assert_eq!(passes() - before, 1 + 3, "one pass counts for all, one unites for each radius");
}

#[test]
fn clear_groups_are_found_without_a_radius_and_the_warning_says_which_was_taken() {
    let x = groups(400, 20, 4, 9);
    let truth = Labels::from_ids((0..400).map(|i| i % 4));
    for points in [Points::F32(&x), Points::F64(&x.cast())] {
        let found = dbscan(points, None, 5);
        assert_eq!(found.labels().n_clusters(), 4);
        assert!(found.labels().n_noise() < 40, "{} of noise", found.labels().n_noise());
        assert!(found.labels().0.iter().zip(&truth.0).all(|(got, truth)| got.is_none() || got == truth));
        let eps = eps_of(&*found);
        assert_eq!(
            found.warnings(),
            [format!("eps is {eps:.6}, the knee of the distances to neighbour 4; set eps to fix it")]
        );
        let given = dbscan(points, Some(eps), 5);
        assert_eq!(given.labels(), found.labels(), "the radius that was found gives the same partition");
        assert!(given.warnings().is_empty());
    }
}

#[test]
fn new_rows_take_the_label_of_the_nearest_core_sample_within_eps() {
    let x = Matrix::from_vec(7, 1, vec![0.0_f32, 0.5, 1.0, 10.0, 10.5, 11.0, 40.0]).unwrap();
    let found = dbscan(&x, Some(0.5), 3);
    assert_eq!(cores(&*found), [1.0, 4.0]);
    let new = Matrix::from_vec(6, 1, vec![0.0_f32, 1.0, 1.125, 10.25, 9.875, 40.0]).unwrap();
    let expected = Labels(vec![Some(0), Some(0), None, Some(1), None, None]);
    assert_eq!(found.assign((&new).into()).unwrap(), expected);
    assert_eq!(found.assign((&new.cast::<f64>()).into()).unwrap(), expected, "rows in double precision");
    assert_eq!(found.assignment_rule(), "nearest core sample within eps, else noise");
    assert!(found.assign((&Matrix::<f32>::zeros(1, 3)).into()).unwrap_err().message.contains("rows to assign have 3"));
}

#[test]
fn permuted_rows_keep_core_samples_and_noise_and_who_is_with_whom() {
    let x = groups(300, 3, 6, 4);
    let order: Vec<usize> = (0..300).map(|i| (i * 71) % 300).collect();
    let plain = dbscan(&x, Some(1.0), 4);
    let permuted = dbscan(&x.select_rows(&order), Some(1.0), 4);
    let back = |core: f64| order[core as usize] as f64;
    let mut found: Vec<f64> = cores(&*permuted).into_iter().map(back).collect();
    found.sort_by(f64::total_cmp);
    assert_eq!(found, cores(&*plain));
    assert!((30..290).contains(&found.len()), "{} core samples: neither none nor all", found.len());
    let core: Vec<usize> = (0..300).filter(|&at| found.contains(&(order[at] as f64))).collect();
    let chosen: Vec<usize> = core.iter().map(|&at| order[at]).collect();
    assert_eq!(permuted.labels().select(&core).canonical(), plain.labels().select(&chosen).canonical());
    for (at, &row) in order.iter().enumerate() {
        assert_eq!(permuted.labels().0[at].is_none(), plain.labels().0[row].is_none(), "row {row}");
    }
}

#[test]
fn noise_alone_and_one_cluster_are_answers_with_a_warning() {
    let x = groups(50, 20, 2, 1);
    let noise = dbscan(&x, Some(1e-3), 5);
    assert_eq!(noise.labels(), &Labels(vec![None; 50]));
    assert_eq!(noise.warnings(), ["all users are noise at eps = 0.001000; raise eps or lower min_samples"]);
    assert_eq!(noise.assign((&x).into()).unwrap(), Labels(vec![None; 50]));
    let one = dbscan(&x, Some(1e3), 5);
    assert_eq!(one.labels(), &Labels(vec![Some(0); 50]));
    assert_eq!(
        one.warnings(),
        ["all users but 0 of noise are in one cluster at eps = 1000.000000; lower eps or raise min_samples"]
    );
}

#[test]
fn duplicates_and_a_single_row_need_no_radius() {
    let equal = Matrix::from_vec(30, 20, vec![0.7_f32; 600]).unwrap();
    for points in [Points::F32(&equal), Points::F64(&equal.cast())] {
        let found = dbscan(points, None, 5);
        assert_eq!((found.labels(), eps_of(&*found)), (&Labels(vec![Some(0); 30]), 0.0));
    }
    let single = groups(1, 3, 1, 1);
    assert_eq!(dbscan(&single, None, 5).labels(), &Labels(vec![None]));
    assert_eq!(dbscan(&single, None, 1).labels(), &Labels(vec![Some(0)]));
}

#[test]
fn what_cannot_be_clustered_is_refused_before_any_pass() {
    let x = groups(50, 20, 2, 1);
    let before = passes();
    let refuse = |x: &Matrix<f32>, extra: &[(&str, ParamValue)], ctx: &Context| -> Failure {
        match fit(&Space::of(x), extra, ctx) {
            Ok(_) => panic!("a partition was made of what should be refused"),
            Err(failure) => failure,
        }
    };
    let few = [("max_samples", ParamValue::Integer(40))];
    assert_eq!(
        refuse(&x, &few, &CTX).to_string(),
        "timeout: dbscan on 50 users compares 1225 pairs twice, and max_samples limits it to 40 users (780 pairs); \
         raise max_samples, or take fewer users with sample_users"
    );
    assert!(make("dbscan", &few).pair_needs(50, 20, &CTX).is_empty(), "nothing is gathered for who would refuse");
    let small = Context { memory_bytes: 1000, ..CTX };
    let refusal = refuse(&x, &[], &small);
    assert_eq!(refusal.class, FailureClass::Oom);
    assert!(refusal.message.starts_with("dbscan on 50 users needs "), "{}", refusal.message);
    assert!(refusal.message.ends_with("the limit is 1000 bytes; raise --memory or take fewer users"));
    assert!(make("dbscan", &[]).pair_needs(50, 20, &small).is_empty());

    let mut bad = x.clone();
    bad.row_mut(4)[2] = f32::NAN;
    assert_eq!(refuse(&bad, &[], &CTX).message, "the vectors hold NaN at row 4, column 2; mend the encoder's output");
    let mut zero = x.clone();
    zero.row_mut(7).fill(0.0);
    let refusal = refuse(&zero, &params(None, 5, "cosine"), &CTX);
    assert!(refusal.message.starts_with("row 7 is a vector of zeros"), "{}", refusal.message);
    assert!(refuse(&Matrix::zeros(0, 3), &[], &CTX).message.starts_with("there is no sample to cluster"));
    assert_eq!(passes(), before);

    let asked = SweepPoint { n_clusters: Some(3), seed: 1 };
    let refusal = make("dbscan", &[]).fit_sweep(&Space::of(&x), &[asked], &CTX).pop().unwrap().err().unwrap();
    assert_eq!(refusal.to_string(), "bug: dbscan finds n_clusters, and was given one");
}
