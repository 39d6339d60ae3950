//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::exit_code;

/// Which way of turning behaviour sequences into groups is better, by how much, and is that more than luck?
#[derive(Debug, Parser)]
#[command(name = "trailmark", version, after_help = exit_code::HELP, propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read a suite and say what is wrong with it; runs nothing
    Check(SuiteArgs),
    /// Say what a run would compute, what is there already and how much work that is; runs nothing
    Plan(PlanArgs),
    /// Turn plain texts into vectors, without a suite
    Encode(EncodeArgs),
    /// Group plain vectors, without a suite
    Cluster(ClusterArgs),
    /// Bring datasets and models into the cache and check them
    Fetch(FetchArgs),
    /// Run what is missing of a suite, compare, and write the report
    Run(RunArgs),
    /// Say how far a run is and what failed
    Status(RunFolder),
    /// Write tables, charts and index.html of a run again, from what it stored
    Report(RunFolder),
    /// Test the declared comparisons of a run again and print them
    Compare(Show),
    /// Keep the numbers of a run as the baseline of later ones
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Compare a run with the stored baseline and fail when a metric drifted
    Gate(GateArgs),
    /// List what a suite can name
    List(ListArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SuiteArgs {
    /// The suite file
    pub(crate) suite: PathBuf,
    /// Change one value: suite.seed=9, dataset.shop.separation=0, encoder.w2v.dim=32
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Only cells whose name matches: dataset/encoder/clusterer/k=8/fold=2/rep=0
    #[arg(short = 'f', long = "filter", value_name = "REGEX")]
    pub(crate) include: Vec<String>,
    /// Not the cells whose name matches
    #[arg(short = 'F', long = "filter-out", value_name = "REGEX")]
    pub(crate) exclude: Vec<String>,
    /// The i-th of n parts of the plan, counted from 1
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) suite: SuiteArgs,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// The run folder to compare with (default: the one `run` would use)
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EncodeArgs {
    /// Kind of encoder: bert, tfidf, ..; `trailmark list encoders` names them
    pub(crate) kind: String,
    /// One text a line, or a CSV file with --column; words between blanks are the tokens
    pub(crate) file: PathBuf,
    /// The column of a CSV file that holds the texts
    #[arg(long, value_name = "NAME")]
    pub(crate) column: Option<String>,
    /// Where the vectors go: .npy, .safetensors or .csv
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// A parameter of the encoder: model=minilm, dim=32
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Seed of encoders that learn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Use the network for nothing
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ClusterArgs {
    /// Kind of clusterer: kmeans, agglomerative, ..; `trailmark list clusterers` names them
    pub(crate) kind: String,
    /// One row a sample: .npy (f4 or f8), .safetensors or .csv
    pub(crate) file: PathBuf,
    /// Number of clusters: 8, several as 2,4,8, or all of 2-10
    #[arg(short = 'k', long, value_name = "K", value_parser = parse_n_clusters)]
    pub(crate) n_clusters: Option<Values>,
    /// Where the labels go, a .csv with the columns sample and label (one column a value of -k); -1 is noise
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Where the model goes, a .json: centres, sizes, the rule for new samples, what was found on the way
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,
    /// Assign the rows of another file too
    #[arg(long, value_name = "FILE", requires = "assigned")]
    pub(crate) assign: Option<PathBuf>,
    /// Where the labels of --assign go
    #[arg(long, value_name = "FILE", requires = "assign")]
    pub(crate) assigned: Option<PathBuf>,
    /// A parameter of the clusterer: n_init=3, linkage=average
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Seed of random starts
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Threads; results do not depend on it (default: all cores)
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Memory it may use, such as 8GiB; what needs more is refused (default: half of the machine's)
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub(crate) memory: Option<u64>,
}

/// Whole numbers of one option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Values(pub(crate) Vec<usize>);

#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// Names of datasets and models, or suite files (everything they name)
    #[arg(required = true)]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) suite: SuiteArgs,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// The run folder (default: runs/SUITE, resumed while the suite is the same)
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Start a new run folder and compute everything again
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Threads; results do not depend on it (default: all cores)
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Memory that one fitting step may use, such as 8GiB; what needs more is refused (default: half of the machine's)
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub(crate) memory: Option<u64>,
    /// Start nothing new after this long, such as 10m; run again to go on
    #[arg(long, value_name = "TIME", value_parser = parse_seconds)]
    pub(crate) budget: Option<f64>,
    /// Use the network for nothing
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunFolder {
    /// A run folder, or a suite file (the last folder under runs/ with that suite as it is now)
    pub(crate) run: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) run: RunFolder,
    /// How to print
    #[arg(long, value_enum, default_value_t = FormatArg::Table)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Write the gated numbers of a run to the baseline file
    Save(BaselineArgs),
}

#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    #[command(flatten)]
    pub(crate) run: RunFolder,
    /// The baseline file (default: reports/baselines/SUITE.toml)
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct GateArgs {
    #[command(flatten)]
    pub(crate) baseline: BaselineArgs,
    /// Leave with 23 when a gate can neither pass nor fail
    #[arg(long)]
    pub(crate) fail_on_inconclusive: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = FormatArg::Table)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// What to list
    #[arg(value_enum)]
    pub(crate) what: ListWhat,
    /// How to print
    #[arg(long, value_enum, default_value_t = FormatArg::Table)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListWhat {
    Encoders,
    Clusterers,
    Posts,
    Metrics,
    Recommenders,
    Datasets,
    Models,
    /// The reference suite: every key with its default
    Reference,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    Table,
    Markdown,
    Csv,
    Json,
    Latex,
}

impl From<FormatArg> for trailmark_report::Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Table => Self::Table,
            FormatArg::Markdown => Self::Markdown,
            FormatArg::Csv => Self::Csv,
            FormatArg::Json => Self::Json,
            FormatArg::Latex => Self::Latex,
        }
    }
}

