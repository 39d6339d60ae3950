//! Plans: order, filters, shards, counts.

use trailmark_suite::{Filter, Plan, Suite, plan};

use crate::fixture::valid;

const SUITE: &str = r#"
schema = 1
suite.name = "small"
dataset = [{ id = "a", source = "synthetic", labels = ["persona"] }, { id = "b", source = "synthetic", labels = ["persona"] }]
split = { folds = 2, repeats = 2 }
encoder = [{ id = "bag", kind = "tfidf" }, { id = "w2v", kind = "word2vec" }]
clusterer = [{ id = "kmeans", kind = "kmeans" }]
sweep.n_clusters = [3, 2]
score.primary = "adjusted_rand_score"
"#;

fn planned(include: &[&str], exclude: &[&str], shard: Option<&str>) -> (Suite, Plan) {
    let suite = valid(SUITE, &[]);
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let filter = Filter::new(&owned(include), &owned(exclude), shard).expect("the filter is valid");
    let plan = plan(&suite, &filter);
    (suite, plan)
}

#[test]
fn groups_come_by_dataset_encoder_repeat_and_fold() {
    let (suite, plan) = planned(&[], &[], None);
    let names: Vec<String> = plan.groups.iter().map(|group| group.name(&suite)).take(5).collect();
    let expected = ["a/bag/fold=0/rep=0", "a/bag/fold=1/rep=0", "a/bag/fold=0/rep=1", "a/bag/fold=1/rep=1"];
    assert_eq!(names[..4], expected, "folds run fastest, then repeats");
    assert_eq!(names[4], "a/w2v/fold=0/rep=0", "then encoders");
    assert_eq!(plan.groups.len(), 16, "2 datasets x 2 encoders x 2 repeats x 2 folds");
    assert_eq!(plan.n_cells(), 48, "2 values and auto in each group");
}

#[test]
fn cells_are_named_as_in_records() {
    let (suite, plan) = planned(&["^b/w2v/.*fold=1/rep=0"], &[], None);
    let expected =
        ["b/w2v/kmeans/k=2/fold=1/rep=0", "b/w2v/kmeans/k=3/fold=1/rep=0", "b/w2v/kmeans/k=auto/fold=1/rep=0"];
    assert_eq!(plan.cell_names(&suite), expected);
}

#[test]
fn an_excluded_cell_stays_out_even_when_it_is_included() {
    let (suite, plan) = planned(&["k=2", "k=auto"], &["^a/", "bag"], None);
    assert!(plan.cell_names(&suite).iter().all(|name| name.starts_with("b/w2v/") && !name.contains("k=3")));
    assert_eq!(plan.n_cells(), 8, "2 cells in each of 4 groups");
    let (_, nothing) = planned(&["k=99"], &[], None);
    assert!(nothing.groups.is_empty(), "groups without cells are left out");
}

#[test]
fn an_auto_cell_needs_the_whole_sweep_fitted() {
    let (suite, plan) = planned(&["k=auto"], &[], None);
    assert_eq!(plan.groups[0].fits(&suite), 2, "both values are fitted to choose between them");
    let (suite, plan) = planned(&["k=3"], &[], None);
    assert_eq!(plan.groups[0].fits(&suite), 1, "without auto only the wanted value is fitted");
}

#[test]
fn shards_part_the_groups_without_overlap() {
    let (suite, whole) = planned(&[], &[], None);
    let mut parts: Vec<String> = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let (_, part) = planned(&[], &[], Some(shard));
        assert!((5..=6).contains(&part.groups.len()), "shard {shard} has {} of 16 groups", part.groups.len());
        parts.extend(part.cell_names(&suite));
    }
    parts.sort();
    let mut all = whole.cell_names(&suite);
    all.sort();
    assert_eq!(parts, all, "the shards together are the plan");
}

#[test]
fn a_filter_that_cannot_be_read_says_how_to_write_it() {
    let message = |include: &[&str], shard: Option<&str>| {
        let include: Vec<String> = include.iter().map(|text| (*text).to_owned()).collect();
        Filter::new(&include, &[], shard).unwrap_err().to_string()
    };
    let expected = "the filter \"k=(2\" is not a regular expression: unclosed group";
    assert_eq!(message(&["k=(2"], None), expected);
    for shard in ["0/3", "4/3", "2", "a/b", "1/0"] {
        let expected = format!("a shard is written i/n with i from 1 to n, as in 2/8; got {shard:?}");
        assert_eq!(message(&[], Some(shard)), expected);
    }
}

#[test]
fn work_is_counted_and_sized_only_when_sizes_are_known() {
    let (suite, plan) = planned(&["^a/bag/"], &[], None);
    let work = plan.work(&suite, &[Some(100), None]);
    assert_eq!((work.groups, work.cells, work.auto_cells, work.fits), (4, 8, 4, 8));
    assert_eq!(work.fitted_rows, Some(4 * 50 * 2), "4 groups of 50 training rows and 2 partitions");
    assert_eq!(work.row_pairs, Some(4 * 2 * (50 * 49 / 2)), "training and test rows of 4 groups");
    let (suite, plan) = planned(&[], &[], None);
    assert_eq!(plan.work(&suite, &[Some(100), None]).fitted_rows, None, "the size of b is not known");
}
