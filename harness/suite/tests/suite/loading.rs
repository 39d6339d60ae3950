//! From a path to a suite.

use std::path::Path;

use trailmark_suite::load;

use crate::fixture::{WIDE, context};

#[test]
fn relative_paths_start_at_the_folder_of_the_suite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.toml");
    std::fs::write(&path, WIDE).unwrap();
    let suite = load(&path, &["suite.seed=3".to_owned()], &context()).unwrap();
    assert_eq!((suite.name.as_str(), suite.seed), ("wide", 3), "the file with its override");
    assert_eq!(suite.base_dir, folder.path());
}

#[test]
fn a_file_that_is_not_there_is_said_to_be_unreadable() {
    let diagnostics = load(Path::new("no/such.toml"), &[], &context()).unwrap_err();
    assert!(diagnostics.is_unreadable());
    let expected = "error: cannot read the suite: No such file or directory (os error 2)\n --> no/such.toml";
    assert_eq!(diagnostics.to_string(), expected);
}

#[test]
fn a_broken_part_does_not_make_sound_parts_look_wrong() {
    // The source is misspelt, so whether it has labels, columns or a clock is not known.
    let text = r#"
        schema = 1
        suite.name = "t"
        dataset = [{ id = "log", source = "sinthetic" }]
        split.future = { after = 2020-01-01 }
        encoder = [{ id = "bag", kind = "tfidf" }]
        clusterer = [{ id = "kmeans", kind = "kmeans" }]
        score.primary = "adjusted_rand_score"
    "#;
    let diagnostics = crate::fixture::parse(text, &[]).unwrap_err();
    assert_eq!(diagnostics.len(), 1, "{diagnostics}");
}

#[test]
fn a_suite_cut_off_anywhere_or_with_a_part_replaced_is_reported_and_never_a_panic() {
    for at in (0..WIDE.len()).filter(|at| WIDE.is_char_boundary(*at)) {
        if let Err(diagnostics) = crate::fixture::parse(&WIDE[..at], &[]) {
            assert!(diagnostics.to_string().starts_with("error: "), "cut off at byte {at}");
        }
    }
    let paths = ["suite.name", "sequence.form", "split.future", "sweep.n_clusters", "score.recommend", "gate.1.select"];
    let paths =
        paths.into_iter().chain(["dataset", "dataset.log.columns", "dataset.log.columns.time", "encoder", "compare"]);
    for path in paths {
        for value in
            ["0", "-1", "\"{是\"", "[]", "[[]]", "{}", "{ text = \"a {是\" }", "nan", "1979-05-27", "true", "是 {"]
        {
            let set = format!("{path} = {value}");
            if let Err(diagnostics) = crate::fixture::parse(WIDE, &[&set]) {
                assert!(diagnostics.to_string().contains("error: "), "{set}");
            }
        }
    }
}
