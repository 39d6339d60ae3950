//! `trailmark report RUN`

use crate::args::RunFolder;
use crate::catalogue::catalogue;
use crate::error::CliResult;
use crate::output::answer;
use crate::{exit_code, runs, view};

pub(crate) fn run(args: &RunFolder) -> CliResult<u8> {
    let (run, manifest) = runs::open(&args.run, &catalogue())?;
    let view = view::read(&run, manifest)?;
    for path in view::write(&run, &view)? {
        answer(path.display());
    }
    Ok(exit_code::OK)
}
