//! Times word2vec on a corpus with planted groups and writes the corpus and its vectors for `scripts/peers/word2vec.py`,
//! which times gensim on the same words in the same sitting.
//!
//! `word2vec_speed <folder> make [n_tokens]` writes `corpus.txt` (one sample per line) and `groups.txt` (one token and its
//! group per line); `word2vec_speed <folder> <workers> [hogwild|cbow|glove]` trains on it, prints seconds and writes `vectors.txt`.
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock, and no result depends on it")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use trailmark_core::contract::{Assets, Context};
use trailmark_core::{ParamValue, Params, SequenceView, Sequences, Stream};

const GROUPS: usize = 100;
const PER_GROUP: usize = 17;

struct NoAssets;

impl Assets for NoAssets {
    fn model(&self, name: &str) -> Result<PathBuf, String> {
        Err(format!("there is no model {name}"))
    }

    fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(path)
    }
}

/// Samples of 20 to 180 tokens that leave a group with chance 0.9 after each token; groups and tokens follow power laws.
fn make(folder: &Path, n_tokens: usize) -> std::io::Result<()> {
    let mut draws = Stream::new(1);
    let of_groups: Vec<f64> = (1..=GROUPS).map(|rank| 1.0 / (rank as f64).sqrt()).collect();
    let of_tokens: Vec<f64> = (1..=PER_GROUP).map(|rank| 1.0 / rank as f64).collect();
    let (mut corpus, mut written) = (String::new(), 0);
    while written < n_tokens {
        let length = 20 + draws.below(161);
        let mut group = draws.weighted(&of_groups);
        for at in 0..length {
            if draws.chance(0.9) {
                group = draws.weighted(&of_groups);
            }
            let blank = if at == 0 { "" } else { " " };
            let _ = write!(corpus, "{blank}t{}", group * PER_GROUP + draws.weighted(&of_tokens));
        }
        corpus.push('\n');
        written += length;
    }
    let groups: String = (0..GROUPS * PER_GROUP).map(|token| format!("t{token} {}\n", token / PER_GROUP)).collect();
    std::fs::write(folder.join("corpus.txt"), corpus)?;
    std::fs::write(folder.join("groups.txt"), groups)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = PathBuf::from(arguments.first().ok_or("name a folder")?);
    let what = arguments.get(1).ok_or("say make, or a number of workers")?;
    if what == "make" {
        return Ok(make(&folder, arguments.get(2).map_or(Ok(2_000_000), |text| text.parse())?)?);
    }
    let workers: usize = what.parse()?;
    let variant = arguments.get(2).map_or("", String::as_str);
    let corpus = std::fs::read_to_string(folder.join("corpus.txt"))?;
    let n = GROUPS * PER_GROUP;
    let mut tokens: Vec<Vec<u32>> =
        corpus.lines().map(|line| line.split(' ').map(|name| name[1..].parse()).collect()).collect::<Result<_, _>>()?;
    let n_train = tokens.len();
    let n_tokens: usize = tokens.iter().map(Vec::len).sum();
    tokens.extend((0_u32..).take(n).map(|token| vec![token]));
    let sequences = Sequences {
        ids: (0..tokens.len()).map(|i| i.to_string()).collect(),
        texts: vec![String::new(); tokens.len()],
        tokens,
        token_names: (0..n).map(|token| format!("t{token}")).collect(),
        ..Sequences::default()
    };
    let name = if variant == "glove" { variant } else { "word2vec" };
    let entry = trailmark_encode::registry().into_iter().find(|entry| entry.spec.name == name).ok_or("no encoder")?;
    let mut params = Params::defaults(entry.spec);
    if name == "word2vec" {
        params.set("workers", ParamValue::Integer(workers as i64));
        params.set("hogwild", ParamValue::Flag(variant == "hogwild"));
    }
    if variant == "cbow" {
        params.set("architecture", ParamValue::Text(variant.to_owned()));
    }
    let encoder = (entry.build)(&params, &NoAssets)?;
    let rows: Vec<usize> = (0..sequences.ids.len()).collect();
    let ctx = Context { seed: 1, threads: workers, memory_bytes: 1 << 30 };
    let start = Instant::now();
    let fitted = encoder.fit(SequenceView::new(&sequences, &rows[..n_train]), &ctx)?;
    println!("seconds {:.4}", start.elapsed().as_secs_f64());
    println!("words {}", n_tokens * params.size("epochs"));
    let x = fitted.transform(SequenceView::new(&sequences, &rows[n_train..]), &ctx)?.into_matrix();
    let mut vectors = String::new();
    for (token, row) in x.iter_rows().enumerate() {
        let _ = write!(vectors, "t{token}");
        for value in row {
            let _ = write!(vectors, " {value}");
        }
        vectors.push('\n');
    }
    Ok(std::fs::write(folder.join("vectors.txt"), vectors)?)
}
