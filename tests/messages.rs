//! Bad input: the message and the documented exit code of each.

use crate::bench::{Bench, SMALL};

#[test]
fn a_typo_in_an_encoder_name_is_shown_with_the_near_one() {
    let bench = Bench::new();
    bench.write("bad.toml", &SMALL.replace("kind = \"word2vec\"", "kind = \"wordvec\""));
    bench.trailmark(&["run", "bad.toml"]).exits(3).says("did you mean \"word2vec\"?");
    assert!(!bench.path("runs").exists(), "a bad suite leaves nothing behind");
}

#[test]
fn an_unknown_key_is_shown_with_the_valid_ones() {
    let bench = Bench::new();
    bench.write("bad.toml", &SMALL.replace("folds = 5", "fold = 5"));
    bench.trailmark(&["check", "bad.toml"]).exits(3).says("did you mean \"folds\"?");
}

#[test]
fn all_mistakes_come_at_once() {
    let bench = Bench::new();
    bench.write("bad.toml", &SMALL.replace("folds = 5", "folds = 1").replace("kind = \"kmeans\"", "kind = \"kmean\""));
    bench.trailmark(&["check", "bad.toml"]).exits(3).says("kmean").says("folds");
}

#[test]
fn a_missing_suite_file_is_named() {
    Bench::new().trailmark(&["check", "absent.toml"]).exits(3).says("absent.toml");
}

fn with_log(columns: &str, log: Option<&str>) -> Bench {
    let bench = Bench::new();
    let dataset = format!("source = \"log.csv\"\n[dataset.columns]\n{columns}");
    let suite = SMALL
        .replace("source = \"synthetic\"\nusers = 150\nlabels = [\"persona\"]\n", &format!("{dataset}\n"))
        .replace("adjusted_rand_score", "cluster_popularity/ndcg@5")
        .replace("{event}:{category}", "{item}")
        .replace("{event} {category}", "{item}");
    bench.write("log.toml", &suite);
    if let Some(log) = log {
        bench.write("log.csv", log);
    }
    bench
}

const COLUMNS: &str =
    "user = \"user\"\nitem = \"item\"\nvalue = \"value\"\ntime = { column = \"ts\", format = \"unix_s\" }";

fn log(users: usize, value: impl Fn(usize) -> String) -> String {
    let mut text = "user,item,ts,value\n".to_owned();
    for user in 0..users {
        for step in 0..8 {
            let item = (user % 3) * 5 + (user * 7 + step * 3) % 5;
            text += &format!("u{user},i{item},{},{}\n", 1_000_000 + step * 60, value(user * 8 + step));
        }
    }
    text
}

#[test]
fn a_log_of_the_users_own_runs() {
    let bench = with_log(COLUMNS, Some(&log(60, |_| "1".into())));
    bench.trailmark(&["run", "log.toml", "-o", "run"]).exits(0);
    assert!(bench.read("run/scores.csv").contains("cluster_popularity/ndcg@5"));
}

#[test]
fn a_missing_log_is_named_with_code_5() {
    with_log(COLUMNS, None).trailmark(&["run", "log.toml"]).exits(5).says("log.csv");
}

#[test]
fn a_column_that_is_not_there_is_named_with_those_that_are() {
    with_log(&COLUMNS.replace("\"item\"", "\"itme\""), Some(&log(9, |_| "1".into())))
        .trailmark(&["run", "log.toml"])
        .exits(5)
        .says("itme")
        .says("item");
}

#[test]
fn an_empty_log_is_refused() {
    with_log(COLUMNS, Some("user,item,ts,value\n")).trailmark(&["run", "log.toml"]).exits(5).says("log.csv");
}

#[test]
fn nan_in_a_value_column_is_counted_and_refused_above_the_declared_share() {
    let bench = with_log(COLUMNS, Some(&log(60, |at| if at % 4 == 0 { "NaN".into() } else { "1".into() })));
    bench.trailmark(&["run", "log.toml"]).exits(5).says("120");
    let few = with_log(COLUMNS, Some(&log(60, |at| if at == 7 { "NaN".into() } else { "1".into() })));
    few.trailmark(&["run", "log.toml", "-o", "run"]).exits(0);
    assert!(few.read("run/run.json").contains("1 rows dropped"), "{}", few.read("run/run.json"));
}

