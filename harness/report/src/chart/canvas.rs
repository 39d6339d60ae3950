//! A drawing surface in pixels over plotters' SVG backend: lines, bands, markers, text, and a legend that wraps.

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::chart::ChartError;

/// plotters rounds to whole pixels; drawing four times as large and scaling back keeps curves smooth.
pub(crate) const SCALE: i32 = 4;

/// Okabe-Ito without yellow, which does not show on white.
pub(crate) const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
];

/// Text and axes; the page's dark theme replaces these by attribute selectors.
pub(crate) const INK: RGBColor = RGBColor(34, 34, 34);
/// Secondary text.
pub(crate) const MUTED: RGBColor = RGBColor(85, 85, 85);
/// Grid.
pub(crate) const GRID: RGBColor = RGBColor(225, 225, 225);
/// Ground.
pub(crate) const PAPER: RGBColor = RGBColor(255, 255, 255);

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Shape of a line's points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    Cross,
    Plus,
    Wedge,
}

/// Markers in the order of the palette.
pub(crate) const MARKERS: [Marker; 7] =
    [Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond, Marker::Cross, Marker::Plus, Marker::Wedge];

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) color: RGBColor,
    pub(crate) marker: Option<Marker>,
    pub(crate) dashed: bool,
    pub(crate) hollow: bool,
}

impl Look {
    /// The look of the n-th of several things.
    pub(crate) fn nth(at: usize) -> Self {
        Self {
            color: PALETTE[at % PALETTE.len()],
            marker: Some(MARKERS[at % MARKERS.len()]),
            dashed: false,
            hollow: false,
        }
    }

    /// The look of a control: grey, dashed, without markers.
    pub(crate) fn control() -> Self {
        Self { color: MUTED, marker: None, dashed: true, hollow: false }
    }
}

pub(crate) fn px(value: f64) -> i32 {
    (value * f64::from(SCALE)).round() as i32
}

/// A text style of a size in pixels. plotters divides font sizes by 1.24.
pub(crate) fn text(size: f64, color: RGBColor, bold: bool) -> TextStyle<'static> {
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    let font = FontDesc::new(FontFamily::Name("DejaVu Sans"), size * 1.24 * f64::from(SCALE), style);
    TextStyle { color: color.to_backend_color(), ..TextStyle::from(font) }
}

fn failed<E: std::error::Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> ChartError {
    ChartError::Draw(error.to_string())
}

pub(crate) struct Pen<'a, 'b> {
    pub(crate) area: &'b Area<'a>,
}

/// A point in drawing units, pixels times [`SCALE`].
pub(crate) type Point = (i32, i32);

impl Pen<'_, '_> {
    pub(crate) fn write(
        &self,
        at: Point,
        words: &str,
        style: &TextStyle<'_>,
        h: HPos,
        v: VPos,
    ) -> Result<(), ChartError> {
        self.area.draw_text(words, &style.pos(Pos::new(h, v)), at).map_err(failed)
    }

    pub(crate) fn width(&self, words: &str, style: &TextStyle<'_>) -> Result<i32, ChartError> {
        let (width, _) = self.area.estimate_text_size(words, style).map_err(failed)?;
        Ok(i32::try_from(width).unwrap_or(i32::MAX))
    }

    pub(crate) fn line(&self, points: Vec<Point>, color: RGBColor, width: f64, dashed: bool) -> Result<(), ChartError> {
        let style = ShapeStyle { color: color.to_rgba(), filled: false, stroke_width: px(width) as u32 };
        if dashed {
            let dash = DashedPathElement::new(points, px(5.0), px(4.0), style);
            self.area.draw(&dash).map_err(failed)
        } else {
            self.area.draw(&PathElement::new(points, style)).map_err(failed)
        }
    }

    pub(crate) fn fill(&self, points: Vec<Point>, color: RGBColor, opacity: f64) -> Result<(), ChartError> {
        self.area.draw(&Polygon::new(points, color.mix(opacity).filled())).map_err(failed)
    }

    pub(crate) fn ring(&self, at: Point, radius: f64, color: RGBColor) -> Result<(), ChartError> {
        let style = ShapeStyle { color: color.to_rgba(), filled: false, stroke_width: px(1.5) as u32 };
        self.area.draw(&Circle::new(at, px(radius), style)).map_err(failed)
    }

