//! Times k-means on vectors of an `.npy` file (little-endian f4 or f8, two dimensions), for `scripts/peers/kmeans.py`,
//! which asks line by line so that both sides run in turns:
//!
//! ```text
//! load X.npy              read the vectors
//! start START.npy ITER T  Lloyd's iteration from the given centres, at most ITER iterations, T threads
//! sweep N_INIT T K K ..   one sweep over these numbers of clusters
//! mini K T                mini-batch k-means
//! ```
//! Answers are `seconds cpu_seconds inertia.. n_iter..`, one line each. `large N D K` makes N rows by itself and fits
//! k-means and mini-batch k-means once each, to be run under `/usr/bin/time -v`.
#![expect(clippy::unwrap_used, reason = "a program of the bench: it stops at what it does not understand")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::io::BufRead;
use std::time::Instant;

use trailmark_cluster::lloyd_from_start;
use trailmark_core::contract::{Context, ModelValue, Partition, Points, SweepPoint};
use trailmark_core::{Matrix, ParamValue, Params, Space, Stream};

enum Vectors {
    F32(Matrix<f32>),
    F64(Matrix<f64>),
}

impl Vectors {
    fn points(&self) -> Points<'_> {
        match self {
            Self::F32(x) => x.into(),
            Self::F64(x) => x.into(),
        }
    }
}

fn read(path: &str) -> Vectors {
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.starts_with(b"\x93NUMPY\x01"), "{path} is no .npy file of version 1");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
    assert!(header.contains("'fortran_order': False"), "{path} is not row-major");
    let shape = header.split("'shape': (").nth(1).unwrap().split(')').next().unwrap();
    let shape: Vec<usize> = shape.split(',').map(|part| part.trim().parse().unwrap()).collect();
    let body = &bytes[10 + length..];
    if header.contains("<f4") {
        let values = body.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        Vectors::F32(Matrix::from_vec(shape[0], shape[1], values).unwrap())
    } else {
        let values = body.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
        Vectors::F64(Matrix::from_vec(shape[0], shape[1], values).unwrap())
    }
}

fn context(threads: &str) -> Context {
    Context { seed: 1, threads: threads.parse().unwrap(), memory_bytes: 6 << 30 }
}

fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> =
        text.rsplit(')').next().unwrap_or("").split_whitespace().skip(11).take(2).map(|v| v.parse().unwrap()).collect();
    fields.iter().sum::<f64>() / 100.0
}

fn fit(
    name: &str,
    params: &[(&str, i64)],
    x: Points<'_>,
    n_clusters: &[usize],
    ctx: &Context,
) -> Vec<Box<dyn Partition>> {
    let entry = trailmark_cluster::registry().into_iter().find(|entry| entry.spec.name == name).unwrap();
    let params = params
        .iter()
        .fold(Params::defaults(entry.spec), |all, (name, value)| all.with(name, ParamValue::Integer(*value)));
    let points: Vec<SweepPoint> =
        n_clusters.iter().map(|&k| SweepPoint { n_clusters: Some(k), seed: k as u64 }).collect();
    let fits = (entry.build)(&params).unwrap().fit_sweep(&Space::of(x), &points, ctx);
    fits.into_iter().map(|fit| fit.unwrap_or_else(|failure| panic!("{failure}"))).collect()
}

fn said(fits: &[Box<dyn Partition>]) -> String {
    let inertias: Vec<String> = fits.iter().map(|fit| fit.inertia().unwrap().to_string()).collect();
    let iterations = fits.iter().map(|fit| {
        let model = fit.model();
        let n_iter = model.iter().find(|(name, _)| *name == "n_iter").map(|(_, value)| value.clone());
        if let Some(ModelValue::Count(n)) = n_iter { n.to_string() } else { "-".to_owned() }
    });
    format!("{} {}", inertias.join(" "), iterations.collect::<Vec<_>>().join(" "))
}

fn large(n: usize, d: usize, k: usize) {
    let mut draws = Stream::new(1);
    let centres: Vec<f32> = (0..k * d).map(|_| 3.0 * draws.normal() as f32).collect();
    let mut x = Matrix::<f32>::zeros(n, d);
    for i in 0..n {
        let centre = &centres[(i % k) * d..(i % k + 1) * d];
        // A sum of uniform draws is near enough to normal here, and ten times as fast.
        for (value, centre) in x.row_mut(i).iter_mut().zip(centre) {
            *value = centre + 3.46 * (draws.uniform() + draws.uniform() + draws.uniform() - 1.5) as f32;
        }
    }
    for (name, params) in [("kmeans", &[("n_init", 1)][..]), ("mini_batch_kmeans", &[])] {
        let clock = Instant::now();
        let fits = fit(name, params, (&x).into(), &[k], &context("2"));
        println!(
            "{name} {n} x {d}, {k} clusters: {:.2} s, inertia and iterations {}",
            clock.elapsed().as_secs_f64(),
            said(&fits)
        );
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|word| word == "large") {
        let sizes: Vec<usize> = args[1..].iter().map(|word| word.parse().unwrap()).collect();
        large(sizes[0], sizes[1], sizes[2]);
        return;
    }
    let mut x = None;
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        if words[0] == "load" {
            x = Some(read(words[1]));
            println!("loaded");
            continue;
        }
        let x = x.as_ref().unwrap().points();
        let start = (words[0] == "start").then(|| read(words[1]));
        let (clock, cpu) = (Instant::now(), cpu_seconds());
        let answer = match words[0] {
            "start" => {
                let start = start.as_ref().unwrap().points().to_f64().into_owned();
                let found = lloyd_from_start(x, &start, words[2].parse().unwrap(), 1e-4, &context(words[3])).unwrap();
                format!("{} {}", found.inertia, found.n_iter)
            }
            "sweep" => {
                let n_clusters: Vec<usize> = words[3..].iter().map(|word| word.parse().unwrap()).collect();
                said(&fit("kmeans", &[("n_init", words[1].parse().unwrap())], x, &n_clusters, &context(words[2])))
            }
            "mini" => said(&fit("mini_batch_kmeans", &[], x, &[words[1].parse().unwrap()], &context(words[2]))),
            other => panic!("no such command: {other}"),
        };
        println!("{} {} {answer}", clock.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    }
}
