//! NumPy's `.npy` files, as far as vectors need them: two dimensions, f32 or f64, little-endian, C order.
//!
//! The format is NumPy Enhancement Proposal 1: a magic string, a version, the length of a header, the header (a
//! Python dictionary), and the values.

use thiserror::Error;
use trailmark_core::Matrix;

const MAGIC: &[u8] = b"\x93NUMPY";

/// A matrix in the precision of its file.
#[derive(Debug, Clone, PartialEq)]
pub enum NpyMatrix {
    /// dtype `<f4`.
    F32(Matrix<f32>),
    /// dtype `<f8`.
    F64(Matrix<f64>),
}

impl NpyMatrix {
    /// Number of rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        match self {
            Self::F32(x) => (x.rows(), x.cols()),
            Self::F64(x) => (x.rows(), x.cols()),
        }
    }
}

/// Bytes that are not such a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NpyError {
    /// Another kind of file.
    #[error("this is not an .npy file: it does not start with \\x93NUMPY; write it with numpy.save")]
    NotNpy,
    /// A version from the future.
    #[error(".npy version {0} is not known, 1 to 3 are")]
    Version(u8),
    /// A header that ends early or is no dictionary.
    #[error("the .npy header is damaged: {0}")]
    Header(String),
    /// Values of another type.
    #[error("the dtype is {0}, f32 ('<f4') and f64 ('<f8') can be read; save x.astype('<f4')")]
    Dtype(String),
    /// Columns first.
    #[error("the array is in Fortran order; save numpy.ascontiguousarray(x)")]
    FortranOrder,
    /// Not a matrix.
    #[error("the array has shape ({0}), two dimensions are needed: (n_samples, n_features)")]
    Dimensions(String),
    /// More or fewer values than the shape says.
    #[error("a {rows} x {cols} array needs {need} bytes of values, the file has {got}; was it cut short?")]
    Length {
        /// Rows of the shape.
        rows: usize,
        /// Columns of the shape.
        cols: usize,
        /// Bytes that the shape needs.
        need: u128,
        /// Bytes there are.
        got: usize,
    },
}

/// Reads a file's bytes.
///
/// # Errors
/// [`NpyError`] says what is not as needed, and how to save the array instead.
pub fn read(bytes: &[u8]) -> Result<NpyMatrix, NpyError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(NpyError::NotNpy)?;
    let ends = || NpyError::Header("the file ends inside it".to_owned());
    let (&major, rest) = rest.split_first().ok_or_else(ends)?;
    let (_, rest) = rest.split_first().ok_or_else(ends)?;
    let (length, rest) = match major {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(ends)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(ends)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        other => return Err(NpyError::Version(other)),
    };
    let (header, values) = rest.split_at_checked(length).ok_or_else(ends)?;
    let header = std::str::from_utf8(header).map_err(|_| NpyError::Header("it is not text".to_owned()))?;
    let dtype = field(header, "descr")?;
    let (rows, cols) = shape(header)?;
    let width = match dtype.trim_matches(['\'', '"']) {
        "<f4" => 4,
        "<f8" => 8,
        _ => return Err(NpyError::Dtype(dtype.to_owned())),
    };
    match field(header, "fortran_order")? {
        "False" => {}
        "True" => return Err(NpyError::FortranOrder),
        other => return Err(NpyError::Header(format!("fortran_order is {other}"))),
    }
    let need = rows as u128 * cols as u128 * width as u128;
    if need != values.len() as u128 {
        return Err(NpyError::Length { rows, cols, need, got: values.len() });
    }
    let damaged = |error: trailmark_core::matrix::ShapeError| NpyError::Header(error.to_string());
    if width == 4 {
        let values = values.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Matrix::from_vec(rows, cols, values).map(NpyMatrix::F32).map_err(damaged)
    } else {
        let values = values.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        Matrix::from_vec(rows, cols, values).map(NpyMatrix::F64).map_err(damaged)
    }
}

