//! Times an encoder on the lines of a file, for `scripts/peers/{minilm,gpt2}.py`:
//! `encode_lines bert|gpt2|t5 MODEL_FOLDER FILE THREADS REPEATS [OUT]` prints one wall time in seconds per repeat, loading
//! left out, and writes (texts, features) little-endian f32 to OUT.

use std::path::PathBuf;

use trailmark_core::contract::{Assets, Context};
use trailmark_core::{ParamValue, Params, SequenceView, Sequences};

struct Folders;

impl Assets for Folders {
    fn model(&self, name: &str) -> Result<PathBuf, String> {
        Ok(PathBuf::from(name))
    }

    fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(path)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, model, file, threads, repeats, out @ ..] = &arguments[..] else {
        return Err("usage: encode_lines bert|gpt2|t5 MODEL_FOLDER FILE THREADS REPEATS [OUT]".into());
    };
    let texts: Vec<String> = std::fs::read_to_string(file)?.lines().map(str::to_owned).collect();
    let rows: Vec<usize> = (0..texts.len()).collect();
    let sequences = Sequences { texts, ..Sequences::default() };
    let entry = trailmark_transformer::registry().into_iter().find(|e| e.spec.name == kind).ok_or("no such kind")?;
    let params = Params::defaults(entry.spec).with("model", ParamValue::Text(model.clone()));
    let encoder = (entry.build)(&params, &Folders)?;
    let ctx = Context { seed: 0, threads: threads.parse()?, memory_bytes: u64::MAX };
    let fitted = encoder.fit(SequenceView::new(&sequences, &[]), &ctx)?;
    for _ in 0..repeats.parse::<usize>()? {
        #[expect(clippy::disallowed_methods, reason = "this program exists to measure time")]
        let start = std::time::Instant::now();
        let x = fitted.transform(SequenceView::new(&sequences, &rows), &ctx)?;
        println!("{}", start.elapsed().as_secs_f64());
        if let Some(out) = out.first() {
            let bytes: Vec<u8> = x.matrix().as_slice().iter().flat_map(|value| value.to_le_bytes()).collect();
            std::fs::write(out, bytes)?;
        }
    }
    Ok(())
}
