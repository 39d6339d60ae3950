//! Renderings compared byte for byte with `tests/golden/report`; `BLESS=1` writes them anew.

use std::fs;

use trailmark_report::{
    Format, Gate, GateRule, Width, figures, gate, markdown, per_n_clusters, png, ranking, scores_csv, terminal,
};

use crate::fixture;

#[track_caller]
fn golden(name: &str, text: &str) {
    let path = trailmark_kit::root().join("tests/golden/report").join(name);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a golden has a folder")).expect("the folder can be made");
        fs::write(&path, text).expect("the golden can be written");
        return;
    }
    let expected =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}; BLESS=1 writes it", path.display()));
    let differing = expected.lines().zip(text.lines()).position(|(a, b)| a != b);
    assert!(
        expected == text,
        "{name} differs from its golden, first in line {:?}; look at the change, then BLESS=1",
        differing.map(|at| at + 1)
    );
}

#[test]
fn the_ranking_looks_the_same_in_every_format() {
    let view = fixture::run();
    golden("ranking.tex", &ranking(&view, "shop", Width::Full).render(Format::Latex));
    golden("ranking.csv", &ranking(&view, "shop", Width::Full).render(Format::Csv));
    golden("ranking.json", &ranking(&view, "shop", Width::Terminal).render(Format::Json));
}

#[test]
fn a_sweep_looks_the_same_on_a_terminal() {
    let view = fixture::run();
    golden("sweep.txt", &per_n_clusters(&view, "shop", "w2v", "ward").render(Format::Table));
}

#[test]
fn the_end_of_a_run_looks_the_same_on_a_terminal() {
    golden("terminal.txt", &terminal(&fixture::run()));
}

#[test]
fn the_markdown_report_is_the_same() {
    golden("report.md", &markdown(&fixture::run()));
}

#[test]
fn scores_csv_is_sorted_complete_and_the_same() {
    let view = fixture::run();
    let kept: Vec<_> = view
        .records
        .iter()
        .rev()
        .filter(|record| {
            let cell = &record.cell;
            (cell.fold, cell.n_clusters.to_string().as_str()) == (2, "3")
                || cell.encoder == "none"
                || cell.to_string().contains("tfidf/ward/k=6/fold=3")
        })
        .cloned()
        .collect();
    let text = scores_csv(&kept);
    golden("scores.csv", &text);
    assert!(text.contains("shop,w2v,ward,3,2,0,,arm,,,,,failed,\"oom: "), "a failed cell is one row: {text}");
    assert!(text.contains(",undefined,one_cluster\n"), "an undefined score keeps its reason: {text}");
}

#[test]
fn one_drawing_of_each_kind_is_the_same() {
    let figures = figures(&fixture::run()).unwrap();
    let names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
    assert_eq!(
        names,
        ["primary-shop", "elbow-shop", "silhouette-shop", "knife-shop-tfidf-kmeans", "knife-shop-w2v-kmeans"]
    );
    for figure in &figures[..4] {
        golden(&format!("{}.svg", figure.name), &figure.svg);
        assert!(figure.svg.contains("role=\"img\"") && figure.svg.contains("<title id="), "{} speaks", figure.name);
    }
}

#[test]
fn a_picture_comes_from_its_drawing_and_is_the_same_twice() {
    let figures = figures(&fixture::run()).unwrap();
    let picture = png(&figures[0].svg).unwrap();
    assert_eq!(&picture[1..4], b"PNG");
    assert_eq!(picture, png(&figures[0].svg).unwrap(), "the same drawing gives the same picture");
    if let Some(dir) = std::env::var_os("TRAILMARK_KEEP") {
        for figure in &figures {
            fs::write(std::path::Path::new(&dir).join(format!("{}.png", figure.name)), png(&figure.svg).unwrap())
                .unwrap();
        }
    }
}

#[test]
fn the_gate_table_names_what_moved_by_how_much_and_against_which_tolerance() {
    let gates = [
        Gate { metric: "adjusted_rand_score".to_owned(), margin: 0.02, rule: GateRule::Margin, select: None },
        Gate {
            metric: "cluster_popularity/ndcg@10".to_owned(),
            margin: 0.002,
            rule: GateRule::NonInferior,
            select: Some("/kmeans/k=auto$".to_owned()),
        },
    ];
    let before = fixture::run();
    let baseline = crate::gate::baseline(&before, &gates);
    golden("baseline.toml", &baseline.to_toml());
    let mut after = before;
    crate::gate::shift(&mut after, "w2v", "kmeans", "adjusted_rand_score", |_, value| value - 0.05);
    crate::gate::shift(&mut after, "tfidf", "kmeans", "adjusted_rand_score", |_, value| value + 0.05);
    crate::gate::shift(&mut after, "tfidf", "ward", "adjusted_rand_score", |_, value| value - 0.01);
    crate::gate::shift(&mut after, "w2v", "kmeans", "cluster_popularity/ndcg@10", |fold, value| {
        value + if fold == 0 { 0.01 } else { -0.004 }
    });
    let report = gate(&after, &baseline, &gates, false).unwrap();
    golden("gate.txt", &report.table().render(Format::Table));
    golden("gate.json", &report.to_json());
}