fn split_unit(text: &str) -> Result<(f64, &str), String> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number = text[..at].parse::<f64>().map_err(|_| format!("{text:?} does not start with a number"))?;
    Ok((number, text[at..].trim()))
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split_unit(text)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" | "kb" => 1024.0,
        "m" | "mib" | "mb" => 1024.0 * 1024.0,
        "g" | "gib" | "gb" => 1024.0 * 1024.0 * 1024.0,
        _ => return Err(format!("{unit:?} is no unit; use KiB, MiB or GiB")),
    };
    Ok((number * factor) as u64)
}

/// `8`, `2,4,8` or `2-10`, each at least 1, ascending and distinct.
fn parse_n_clusters(text: &str) -> Result<Values, String> {
    let number = |text: &str| match text.trim().parse::<usize>() {
        Ok(value) if value >= 1 => Ok(value),
        _ => Err(format!("{text:?} is no number of clusters; write 8, 2,4,8 or 2-10")),
    };
    let mut values = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            Some((from, to)) => values.extend(number(from)?..=number(to)?),
            None => values.push(number(part)?),
        }
    }
    values.sort_unstable();
    values.dedup();
    if values.is_empty() { Err(format!("{text:?} goes from high to low")) } else { Ok(Values(values)) }
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    let (number, unit) = split_unit(text)?;
    match unit {
        "" | "s" => Ok(number),
        "m" => Ok(number * 60.0),
        "h" => Ok(number * 3600.0),
        _ => Err(format!("{unit:?} is no unit; use s, m or h")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!(parse_bytes("1.5GiB"), Ok(3 * 512 * 1024 * 1024));
        assert_eq!(parse_seconds("10m"), Ok(600.0));
        assert_eq!(parse_n_clusters("4,2-3,3"), Ok(Values(vec![2, 3, 4])));
        assert_eq!(parse_n_clusters("5-2").unwrap_err(), "\"5-2\" goes from high to low");
        assert_eq!(parse_n_clusters("0").unwrap_err(), "\"0\" is no number of clusters; write 8, 2,4,8 or 2-10");
        assert_eq!(parse_bytes("3 parsecs").unwrap_err(), "\"parsecs\" is no unit; use KiB, MiB or GiB");
    }
}
