//! How fitting time grows with the number of users and of clusters, for every clusterer of the registry:
//!
//! ```text
//! cargo bench -p trailmark-cluster --bench growth [-- <largest n_samples>]
//! ```
//!
//! writes `growth.csv` and `growth.svg` beside this file. Whatever is registered is measured with its defaults, and
//! with every value of a parameter named `linkage`. Whoever took longer than [`PATIENCE_S`] is not asked for more.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use plotters::prelude::*;
use plotters::style::register_font;
use trailmark_core::catalogue::ClustererEntry;
use trailmark_core::contract::{Clusterer, Context, NumberOfClusters, SweepPoint};
use trailmark_core::spec::{ParamDefault, ParamValue};
use trailmark_core::{Matrix, ParamKind, Params, Space, Stream};

const SAMPLES: [usize; 5] = [1000, 2000, 5000, 10_000, 20_000];
const CLUSTERS: [usize; 5] = [2, 8, 32, 64, 128];
/// n_samples while n_clusters grows, and the other way round.
const FIXED_SAMPLES: usize = 5000;
const FIXED_CLUSTERS: usize = 32;
const FEATURES: usize = 64;
const GROUPS: usize = 20;
/// About the distance of two rows of one group, where a radius must be given.
const RADIUS: f64 = 11.0;
/// A fit longer than this is the last of its line.
const PATIENCE_S: f64 = 10.0;
/// Fits shorter than this are repeated, and the fastest counts.
const REPEAT_BELOW_S: f64 = 2.0;
const CTX: Context = Context { seed: 1, threads: 2, memory_bytes: 8 << 30 };

/// A line of the charts.
struct Arm {
    name: String,
    clusterer: Box<dyn Clusterer>,
    found: bool,
}

/// One measured fit, or why there is none.
struct Row {
    arm: usize,
    grows: &'static str,
    n_samples: usize,
    n_clusters: &'static [usize],
    seconds: Result<f64, String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds --bench, `cargo test` does not: there is nothing to test here.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let largest = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(usize::MAX);
    let arms = arms()?;
    let rows = measure(&arms, largest);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
    std::fs::write(folder.join("growth.csv"), csv(&arms, &rows))?;
    std::fs::write(folder.join("growth.svg"), chart(&arms, &rows)?)?;
    Ok(())
}

fn arms() -> Result<Vec<Arm>, Box<dyn Error>> {
    let mut arms = Vec::new();
    for ClustererEntry { spec, n_clusters, build } in trailmark_cluster::registry() {
        let found = n_clusters == NumberOfClusters::Found;
        let mut defaults = Params::defaults(spec);
        for param in spec.params.iter().filter(|param| param.default == ParamDefault::Required) {
            defaults.set(param.name, ParamValue::Number(RADIUS)); // the only required ones are radii
        }
        let linkages = spec.param("linkage").map(|param| param.kind);
        match linkages {
            Some(ParamKind::Choice(words)) => {
                for word in words {
                    let params = defaults.clone().with("linkage", ParamValue::Text((*word).to_owned()));
                    arms.push(Arm { name: format!("{}, {word}", spec.name), clusterer: build(&params)?, found });
                }
            }
            _ => arms.push(Arm { name: spec.name.to_owned(), clusterer: build(&defaults)?, found }),
        }
    }
    Ok(arms)
}

/// The charts: a fit by n_samples, a sweep over all of [`CLUSTERS`] by n_samples, a fit by n_clusters.
fn measure(arms: &[Arm], largest: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let fixed = FIXED_SAMPLES.min(largest);
    for (at, arm) in arms.iter().enumerate() {
        let one: &'static [usize] = &[FIXED_CLUSTERS];
        let by_samples = |n_clusters| SAMPLES.into_iter().filter(|n| *n <= largest).map(move |n| (n, n_clusters));
        let mut lines = vec![("n_samples", by_samples(one).collect::<Vec<_>>())];
        if !arm.found {
            lines.push(("n_samples, a sweep", by_samples(&CLUSTERS).collect()));
            lines.push(("n_clusters", CLUSTERS.chunks(1).map(|n_clusters| (fixed, n_clusters)).collect()));
        }
        for (grows, sizes) in lines {
            for (n_samples, n_clusters) in sizes {
                let seconds = fit_s(arm, &groups(n_samples), n_clusters);
                eprintln!("{}, {grows}, {n_samples} users, {n_clusters:?}: {seconds:?}", arm.name);
                let last = seconds.as_ref().map_or(true, |seconds| *seconds > PATIENCE_S);
                rows.push(Row { arm: at, grows, n_samples, n_clusters, seconds });
                if last {
                    break;
                }
            }
        }
    }
    rows
}

/// Seconds of the fastest of up to three fits.
fn fit_s(arm: &Arm, x: &Matrix<f32>, n_clusters: &[usize]) -> Result<f64, String> {
    let points: Vec<SweepPoint> = n_clusters
        .iter()
        .map(|&k| SweepPoint { n_clusters: (!arm.found).then_some(k), seed: 100 + k as u64 })
        .collect();
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        #[expect(clippy::disallowed_methods, reason = "a bench reads the clock, and no result depends on it")]
        let start = Instant::now();
        let partitions = arm.clusterer.fit_sweep(&Space::of(x), &points, &CTX);
        best = best.min(start.elapsed().as_secs_f64());
        if let Some(failure) = partitions.into_iter().find_map(Result::err) {
            return Err(failure.to_string());
        }
        if best > REPEAT_BELOW_S {
            break;
        }
    }
    Ok(best)
}

