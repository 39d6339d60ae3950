//! The sweep as a list of groups and cells. The plan is a function of the suite and the filter alone: no data, no
//! clock, no machine.

use regex::Regex;
use thiserror::Error;
use trailmark_core::{CellName, NClusters};

use crate::checked::Suite;

/// Which part of a suite runs.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    include: Vec<Regex>,
    exclude: Vec<Regex>,
    /// This shard, from 0, and the number of shards.
    shard: Option<(usize, usize)>,
}

/// A filter that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilterError {
    /// Not a regular expression.
    #[error("the filter {pattern:?} is not a regular expression: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        reason: String,
    },
    /// Not a shard.
    #[error("a shard is written i/n with i from 1 to n, as in 2/8; got {text:?}")]
    Shard {
        /// The text.
        text: String,
    },
}

impl Filter {
    /// A cell runs if its name matches any pattern of `include` (or there is none) and no pattern of `exclude`.
    /// `shard` is `i/n`: of all groups that are left, every n-th one from the i-th on.
    ///
    /// # Errors
    /// A pattern or shard that cannot be read.
    pub fn new(include: &[String], exclude: &[String], shard: Option<&str>) -> Result<Self, FilterError> {
        let compile = |patterns: &[String]| {
            patterns
                .iter()
                .map(|pattern| {
                    Regex::new(pattern).map_err(|error| FilterError::Pattern {
                        pattern: pattern.clone(),
                        reason: crate::check::score::regex_reason(&error),
                    })
                })
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self { include: compile(include)?, exclude: compile(exclude)?, shard: shard.map(read_shard).transpose()? })
    }

    /// True when the cell of that name is wanted by the patterns.
    pub fn takes(&self, name: &str) -> bool {
        let any = |patterns: &[Regex]| patterns.iter().any(|pattern| pattern.is_match(name));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }
}

fn read_shard(text: &str) -> Result<(usize, usize), FilterError> {
    let read = || {
        let (shard, shards) = text.split_once('/')?;
        let (shard, shards): (usize, usize) = (shard.parse().ok()?, shards.parse().ok()?);
        (1..=shards).contains(&shard).then(|| (shard - 1, shards))
    };
    read().ok_or_else(|| FilterError::Shard { text: text.to_owned() })
}

/// What runs: groups ordered by dataset, encoder, repeat, fold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The groups.
    pub groups: Vec<Group>,
}

/// The unit of work of the runner: everything that shares one set of vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Index into `Suite::datasets`.
    pub dataset: usize,
    /// Index into `Suite::encoders`.
    pub encoder: usize,
    /// Fold, from 0.
    pub fold: usize,
    /// Repeat, from 0.
    pub repeat: usize,
    /// Cells with a declared n_clusters, by clusterer and n_clusters.
    pub cells: Vec<PlannedCell>,
    /// Clusterers whose cell with n_clusters = auto is wanted. The choice needs the whole sweep, also where the
    /// filter leaves cells of it out.
    pub autos: Vec<usize>,
}

/// A cell with a declared n_clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedCell {
    /// Index into `Suite::clusterers`.
    pub clusterer: usize,
    /// Number of clusters.
    pub n_clusters: usize,
}

/// Plans a suite.
pub fn plan(suite: &Suite, filter: &Filter) -> Plan {
    let mut groups = Vec::new();
    for dataset in 0..suite.datasets.len() {
        for encoder in 0..suite.encoders.len() {
            for repeat in 0..suite.split.repeats {
                for fold in 0..suite.split.folds {
                    let group = group(suite, filter, dataset, encoder, fold, repeat);
                    if !group.cells.is_empty() || !group.autos.is_empty() {
                        groups.push(group);
                    }
                }
            }
        }
    }
    if let Some((shard, shards)) = filter.shard {
        groups = groups.into_iter().skip(shard).step_by(shards).collect();
    }
    Plan { groups }
}

fn group(suite: &Suite, filter: &Filter, dataset: usize, encoder: usize, fold: usize, repeat: usize) -> Group {
    let wanted = |clusterer: usize, n_clusters: NClusters| {
        let (dataset, encoder) = (&suite.datasets[dataset].id, &suite.encoders[encoder].id);
        let cell = CellName {
            dataset: dataset.clone(),
            encoder: encoder.clone(),
            clusterer: suite.clusterers[clusterer].id.clone(),
            n_clusters,
            fold,
            repeat,
        };
        filter.takes(&cell.to_string())
    };
    let mut group = Group { dataset, encoder, fold, repeat, cells: Vec::new(), autos: Vec::new() };
    for clusterer in 0..suite.clusterers.len() {
        let values = suite.clusterers[clusterer].sweep(&suite.sweep);
        let fixed = values.iter().filter(|value| wanted(clusterer, NClusters::Fixed(**value)));
        group.cells.extend(fixed.map(|value| PlannedCell { clusterer, n_clusters: *value }));
        if wanted(clusterer, NClusters::Auto) {
            group.autos.push(clusterer);
        }
    }
    group
}

