//! Tables, charts, the HTML page and the gate. Everything here is arithmetic and drawing over stored records: nothing is
//! run, nothing is fitted, no clock is read, so a report costs nothing to redo and says the same each time.
//!
//! ```text
//! RunView -> summary -> tables, charts, answer -> terminal | .md | .csv | .json | .tex | .svg | .png | index.html
//!         -> gate (with a Baseline) -> gate.json, a table, an exit code
//! ```

mod answer;
mod baseline;
mod chart;
mod gate;
mod html;
mod interval;
mod markdown;
mod number;
mod scores;
mod slug;
mod summary;
mod table;
mod tables;
mod terminal;
mod view;
mod write;

pub use answer::{Answer, answer};
pub use baseline::{BASELINE_SCHEMA, Baseline, BaselineData, BaselineError, BaselineScore, FoldValue, Made};
pub use chart::{ChartError, Figure, figures, png};
pub use gate::{
    EXIT_GATE_FAILED, EXIT_INCONCLUSIVE, EXIT_NO_BASELINE, EXIT_NOT_COMPARABLE, GATE_SCHEMA, Gate, GateError,
    GateReport, GateRow, GateRule, GateVerdict, gate,
};
pub use html::{HtmlError, html};
pub use markdown::markdown;
pub use scores::{SCORES_COLUMNS, scores_csv};
pub use summary::Summary;
pub use table::{Align, Cell, Column, Content, Format, ParseFormatError, Row, RowKind, Table};
pub use tables::{
    Width, accounting, comparisons, controls, cost, failures, internal, per_n_clusters, picks, ranking, undefined,
    warnings,
};
pub use terminal::terminal;
pub use view::{ONE_CLUSTER, RANDOM_LABELS, RunView, SilhouetteSample};
pub use write::{ReportError, write};
