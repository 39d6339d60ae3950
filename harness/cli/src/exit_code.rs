//! Exit codes: part of the interface, listed in `--help` and README.

/// All is well.
pub(crate) const OK: u8 = 0;
/// An internal error, or a file or folder that cannot be read or written.
pub(crate) const INTERNAL: u8 = 1;
/// The command line is wrong.
pub(crate) const USAGE: u8 = 2;
/// The suite file is wrong.
pub(crate) const SUITE: u8 = 3;
/// Nothing was selected, or there is no result to show.
pub(crate) const NOTHING: u8 = 4;
/// Data or a model is missing, unreadable or not as declared.
pub(crate) const DATA: u8 = 5;
/// Some cells failed; the others have their scores.
pub(crate) const CELLS_FAILED: u8 = 10;
/// Stopped early; run again to go on.
pub(crate) const STOPPED: u8 = 11;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Exit codes:
   0  ok
   1  internal error, or a file or folder that cannot be read or written
   2  the command line is wrong
   3  the suite is invalid
   4  nothing was selected, or there is no result to show
   5  data or a model is missing, unreadable or not as declared
  10  some cells failed; the others have their scores
  11  stopped early; run again to go on
  20  gate: a metric regressed, drifted, is missing or errored
  21  gate: there is no baseline
  22  gate: the run and the baseline are not comparable
  23  gate: inconclusive (only with --fail-on-inconclusive)

Environment:
  TRAILMARK_STORE   folder of cached vectors, labels and per-user scores (default .trailmark)
  TRAILMARK_ASSETS  folder with datasets and models, looked in before the cache
  TRAILMARK_CACHE   folder that `fetch` fills (default: the user's cache folder)
  NO_COLOR          no colours";