/// Overlapping groups: [`GROUPS`] centres at a standard deviation of 1, rows around them at the same.
fn groups(n_samples: usize) -> Matrix<f32> {
    let mut stream = Stream::new(1);
    let centres: Vec<f64> = (0..GROUPS * FEATURES).map(|_| stream.normal()).collect();
    let mut x = Matrix::<f32>::zeros(n_samples, FEATURES);
    for row in 0..n_samples {
        let group = stream.below(GROUPS);
        for (at, value) in x.row_mut(row).iter_mut().enumerate() {
            *value = (centres[group * FEATURES + at] + stream.normal()) as f32;
        }
    }
    x
}

fn csv(arms: &[Arm], rows: &[Row]) -> String {
    let mut text = "clusterer,grows,n_samples,n_features,n_clusters,seconds,refused\n".to_owned();
    for row in rows {
        let n_clusters: Vec<String> = row.n_clusters.iter().map(usize::to_string).collect();
        let n_clusters = if arms[row.arm].found { "auto".to_owned() } else { n_clusters.join(" ") };
        let (seconds, refused) = match &row.seconds {
            Ok(seconds) => (format!("{seconds:.4}"), String::new()),
            Err(reason) => (String::new(), reason.replace('"', "'")),
        };
        let (name, grows) = (&arms[row.arm].name, row.grows);
        let _ =
            writeln!(text, "\"{name}\",\"{grows}\",{},{FEATURES},{n_clusters},{seconds},\"{refused}\"", row.n_samples);
    }
    text
}

fn chart(arms: &[Arm], rows: &[Row]) -> Result<String, Box<dyn Error>> {
    for style in [FontStyle::Normal, FontStyle::Bold] {
        register_font("DejaVu Sans", style, dejavu::sans::regular()).map_err(|_| "the font could not be read")?;
    }
    let fixed = rows.iter().find(|row| row.grows == "n_clusters").map_or(FIXED_SAMPLES, |row| row.n_samples);
    let panels = [
        ("n_samples", format!("one fit, n_clusters = {FIXED_CLUSTERS}"), "n_samples"),
        ("n_samples, a sweep", format!("one sweep of {} n_clusters", CLUSTERS.len()), "n_samples"),
        ("n_clusters", format!("one fit, n_samples = {fixed}"), "n_clusters"),
    ];
    let legend_rows = arms.len().div_ceil(4) as u32;
    let mut svg = String::new();
    {
        let all = SVGBackend::with_string(&mut svg, (1260, 420 + 22 * legend_rows)).into_drawing_area();
        all.fill(&WHITE)?;
        let (top, legend) = all.split_vertically(410);
        for ((grows, title, axis), area) in panels.iter().zip(top.split_evenly((1, 3))) {
            panel(&area, arms, rows, grows, title, axis)?;
        }
        for (at, arm) in arms.iter().enumerate() {
            let (x, y) = (30 + 305 * (at % 4) as i32, 4 + 22 * (at / 4) as i32);
            legend.draw(&PathElement::new([(x, y + 7), (x + 26, y + 7)], look(at).stroke_width(2)))?;
            legend.draw_text(&arm.name, &("DejaVu Sans", 14).into_text_style(&legend), (x + 34, y))?;
        }
        all.present()?;
    }
    Ok(svg)
}

fn panel(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    arms: &[Arm],
    rows: &[Row],
    grows: &str,
    title: &str,
    axis: &str,
) -> Result<(), Box<dyn Error>> {
    let size = |row: &Row| if axis == "n_samples" { row.n_samples as f64 } else { row.n_clusters[0] as f64 };
    let shown: Vec<(usize, f64, f64)> = rows
        .iter()
        .filter(|row| row.grows == grows)
        .filter_map(|row| row.seconds.as_ref().ok().map(|seconds| (row.arm, size(row), *seconds)))
        .collect();
    let range = |value: fn(&(usize, f64, f64)) -> f64| {
        let low = shown.iter().map(value).fold(f64::INFINITY, f64::min);
        let high = shown.iter().map(value).fold(0.0, f64::max);
        if low < high { low * 0.8..high * 1.25 } else { 0.5..2.0 }
    };
    let (sizes, seconds) = (range(|point| point.1), range(|point| point.2));
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("DejaVu Sans", 16))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(62)
        .build_cartesian_2d(sizes.log_scale(), seconds.log_scale())?;
    chart
        .configure_mesh()
        .x_desc(axis)
        .y_desc("seconds")
        .x_labels(5)
        .label_style(("DejaVu Sans", 12))
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_label_formatter(&|value| format!("{value}"))
        .draw()?;
    for arm in 0..arms.len() {
        let points: Vec<(f64, f64)> =
            shown.iter().filter(|point| point.0 == arm).map(|point| (point.1, point.2)).collect();
        chart.draw_series(LineSeries::new(points.iter().copied(), look(arm).stroke_width(2)))?;
        chart.draw_series(points.into_iter().map(|point| Circle::new(point, 3, look(arm).filled())))?;
    }
    Ok(())
}

/// The colour of a line: Okabe-Ito without yellow, then the same ones lighter.
fn look(arm: usize) -> RGBAColor {
    const PALETTE: [RGBColor; 7] = [
        RGBColor(0, 114, 178),
        RGBColor(213, 94, 0),
        RGBColor(0, 158, 115),
        RGBColor(204, 121, 167),
        RGBColor(230, 159, 0),
        RGBColor(86, 180, 233),
        RGBColor(60, 60, 60),
    ];
    PALETTE[arm % PALETTE.len()].mix([1.0, 0.55, 0.3][arm / PALETTE.len() % 3])
}