/// The bytes of a file, as numpy.save writes them (version 1.0, values aligned to 64 bytes).
pub fn write(x: &NpyMatrix) -> Vec<u8> {
    let (rows, cols) = x.shape();
    let dtype = match x {
        NpyMatrix::F32(_) => "<f4",
        NpyMatrix::F64(_) => "<f8",
    };
    let mut header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({rows}, {cols}), }}");
    let before = MAGIC.len() + 4;
    let padded = (before + header.len() + 1).next_multiple_of(64) - before;
    header.push_str(&" ".repeat(padded - header.len() - 1));
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend(u16::try_from(header.len()).unwrap_or(u16::MAX).to_le_bytes());
    bytes.extend(header.as_bytes());
    match x {
        NpyMatrix::F32(x) => bytes.extend(x.as_slice().iter().flat_map(|value| value.to_le_bytes())),
        NpyMatrix::F64(x) => bytes.extend(x.as_slice().iter().flat_map(|value| value.to_le_bytes())),
    }
    bytes
}

/// The text of a dictionary's value: a quoted text, a word, or all of a bracketed list.
fn field<'a>(header: &'a str, name: &str) -> Result<&'a str, NpyError> {
    let missing = || NpyError::Header(format!("it has no {name}"));
    let at = header.find(&format!("'{name}'")).ok_or_else(missing)?;
    let (_, value) = header[at..].split_once(':').ok_or_else(missing)?;
    let value = value.trim_start();
    let end = match value.chars().next() {
        Some('(') => value.find(')').map(|end| end + 1),
        Some('[') => value.rfind(']').map(|end| end + 1),
        Some(quote @ ('\'' | '"')) => value[1..].find(quote).map(|end| end + 2),
        _ => value.find([',', '}']),
    };
    Ok(value[..end.ok_or_else(missing)?].trim())
}

fn shape(header: &str) -> Result<(usize, usize), NpyError> {
    let text = field(header, "shape")?;
    let inner = text.trim_matches(['(', ')']);
    let sizes: Option<Vec<usize>> =
        inner.split(',').map(str::trim).filter(|size| !size.is_empty()).map(|size| size.parse().ok()).collect();
    match sizes.as_deref() {
        Some(&[rows, cols]) => Ok((rows, cols)),
        Some(_) => Err(NpyError::Dimensions(inner.trim().to_owned())),
        None => Err(NpyError::Header(format!("its shape is {text}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, values: &[u8]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(values);
        bytes
    }

    #[test]
    fn what_is_written_is_read_back_in_both_precisions() {
        let x = Matrix::from_vec(2, 3, vec![0.0_f64, -1.5, 2.25, 1e300, f64::MIN_POSITIVE, 7.0]).unwrap();
        for matrix in [NpyMatrix::F64(x.clone()), NpyMatrix::F32(x.select_rows(&[0]).cast())] {
            let bytes = write(&matrix);
            assert_eq!(read(&bytes).unwrap(), matrix);
            let header_end = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
            assert_eq!(header_end % 64, 0, "values are aligned");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_the_way_to_save_it() {
        let cases = [
            (
                b"PK\x03\x04".to_vec(),
                "this is not an .npy file: it does not start with \\x93NUMPY; write it with numpy.save",
            ),
            (
                file("{'descr': '<i8', 'fortran_order': False, 'shape': (1, 1), }\n", &[0; 8]),
                "the dtype is '<i8', f32 ('<f4') and f64 ('<f8') can be read; save x.astype('<f4')",
            ),
            (
                file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 1), }\n", &[0; 4]),
                "the dtype is [('a', '<f4')], f32 ('<f4') and f64 ('<f8') can be read; save x.astype('<f4')",
            ),
            (
                file("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }\n", &[0; 4]),
                "the array is in Fortran order; save numpy.ascontiguousarray(x)",
            ),
            (
                file("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n", &[0; 12]),
                "the array has shape (3,), two dimensions are needed: (n_samples, n_features)",
            ),
            (
                file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", &[0; 20]),
                "a 2 x 3 array needs 24 bytes of values, the file has 20; was it cut short?",
            ),
            (
                file("{'descr': '<f4', 'shape': (2, 3), }\n", &[0; 24]),
                "the .npy header is damaged: it has no fortran_order",
            ),
            (b"\x93NUMPY\x01\x00\xff".to_vec(), "the .npy header is damaged: the file ends inside it"),
            (b"\x93NUMPY\x09\x00\xff".to_vec(), ".npy version 9 is not known, 1 to 3 are"),
        ];
        for (bytes, message) in cases {
            assert_eq!(read(&bytes).unwrap_err().to_string(), message);
        }
    }
}
