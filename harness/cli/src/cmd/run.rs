//! `trailmark run SUITE`

use trailmark_data::AssetStore;
use trailmark_runner::{Fault, Job, Limits, LoadedDataset, Prepared};
use trailmark_store::{FORMAT_VERSION, ObjectStore, RunDir, RunManifest};
use trailmark_suite::Suite;
use trailmark_suite::plan::{Filter, plan};

use crate::args::RunArgs;
use crate::catalogue::catalogue;
use crate::cmd::plan::{filter, nothing_selected};
use crate::error::{CliError, CliResult};
use crate::output::{answer, note};
use crate::progress::Progress;
use crate::runs::Inputs;
use crate::{exit_code, host, runs, view};

pub(crate) fn run(args: &RunArgs) -> CliResult<u8> {
    let filter = filter(&args.selection)?;
    let catalogue = catalogue();
    let suite = runs::load_suite(&args.suite.suite, &args.suite.set, &catalogue)?;
    let plan = plan(&suite, &filter);
    if plan.groups.is_empty() {
        return Err(nothing_selected());
    }
    let hash = trailmark_suite::suite_hash(&suite);
    let assets = AssetStore::from_env(&suite.base_dir, args.offline);
    let mut datasets = Vec::new();
    for config in &suite.datasets {
        let dataset = trailmark_data::load(config, &suite.sequence, &suite.split, suite.seed, &assets)?;
        let folds = trailmark_data::folds(&dataset, &suite.split, suite.seed)?;
        note(format!("{}: {} samples of {} rows", dataset.id, dataset.n_samples(), dataset.accounting.rows_read));
        datasets.push(LoadedDataset { dataset, folds });
    }
    let threads = args.threads.map_or_else(host::threads, usize::from);
    let limits =
        Limits { threads, memory_bytes: args.memory.unwrap_or_else(host::default_memory), budget_s: args.budget };
    let job = Job {
        suite: &suite,
        plan,
        catalogue: &catalogue,
        assets: &assets,
        datasets,
        store: ObjectStore::open(&runs::store_path())?,
        reuse_vectors: !args.fresh,
        limits,
        fault: planted_fault()?,
    };
    let prepared = trailmark_runner::prepare(job)?;
    let mut manifest = manifest(&suite, &prepared, hash, &args.suite.set, threads);
    let inputs = Inputs {
        suite_hash: hash,
        protocols: manifest.datasets.iter().map(|(id, facts)| (id.clone(), facts.protocol_id)).collect(),
        encoders: manifest.encoder_keys.clone(),
    };
    let run = runs::choose(&suite, &inputs, args.output.as_deref(), args.fresh)?;
    if let Some(before) = run.manifest()? {
        // Encoders that this selection leaves out have run before.
        for (id, key) in before.encoder_keys {
            manifest.encoder_keys.entry(id).or_insert(key);
        }
        manifest.metrics.extend(before.metrics);
    }
    run.start(&manifest, &trailmark_suite::resolved_toml(&suite))?;
    note(format!("running {} in {}, threads: {threads}", suite.name, run.path().display()));
    let progress = Progress::new();
    let summary = trailmark_runner::run(&prepared, &run, &progress);
    progress.finish();
    let summary = summary?;
    report(&run, &suite, manifest)?;
    note(format!(
        "{} cells, {} computed now, {} failed; report: {}",
        summary.cells,
        summary.computed,
        summary.failed,
        run.report_dir().join("index.html").display()
    ));
    if summary.stopped_early {
        note("stopped by the budget; run the same command to go on");
        return Ok(exit_code::STOPPED);
    }
    if summary.failed > 0 {
        note(format!("some cells failed: trailmark status {}", run.path().display()));
        return Ok(exit_code::CELLS_FAILED);
    }
    Ok(exit_code::OK)
}

fn report(run: &RunDir, suite: &Suite, manifest: RunManifest) -> CliResult<()> {
    view::compare(run, suite, &manifest)?;
    let view = view::read(run, manifest)?;
    view::write(run, &view)?;
    answer(trailmark_report::terminal(&view).trim_end());
    Ok(())
}

fn manifest(
    suite: &Suite,
    prepared: &Prepared<'_>,
    hash: trailmark_core::Key,
    set: &[String],
    threads: usize,
) -> RunManifest {
    let (vcs_commit, vcs_dirty) = host::vcs();
    RunManifest {
        format: FORMAT_VERSION,
        tool: format!("trailmark {}", env!("CARGO_PKG_VERSION")),
        suite: suite.name.clone(),
        suite_hash: hash,
        overrides: set.to_vec(),
        question: suite.question.clone(),
        primary: suite.score.primary.clone(),
        pick_rule: suite.sweep.pick.name().to_owned(),
        n_clusters: suite.sweep.n_clusters.clone(),
        folds: suite.split.folds,
        repeats: suite.split.repeats,
        encoders: suite.encoders.iter().map(|arm| (arm.id.clone(), arm.spec.name.to_owned())).collect(),
        clusterers: suite.clusterers.iter().map(|arm| (arm.id.clone(), arm.spec.name.to_owned())).collect(),
        encoder_keys: prepared.encoder_keys(),
        store: std::path::absolute(runs::store_path()).unwrap_or_else(|_| runs::store_path()).display().to_string(),
        n_cells: whole_plan(suite),
        datasets: prepared.dataset_facts(),
        metrics: prepared.metric_facts(),
        host: host::describe(),
        threads,
        libraries: host::libraries(),
        vcs_commit,
        vcs_dirty,
    }
}

/// Cells of the suite without filter or shard: declared values, auto cells, and one shared control a fold.
fn whole_plan(suite: &Suite) -> usize {
    let folds = suite.datasets.len() * suite.split.folds * suite.split.repeats;
    plan(suite, &Filter::default()).n_cells() + folds
}

/// `TRAILMARK_FAULT=panic:REGEX` plants a panic in the cells it matches, so that the containment of failures can be
/// tried on the real program.
fn planted_fault() -> CliResult<Option<Fault<'static>>> {
    let Ok(text) = std::env::var("TRAILMARK_FAULT") else { return Ok(None) };
    let pattern = text.strip_prefix("panic:").ok_or_else(|| {
        CliError::new(exit_code::USAGE, format!("error: TRAILMARK_FAULT is panic:REGEX, got {text:?}"))
    })?;
    let regex = regex::Regex::new(pattern)
        .map_err(|error| CliError::new(exit_code::USAGE, format!("error: TRAILMARK_FAULT: {error}")))?;
    Ok(Some(Box::new(move |cell: &str| regex.is_match(cell))))
}
