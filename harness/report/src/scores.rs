//! `scores.csv`: every score of every cell in long form, sorted, every digit. The file that a run is compared by, byte for
//! byte, and that pandas reads without help.

use trailmark_core::Score;
use trailmark_store::record::{CellRecord, Outcome, Role, Split};

/// Its columns.
pub const SCORES_COLUMNS: [&str; 14] = [
    "dataset",
    "encoder",
    "clusterer",
    "n_clusters",
    "fold",
    "repeat",
    "split",
    "role",
    "control",
    "metric",
    "value",
    "se",
    "status",
    "reason",
];

/// The text of `scores.csv`. A failed cell is one row with an empty split and metric, status `failed` and its reason, so
/// that it is neither lost nor mistaken for a score.
pub fn scores_csv(records: &[CellRecord]) -> String {
    let mut sorted: Vec<&CellRecord> = records.iter().collect();
    sorted.sort_by(|a, b| a.cell.cmp(&b.cell));
    let mut lines = vec![SCORES_COLUMNS.map(str::to_owned).to_vec()];
    for record in sorted {
        let cell = &record.cell;
        let name = [
            cell.dataset.clone(),
            cell.encoder.clone(),
            cell.clusterer.clone(),
            cell.n_clusters.to_string(),
            cell.fold.to_string(),
            cell.repeat.to_string(),
        ];
        match &record.outcome {
            Outcome::Failed(failure) => {
                let empty = String::new;
                let role = if cell.encoder == "none" && cell.clusterer == crate::ONE_CLUSTER {
                    Role::Control
                } else {
                    Role::Arm
                };
                let rest = [
                    empty(),
                    role_name(role).to_owned(),
                    empty(),
                    empty(),
                    empty(),
                    empty(),
                    "failed".to_owned(),
                    failure.to_string(),
                ];
                lines.push(name.into_iter().chain(rest).collect());
            }
            Outcome::Ok(scores) => {
                let mut rows: Vec<_> = scores.rows.iter().collect();
                rows.sort_by(|a, b| {
                    (a.split, a.role, &a.control, &a.metric).cmp(&(b.split, b.role, &b.control, &b.metric))
                });
                for row in rows {
                    let se = match &row.score {
                        Score::Approximate { se, .. } => digits(*se),
                        _ => String::new(),
                    };
                    let rest = [
                        split_name(row.split).to_owned(),
                        role_name(row.role).to_owned(),
                        row.control.clone(),
                        row.metric.clone(),
                        row.score.number().map_or(String::new(), digits),
                        se,
                        row.score.status().to_owned(),
                        row.score.reason(),
                    ];
                    lines.push(name.iter().cloned().chain(rest).collect());
                }
            }
        }
    }
    to_csv(lines)
}

pub(crate) fn split_name(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Test => "test",
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Arm => "arm",
        Role::Control => "control",
    }
}

/// The shortest digits that read back to the same bits, with an exponent where it is shorter.
pub(crate) fn digits(value: f64) -> String {
    format!("{value:?}")
}

/// Records as CSV with `\n` line ends, quoted where needed.
pub(crate) fn to_csv(records: Vec<Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in records {
        writer.write_record(record).expect("writing to memory does not fail, and all records have one length");
    }
    let bytes = writer.into_inner().expect("flushing to memory does not fail");
    String::from_utf8(bytes).expect("text in, text out")
}
