//! From plotters to a file that browsers, screen readers and resvg all understand.

use std::sync::OnceLock;

use plotters::prelude::*;
use plotters::style::register_font;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg;
use thiserror::Error;

use crate::chart::canvas::{Area, PAPER, SCALE};
use crate::slug::slug;

/// A chart that could not be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChartError {
    /// The font in the binary was refused.
    #[error("the built-in font could not be read")]
    Font,
    /// plotters failed.
    #[error("drawing failed: {0}")]
    Draw(String),
    /// resvg failed.
    #[error("the drawing could not be made into a picture: {0}")]
    Picture(String),
}

/// plotters finds fonts in a table of the process; filling it twice is harmless, and once is enough.
fn fonts() -> Result<(), ChartError> {
    static DONE: OnceLock<bool> = OnceLock::new();
    let done = DONE.get_or_init(|| {
        register_font("DejaVu Sans", FontStyle::Normal, dejavu::sans::regular()).is_ok()
            && register_font("DejaVu Sans", FontStyle::Bold, dejavu::sans::bold()).is_ok()
    });
    if *done { Ok(()) } else { Err(ChartError::Font) }
}

/// Words that go into the drawing for those who do not see it.
pub(crate) struct Words<'a> {
    pub(crate) name: &'a str,
    pub(crate) title: &'a str,
    pub(crate) description: &'a str,
}

/// Draws on a white ground of a size in pixels and returns the finished SVG.
pub(crate) fn draw(
    words: &Words<'_>,
    (width, height): (u32, u32),
    paint: impl FnOnce(&Area<'_>) -> Result<(), ChartError>,
) -> Result<String, ChartError> {
    fonts()?;
    let scale = SCALE.unsigned_abs();
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (width * scale, height * scale)).into_drawing_area();
        area.fill(&PAPER).map_err(|error| ChartError::Draw(error.to_string()))?;
        paint(&area)?;
        area.present().map_err(|error| ChartError::Draw(error.to_string()))?;
    }
    finish(&svg, words, (width, height))
}

/// Replaces plotters' opening tag by one with role, title, description and a scaling box.
fn finish(svg: &str, words: &Words<'_>, (width, height): (u32, u32)) -> Result<String, ChartError> {
    let start = svg.find("<svg").ok_or_else(|| ChartError::Draw("no <svg> was written".to_owned()))?;
    let end = svg[start..].find('>').ok_or_else(|| ChartError::Draw("<svg> does not end".to_owned()))? + start + 1;
    let scale = SCALE.unsigned_abs();
    let Words { name, title, description } = words;
    let name = slug(name);
    let (title, description) = (escape(title), escape(description));
    let head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"{name}-title {name}-desc\" \
         width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\">\n<title id=\"{name}-title\">{title}</title>\n\
         <desc id=\"{name}-desc\">{description}</desc>\n",
        width * scale,
        height * scale,
    );
    // A host without DejaVu falls back on faces of like width.
    let body = svg[end..]
        .trim_start()
        .replace("font-family=\"DejaVu Sans\"", "font-family=\"DejaVu Sans, Verdana, sans-serif\"");
    Ok(format!("{head}{body}"))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The PNG of a finished SVG, at twice its size.
///
/// # Errors
/// When the text is not an SVG of a sensible size.
pub fn png(svg: &str) -> Result<Vec<u8>, ChartError> {
    let picture = |error: String| ChartError::Picture(error);
    let mut options = usvg::Options { font_family: "DejaVu Sans".to_owned(), ..usvg::Options::default() };
    let fonts = options.fontdb_mut();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    let tree = usvg::Tree::from_str(svg, &options).map_err(|error| picture(error.to_string()))?;
    let size = tree.size().to_int_size();
    let mut pixels = Pixmap::new(size.width() * 2, size.height() * 2)
        .ok_or_else(|| picture(format!("{} x {} pixels are too many", size.width() * 2, size.height() * 2)))?;
    resvg::render(&tree, Transform::from_scale(2.0, 2.0), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| picture(error.to_string()))
}
