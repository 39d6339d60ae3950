//! Small multiples of curves over n_clusters: panels side by side, each with lines, a band of one standard deviation over
//! folds, and rings where a rule picked. Elbow, silhouette and primary charts are three fillings of this form.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::chart::ChartError;
use crate::chart::canvas::{Area, GRID, INK, Key, Look, MUTED, Pen, legend_layout, px, text};
use crate::chart::render::{Words, draw};
use crate::number::fixed;

/// A point of a curve: n_clusters, mean, standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct At {
    pub(crate) n_clusters: usize,
    pub(crate) mean: f64,
    pub(crate) sd: f64,
}

/// A curve; an absent point breaks it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve {
    pub(crate) look: Look,
    pub(crate) points: Vec<Option<At>>,
    pub(crate) band: bool,
    /// How many folds picked each n_clusters, and of how many.
    pub(crate) picks: Vec<(usize, usize)>,
    pub(crate) of: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) curves: Vec<Curve>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curves {
    pub(crate) panels: Vec<Panel>,
    pub(crate) legend: Vec<Key>,
    pub(crate) y_title: String,
    /// True when all panels speak of one quantity on one scale.
    pub(crate) shared_y: bool,
    /// True when zero belongs on the axis.
    pub(crate) with_zero: bool,
}

const TITLE: f64 = 34.0;
const MARGIN: f64 = 14.0;

impl Curves {
    fn columns(&self) -> usize {
        // Four panels read better as two rows of two than as three and one.
        if self.panels.len() == 4 { 2 } else { self.panels.len().clamp(1, 3) }
    }

    pub(crate) fn draw(&self, words: &Words<'_>) -> Result<String, ChartError> {
        let columns = self.columns();
        let rows = self.panels.len().div_ceil(columns);
        let (panel_width, panel_height) = match columns {
            1 => (640.0, 330.0),
            2 => (440.0, 290.0),
            _ => (330.0, 250.0),
        };
        let width = panel_width * columns as f64 + 2.0 * MARGIN;
        // The legend's height depends on its words: measured on a scratch drawing first.
        let mut layout = (Vec::new(), 0.0);
        draw(words, (width as u32, 10), |area| {
            let widths = Pen { area }.legend_widths(&self.legend)?;
            layout = legend_layout(&self.legend, &widths, width - 2.0 * MARGIN);
            Ok(())
        })?;
        let top = TITLE + layout.1 + 8.0;
        let height = top + panel_height * rows as f64 + 8.0;
        draw(words, (width as u32, height as u32), |area| {
            let pen = Pen { area };
            pen.write((px(MARGIN), px(20.0)), words.title, &text(15.0, INK, true), HPos::Left, VPos::Center)?;
            pen.legend(&self.legend, &layout.0, (MARGIN, TITLE))?;
            for (at, panel) in self.panels.iter().enumerate() {
                let left = MARGIN + panel_width * (at % columns) as f64;
                let place = Place {
                    left,
                    top: top + panel_height * (at / columns) as f64,
                    width: panel_width,
                    height: panel_height,
                    y_title: at % columns == 0 || !self.shared_y,
                };
                self.panel(area, panel, &place)?;
            }
            Ok(())
        })
    }

    fn range(&self, panel: &Panel) -> Ticks {
        let panels: Vec<&Panel> = if self.shared_y { self.panels.iter().collect() } else { vec![panel] };
        let points = panels.iter().flat_map(|panel| &panel.curves).flat_map(|curve| {
            let spread = if curve.band { 1.0 } else { 0.0 };
            curve.points.iter().flatten().flat_map(move |at| [at.mean - spread * at.sd, at.mean + spread * at.sd])
        });
        let (low, high) = points.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        if self.with_zero { ticks(low.min(0.0), high.max(0.0)) } else { ticks(low, high) }
    }