/// A float32 `.npy` file of shape (rows, 2).
fn npy(rows: usize, value: impl Fn(usize, usize) -> f32) -> Vec<u8> {
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, 2), }}");
    while !(10 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    for row in 0..rows {
        for column in 0..2 {
            bytes.extend(value(row, column).to_le_bytes());
        }
    }
    bytes
}

fn precomputed(bench: &Bench, bytes: &[u8]) {
    let suite = std::fs::read_to_string(bench.path("log.toml")).unwrap();
    let suite = suite.replace("kind = \"tfidf\"", "kind = \"precomputed\"\npath = \"vectors.npy\"\nids = \"ids.txt\"");
    bench.write("log.toml", &suite);
    std::fs::write(bench.path("vectors.npy"), bytes).unwrap();
    let ids: Vec<String> = (0..60).map(|user| format!("u{user}")).collect();
    bench.write("ids.txt", &(ids.join("\n") + "\n"));
}

#[test]
fn vectors_made_elsewhere_are_an_arm_like_any_other() {
    let bench = with_log(COLUMNS, Some(&log(60, |_| "1".into())));
    precomputed(&bench, &npy(60, |row, column| (row % 3 * 10 + column) as f32 + (row as f32) * 0.01));
    bench.trailmark(&["run", "log.toml", "-o", "run"]).exits(0);
}

#[test]
fn nan_in_an_embedding_file_is_refused_with_its_place() {
    let bench = with_log(COLUMNS, Some(&log(60, |_| "1".into())));
    precomputed(&bench, &npy(60, |row, column| if (row, column) == (17, 1) { f32::NAN } else { row as f32 }));
    bench.trailmark(&["run", "log.toml"]).exits(5).says("vectors.npy").says("NaN").says("17").says("u17");
}

#[test]
fn a_missing_embedding_file_is_named() {
    let bench = with_log(COLUMNS, Some(&log(60, |_| "1".into())));
    precomputed(&bench, &npy(60, |row, _| row as f32));
    std::fs::remove_file(bench.path("vectors.npy")).unwrap();
    bench.trailmark(&["run", "log.toml"]).exits(5).says("vectors.npy");
}

#[test]
fn a_filter_that_selects_nothing_leaves_with_4() {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    bench.trailmark(&["run", "small.toml", "-f", "no-such-arm"]).exits(4).says("no cell is selected");
}

#[test]
fn a_wrong_command_line_leaves_with_2_and_help_with_0() {
    let bench = Bench::new();
    bench.trailmark(&["run"]).exits(2);
    bench.trailmark(&["run", "x.toml", "--shard", "3/2"]).exits(2).says("3/2");
    let help = bench.trailmark(&["--help"]).exits(0);
    assert!(help.stdout.contains("20  gate: a metric regressed"), "{}", help.stdout);
}

#[test]
fn a_folder_without_a_run_leaves_with_4() {
    Bench::new().trailmark(&["status", "nowhere"]).exits(4).says("nowhere holds no run");
}

#[test]
fn changed_data_starts_a_run_of_its_own() {
    let bench = with_log(COLUMNS, Some(&log(60, |_| "1".into())));
    bench.trailmark(&["run", "log.toml"]).exits(0);
    bench.write("log.csv", &log(61, |_| "1".into()));
    bench.trailmark(&["run", "log.toml"]).exits(0);
    assert!(bench.path("runs/small-2/scores.csv").is_file(), "the numbers of two logs do not meet in one folder");
    bench.trailmark(&["run", "log.toml", "-o", "runs/small"]).exits(2).says("when dataset \"shop\" held other data");
}

#[test]
fn changed_vectors_start_a_run_of_their_own() {
    let bench = with_log(COLUMNS, Some(&log(60, |_| "1".into())));
    precomputed(&bench, &npy(60, |row, _| row as f32));
    bench.trailmark(&["run", "log.toml", "-o", "run"]).exits(0);
    std::fs::write(bench.path("vectors.npy"), npy(60, |row, _| row as f32 + 1.0)).unwrap();
    bench.trailmark(&["run", "log.toml", "-o", "run"]).exits(2).says("when encoder \"tfidf\" read other files");
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    let mut child = bench.start_piped(&["plan", "small.toml"]);
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
