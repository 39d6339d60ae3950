//! Vectors made elsewhere: what is read, and every way in which the files can be wrong.

use std::path::Path;

use trailmark_core::contract::Scope;
use trailmark_core::spec::ParamValue;
use trailmark_core::{Matrix, SequenceView};
use trailmark_encode::npy::{NpyMatrix, write};

use crate::{CTX, bits, encode, sequences, try_make, words};

fn build(folder: &Path) -> Result<Box<dyn trailmark_core::contract::Encoder>, String> {
    let text = |name: &str| ParamValue::Text(folder.join(name).display().to_string());
    try_make("precomputed", &[("path", text("x.npy")), ("ids", text("ids.txt"))])
        .map_err(|error| error.0.replace(&format!("{}/", folder.display()), ""))
}

fn folder(x: &NpyMatrix, ids: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.npy"), write(x)).unwrap();
    std::fs::write(folder.path().join("ids.txt"), ids).unwrap();
    folder
}

fn wide(rows: &[Vec<f64>]) -> NpyMatrix {
    NpyMatrix::F64(Matrix::from_rows(rows).unwrap())
}

#[test]
fn rows_are_found_by_sample_id_in_any_order_and_in_both_precisions() {
    let x = Matrix::from_rows(&[vec![2.0_f32, 3.0], vec![0.0, 1.0], vec![9.0, 9.0]]).unwrap();
    let all = sequences(&words(&["a", "b"]));
    for (matrix, ids) in [(NpyMatrix::F32(x.clone()), "u1\nu0\nu9\n"), (NpyMatrix::F64(x.cast()), "u1\r\nu0\r\nu9")] {
        let folder = folder(&matrix, ids);
        let encoder = build(folder.path()).unwrap();
        assert_eq!(encoder.scope(), Scope::Frozen);
        let (got, warnings) = encode(&*encoder, &all, 0, &CTX);
        assert_eq!(bits(&got), bits(&x.select_rows(&[1, 0])));
        assert_eq!(warnings, Vec::<String>::new());
    }
}

#[test]
fn the_fingerprint_follows_the_bytes_of_both_files() {
    let x = wide(&[vec![1.0], vec![2.0]]);
    let print = |x: &NpyMatrix, ids: &str| build(folder(x, ids).path()).unwrap().fingerprint();
    let first = print(&x, "u0\nu1\n");
    assert_eq!(first.len(), 64);
    assert_eq!(first, print(&x, "u0\nu1\n"));
    assert_ne!(first, print(&x, "u1\nu0\n"));
    assert_ne!(first, print(&wide(&[vec![1.0], vec![2.5]]), "u0\nu1\n"));
}

#[test]
fn every_wrong_file_is_refused_with_what_where_and_how_to_mend_it() {
    let good = wide(&[vec![1.0, 2.0], vec![3.0, 4.0]]);
    for (x, ids, message) in [
        (
            good.clone(),
            "u0\n",
            "precomputed: x.npy has 2 rows and ids.txt has 1 sample ids; write one id per row, in the same order",
        ),
        (
            good.clone(),
            "u0\nu0\n",
            "precomputed: ids.txt names sample \"u0\" twice, on lines 1 and 2; each sample has one row",
        ),
        (
            wide(&[vec![1.0, 2.0], vec![3.0, f64::NAN]]),
            "u0\nu1\n",
            "precomputed: x.npy holds NaN at row 1, column 1 (sample \"u1\"); mend or leave out that sample",
        ),
        (
            NpyMatrix::F32(Matrix::from_rows(&[vec![f32::INFINITY]]).unwrap()),
            "u0\n",
            "precomputed: x.npy holds inf at row 0, column 0 (sample \"u0\"); mend or leave out that sample",
        ),
        (
            wide(&[vec![1.0, 1e39]]),
            "u0\n",
            "precomputed: x.npy holds 1e39 at row 0, column 1 (sample \"u0\"), which f32 cannot hold; rescale the \
             vectors",
        ),
        (
            NpyMatrix::F32(Matrix::zeros(1, 0)),
            "u0\n",
            "precomputed: x.npy has no columns; save an array of shape (n_samples, n_features)",
        ),
    ] {
        assert_eq!(build(folder(&x, ids).path()).err().unwrap(), message);
    }
    let broken = folder(&good, "u0\nu1\n");
    std::fs::write(broken.path().join("x.npy"), b"PK").unwrap();
    assert_eq!(
        build(broken.path()).err().unwrap(),
        "precomputed: x.npy: this is not an .npy file: it does not start with \\x93NUMPY; write it with numpy.save"
    );
    std::fs::write(broken.path().join("ids.txt"), b"\xff\xfe").unwrap();
    std::fs::write(broken.path().join("x.npy"), write(&good)).unwrap();
    assert_eq!(
        build(broken.path()).err().unwrap(),
        "precomputed: ids.txt is not UTF-8 text; write one sample id per line"
    );
    std::fs::remove_file(broken.path().join("x.npy")).unwrap();
    let message = build(broken.path()).err().unwrap();
    assert!(message.starts_with("precomputed: cannot read x.npy: "), "{message}");
    assert!(message.ends_with("; give a path relative to the suite file"), "{message}");
}

#[test]
fn samples_without_a_row_are_counted_and_the_first_are_named() {
    let folder = folder(&wide(&[vec![1.0]]), "u1\n");
    let encoder = build(folder.path()).unwrap();
    let all = sequences(&words(&["a", "b", "c", "d", "e"]));
    let rows = [0, 1, 2, 3, 4];
    let fitted = encoder.fit(SequenceView::new(&all, &[]), &CTX).unwrap();
    let failure = fitted.transform(SequenceView::new(&all, &rows), &CTX).err().unwrap();
    let message = failure.message.replace(&format!("{}/", folder.path().display()), "");
    assert_eq!(message, "4 of 5 samples have no row in ids.txt: \"u0\", \"u2\", \"u3\", ..; add their vectors");
}