    fn panel(&self, area: &Area<'_>, panel: &Panel, place: &Place) -> Result<(), ChartError> {
        let failed = |error: String| ChartError::Draw(error);
        let pen = Pen { area };
        let y = self.range(panel);
        let mut values: Vec<usize> =
            panel.curves.iter().flat_map(|curve| curve.points.iter().flatten().map(|at| at.n_clusters)).collect();
        values.sort_unstable();
        values.dedup();
        let first = values.first().copied().unwrap_or(0) as f64 - 0.35;
        let last = values.last().copied().unwrap_or(1) as f64 + 0.35;
        let keys = thin(&values, ((place.width - 90.0) / 30.0) as usize);

        let inner =
            area.clone().shrink((px(place.left), px(place.top)), (px(place.width - 10.0), px(place.height - 8.0)));
        let chart = ChartBuilder::on(&inner)
            .margin_top(px(26.0))
            .x_label_area_size(px(42.0))
            .y_label_area_size(px(74.0))
            .build_cartesian_2d(
                (first..last).with_key_points(keys.clone()),
                (y.low..y.high).with_key_points(y.at.clone()),
            )
            .map_err(|error| failed(error.to_string()))?;
        let to = |x: f64, v: f64| chart.backend_coord(&(x, v));
        let small = text(11.5, MUTED, false);
        let (left, bottom) = to(first, y.low);
        let (right, top) = to(last, y.high);
        for tick in &y.at {
            let (_, height) = to(first, *tick);
            pen.line(vec![(left, height), (right, height)], GRID, 1.0, false)?;
            pen.write((left - px(7.0), height), &tick_text(*tick, y.step), &small, HPos::Right, VPos::Center)?;
        }
        for key in &keys {
            let (across, _) = to(*key, y.low);
            pen.line(vec![(across, bottom), (across, bottom + px(4.0))], MUTED, 1.0, false)?;
            pen.write((across, bottom + px(8.0)), &fixed(*key, 0), &small, HPos::Center, VPos::Top)?;
        }
        pen.line(vec![(left, bottom), (right, bottom)], MUTED, 1.0, false)?;
        pen.write((left, top - px(14.0)), &panel.title, &text(12.5, INK, true), HPos::Left, VPos::Center)?;
        let label = text(12.0, INK, false);
        pen.write(((left + right) / 2, bottom + px(26.0)), "n_clusters", &label, HPos::Center, VPos::Top)?;
        if place.y_title {
            let upright = label.transform(FontTransform::Rotate270);
            pen.write(
                (px(place.left + 10.0), (top + bottom) / 2),
                &self.y_title,
                &upright,
                HPos::Center,
                VPos::Center,
            )?;
        }

        for curve in panel.curves.iter().filter(|curve| curve.band) {
            for run in runs(&curve.points) {
                let upper = run.iter().map(|at| to(at.n_clusters as f64, at.mean + at.sd));
                let lower = run.iter().rev().map(|at| to(at.n_clusters as f64, at.mean - at.sd));
                if run.len() > 1 {
                    pen.fill(upper.chain(lower).collect(), curve.look.color, 0.16)?;
                }
            }
        }
        for curve in &panel.curves {
            for run in runs(&curve.points) {
                let points: Vec<_> = run.iter().map(|at| to(at.n_clusters as f64, at.mean)).collect();
                if points.len() > 1 {
                    pen.line(points.clone(), curve.look.color, 2.0, curve.look.dashed)?;
                }
                for point in points {
                    pen.marker(point, &curve.look)?;
                }
            }
        }
        for curve in &panel.curves {
            for (n_clusters, count) in &curve.picks {
                let found = curve.points.iter().flatten().find(|at| at.n_clusters == *n_clusters);
                if let Some(at) = found {
                    let share = *count as f64 / curve.of.max(1) as f64;
                    pen.ring(to(at.n_clusters as f64, at.mean), 6.5 + 5.0 * share, curve.look.color)?;
                }
            }
        }
        Ok(())
    }
}

struct Place {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    y_title: bool,
}

/// Unbroken stretches of a curve.
fn runs(points: &[Option<At>]) -> Vec<Vec<At>> {
    let stretches = points.split(Option::is_none).map(|stretch| stretch.iter().flatten().copied().collect::<Vec<_>>());
    stretches.filter(|stretch| !stretch.is_empty()).collect()
}

/// At most `room` of the values, evenly spaced in rank, the first always.
fn thin(values: &[usize], room: usize) -> Vec<f64> {
    let step = values.len().div_ceil(room.max(2)).max(1);
    values.iter().step_by(step).map(|value| *value as f64).collect()
}

/// An axis: its ends, the places with a number, and their distance.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ticks {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) step: f64,
    pub(crate) at: Vec<f64>,
}

/// Round places for about five numbers; the ends lie on the data with a little room.
pub(crate) fn ticks(low: f64, high: f64) -> Ticks {
    let (low, high) = if low.is_finite() && high.is_finite() { (low, high) } else { (0.0, 1.0) };
    let spread = if high > low { high - low } else { high.abs().max(1.0) * 0.2 };
    let room = if high > low { 0.06 * spread } else { spread };
    let (low, high) = (if low == 0.0 { low } else { low - room }, high + 1.5 * room);
    let rough = spread / 5.0;
    let power = 10f64.powi(rough.log10().floor() as i32);
    let step =
        [1.0, 2.0, 2.5, 5.0, 10.0].map(|m| m * power).into_iter().find(|step| *step >= rough).unwrap_or(10.0 * power);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    Ticks { low, high, step, at: (first..=last).map(|at| at as f64 * step).collect() }
}

/// A tick's number with as many decimals as its step needs; thousands as `12k`.
pub(crate) fn tick_text(value: f64, step: f64) -> String {
    let (value, step, unit) = if step >= 1000.0 { (value / 1000.0, step / 1000.0, "k") } else { (value, step, "") };
    let places = (0..8).find(|places| (step * 10f64.powi(*places) - (step * 10f64.powi(*places)).round()).abs() < 1e-6);
    let text = fixed(value, places.unwrap_or(3) as usize);
    if text.trim_start_matches(['0', '.']).is_empty() { text } else { format!("{text}{unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside_the_axis() {
        let axis = ticks(0.03, 0.91);
        assert_eq!(
            axis.at.iter().map(|at| tick_text(*at, axis.step)).collect::<Vec<_>>(),
            ["0.0", "0.2", "0.4", "0.6", "0.8"]
        );
        assert!(axis.low < 0.03 && axis.high > 0.91);
    }

    #[test]
    fn thousands_are_shortened_and_a_flat_curve_has_an_axis() {
        let axis = ticks(12_000.0, 31_000.0);
        assert_eq!(tick_text(15_000.0, axis.step), "15k");
        let flat = ticks(0.5, 0.5);
        assert!(flat.low < 0.5 && flat.high > 0.5 && flat.at.len() > 2);
    }

    #[test]
    fn a_missing_point_breaks_the_line() {
        let at = |n_clusters| Some(At { n_clusters, mean: 0.0, sd: 0.0 });
        assert_eq!(runs(&[at(2), at(3), None, at(5)]).iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    }
}