    /// A marker; a hollow one has the ground's colour inside.
    pub(crate) fn marker(&self, at: Point, look: &Look) -> Result<(), ChartError> {
        let Some(marker) = look.marker else { return Ok(()) };
        let corner = |(dx, dy): (f64, f64)| (at.0 + px(dx), at.1 + px(dy));
        let shape: &[(f64, f64)] = match marker {
            Marker::Circle => {
                let style = ShapeStyle { color: look.color.to_rgba(), filled: false, stroke_width: px(1.6) as u32 };
                let inside = if look.hollow { PAPER } else { look.color };
                self.area.draw(&Circle::new(at, px(3.4), inside.filled())).map_err(failed)?;
                return self.area.draw(&Circle::new(at, px(3.4), style)).map_err(failed);
            }
            Marker::Square => &[(-3.2, -3.2), (3.2, -3.2), (3.2, 3.2), (-3.2, 3.2)],
            Marker::Triangle => &[(0.0, -4.4), (4.2, 3.2), (-4.2, 3.2)],
            Marker::Diamond => &[(0.0, -4.8), (4.4, 0.0), (0.0, 4.8), (-4.4, 0.0)],
            Marker::Wedge => &[(0.0, 4.4), (4.2, -3.2), (-4.2, -3.2)],
            Marker::Cross | Marker::Plus => {
                let arms: [[(f64, f64); 2]; 2] = if marker == Marker::Cross {
                    [[(-3.6, -3.6), (3.6, 3.6)], [(-3.6, 3.6), (3.6, -3.6)]]
                } else {
                    [[(-4.4, 0.0), (4.4, 0.0)], [(0.0, -4.4), (0.0, 4.4)]]
                };
                for arm in arms {
                    self.line(arm.map(corner).to_vec(), look.color, 2.2, false)?;
                }
                return Ok(());
            }
        };
        let mut points: Vec<Point> = shape.iter().copied().map(corner).collect();
        self.fill(points.clone(), if look.hollow { PAPER } else { look.color }, 1.0)?;
        points.push(points[0]);
        self.line(points, look.color, 1.6, false)
    }
}

/// An entry of a legend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Key {
    Line(Look, String),
    Ring(String),
}

const ROW: f64 = 21.0;
const SWATCH: f64 = 30.0;
const GAP: f64 = 20.0;

/// Breaks a legend into rows of a width in pixels; returns the start of each entry.
pub(crate) fn legend_layout(keys: &[Key], widths: &[f64], available: f64) -> (Vec<(f64, f64)>, f64) {
    let (mut x, mut y, mut places) = (0.0, 0.0, Vec::with_capacity(keys.len()));
    for width in widths {
        let entry = SWATCH + 7.0 + width;
        if x > 0.0 && x + entry > available {
            x = 0.0;
            y += ROW;
        }
        places.push((x, y));
        x += entry + GAP;
    }
    (places, if keys.is_empty() { 0.0 } else { y + ROW })
}

impl Pen<'_, '_> {
    /// Widths of a legend's words in pixels.
    pub(crate) fn legend_widths(&self, keys: &[Key]) -> Result<Vec<f64>, ChartError> {
        let style = text(12.0, INK, false);
        keys.iter()
            .map(|key| match key {
                Key::Line(_, words) | Key::Ring(words) => Ok(f64::from(self.width(words, &style)?) / f64::from(SCALE)),
            })
            .collect()
    }

    /// Draws a legend whose first row starts at a point in pixels.
    pub(crate) fn legend(&self, keys: &[Key], places: &[(f64, f64)], origin: (f64, f64)) -> Result<(), ChartError> {
        let style = text(12.0, INK, false);
        for (key, (x, y)) in keys.iter().zip(places) {
            let (left, middle) = (origin.0 + x, origin.1 + y + ROW / 2.0);
            let words = match key {
                Key::Line(look, words) => {
                    let ends = vec![(px(left), px(middle)), (px(left + SWATCH), px(middle))];
                    self.line(ends, look.color, 2.0, look.dashed)?;
                    self.marker((px(left + SWATCH / 2.0), px(middle)), look)?;
                    words
                }
                Key::Ring(words) => {
                    self.ring((px(left + SWATCH / 2.0), px(middle)), 7.0, INK)?;
                    words
                }
            };
            self.write((px(left + SWATCH + 7.0), px(middle)), words, &style, HPos::Left, VPos::Center)?;
        }
        Ok(())
    }
}