impl Group {
    /// `dataset/encoder/fold=2/rep=0`.
    pub fn name(&self, suite: &Suite) -> String {
        let (dataset, encoder) = (&suite.datasets[self.dataset].id, &suite.encoders[self.encoder].id);
        format!("{dataset}/{encoder}/fold={}/rep={}", self.fold, self.repeat)
    }

    /// Names of all cells in the order they are planned, each clusterer's auto cell behind its declared values.
    pub fn cell_names(&self, suite: &Suite) -> Vec<String> {
        let mut cells: Vec<(usize, NClusters)> =
            self.cells.iter().map(|cell| (cell.clusterer, NClusters::Fixed(cell.n_clusters))).collect();
        cells.extend(self.autos.iter().map(|clusterer| (*clusterer, NClusters::Auto)));
        cells.sort_unstable();
        let (dataset, encoder) = (&suite.datasets[self.dataset].id, &suite.encoders[self.encoder].id);
        cells
            .into_iter()
            .map(|(clusterer, n_clusters)| {
                let cell = CellName {
                    dataset: dataset.clone(),
                    encoder: encoder.clone(),
                    clusterer: suite.clusterers[clusterer].id.clone(),
                    n_clusters,
                    fold: self.fold,
                    repeat: self.repeat,
                };
                cell.to_string()
            })
            .collect()
    }

    /// Partitions that are fitted: the whole sweep of a clusterer whose auto cell is wanted, else the planned cells.
    pub fn fits(&self, suite: &Suite) -> usize {
        let alone = self.cells.iter().filter(|cell| !self.autos.contains(&cell.clusterer)).count();
        let autos = self.autos.iter().map(|&clusterer| suite.clusterers[clusterer].sweep(&suite.sweep).len().max(1));
        alone + autos.sum::<usize>()
    }
}

/// How much a plan asks for. Counts of work, not seconds: those depend on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Groups; each fits its encoder once, unless that is frozen.
    pub groups: usize,
    /// Cells with a declared n_clusters.
    pub cells: usize,
    /// Cells with n_clusters = auto.
    pub auto_cells: usize,
    /// Partitions fitted.
    pub fits: usize,
    /// Training rows times partitions, where the sizes of all datasets are known.
    pub fitted_rows: Option<u64>,
    /// Pairs of rows whose distance internal scores look at, where the sizes of all datasets are known.
    pub row_pairs: Option<u64>,
}

impl Plan {
    /// Number of cells, auto cells included.
    pub fn n_cells(&self) -> usize {
        self.groups.iter().map(|group| group.cells.len() + group.autos.len()).sum()
    }

    /// Names of all cells in planned order.
    pub fn cell_names(&self, suite: &Suite) -> Vec<String> {
        self.groups.iter().flat_map(|group| group.cell_names(suite)).collect()
    }

    /// Estimates the work. `n_samples` holds the number of samples of each dataset of the suite, where known.
    pub fn work(&self, suite: &Suite, n_samples: &[Option<usize>]) -> Work {
        let sized = |per_group: &dyn Fn(u64, &Group) -> u64| {
            self.groups.iter().try_fold(0_u64, |sum, group| {
                let samples = (*n_samples.get(group.dataset)?)? as u64;
                Some(sum.saturating_add(per_group(samples, group)))
            })
        };
        let folds = suite.split.folds as u64;
        let pairs = |rows: u64| rows.saturating_mul(rows.saturating_sub(1)) / 2;
        Work {
            groups: self.groups.len(),
            cells: self.groups.iter().map(|group| group.cells.len()).sum(),
            auto_cells: self.groups.iter().map(|group| group.autos.len()).sum(),
            fits: self.groups.iter().map(|group| group.fits(suite)).sum(),
            fitted_rows: sized(&|samples, group| (samples - samples / folds).saturating_mul(group.fits(suite) as u64)),
            row_pairs: sized(&|samples, _| {
                let test = samples / folds;
                pairs(samples - test).saturating_add(pairs(test))
            }),
        }
    }
}
