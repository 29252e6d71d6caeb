//! Where images lie in the patient, and the stack that they form.

use crate::io::place::Affine;

/// Directions may differ by so much.
const SAME_DIRECTION: f64 = 1e-3;
/// Positions of one slice may differ by so much, in mm.
const SAME_POSITION_MM: f64 = 0.01;
/// Steps between slices may differ by this share of a step.
const SAME_STEP: f64 = 0.02;

/// Where an image lies, in DICOM's millimetres: x to the left of the patient, y backwards, z to the head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    /// The centre of the first pixel.
    pub position: [f64; 3],
    /// The direction along a row, in which the column's number grows.
    pub row: [f64; 3],
    /// The direction along a column.
    pub column: [f64; 3],
    /// The spacing of columns, then that of rows, mm.
    pub spacing: [f64; 2],
}

impl Place {
    /// A place from position, orientation and pixel spacing as they are stored; the spacing of rows comes first.
    ///
    /// # Errors
    /// A clause, if they are impossible.
    pub fn new(position: [f64; 3], orientation: [f64; 6], spacing: [f64; 2]) -> Result<Self, String> {
        let [a, b, c, d, e, f] = orientation;
        let unit = |v: [f64; 3]| normalised(v).filter(|_| (dot(v, v) - 1.0).abs() < 0.01);
        let (row, column) = unit([a, b, c]).zip(unit([d, e, f])).ok_or("has an impossible orientation")?;
        if dot(row, column).abs() > 0.01 {
            return Err("has an orientation whose rows and columns are not at a right angle".into());
        }
        let possible = |v: &f64| (1e-3..1e4).contains(v);
        if !spacing.iter().all(possible) || !position.iter().all(|v| v.abs() < 1e6) {
            return Err("has an impossible position or pixel spacing".into());
        }
        Ok(Self { position, row, column, spacing: [spacing[1], spacing[0]] })
    }

    pub fn normal(&self) -> [f64; 3] {
        cross(self.row, self.column)
    }
}

/// A stack of parallel, equally spaced slices.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    pub columns: usize,
    pub rows: usize,
    /// The places of the slices, in the order of the normal.
    pub places: Vec<Place>,
    /// The step from a slice to the next, mm.
    pub step: [f64; 3],
}

impl Grid {
    /// The stack in which `places` lie, and the slice of each of them. `thickness` separates the slices where there is
    /// only one.
    ///
    /// # Errors
    /// A sentence, if they form no such stack.
    pub fn of(
        [columns, rows]: [usize; 2],
        places: &[Place],
        thickness: f64,
    ) -> Result<(Self, Vec<usize>), String> {
        let first = places.first().ok_or("there is no image")?;
        let normal = first.normal();
        for place in places {
            let turned = |a: [f64; 3], b: [f64; 3]| (0..3).any(|k| (a[k] - b[k]).abs() > SAME_DIRECTION);
            if turned(place.row, first.row) || turned(place.column, first.column) {
                return Err(
                    "its images have different orientations; put each orientation into a folder of its own"
                        .into(),
                );
            }
            if (0..2).any(|axis| (place.spacing[axis] / first.spacing[axis] - 1.0).abs() > 1e-3) {
                return Err(
                    "its images have different pixel spacings; put each of them into a folder of its own"
                        .into(),
                );
            }
        }
        let depth = |place: &Place| dot(place.position, normal);
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by(|&a, &b| depth(&places[a]).total_cmp(&depth(&places[b])));
        let mut slices: Vec<Place> = Vec::new();
        let mut index = vec![0; places.len()];
        for n in order {
            if slices.last().is_none_or(|last| depth(&places[n]) - depth(last) > SAME_POSITION_MM) {
                slices.push(places[n]);
            }
            index[n] = slices.len() - 1;
        }
        let last = slices[slices.len() - 1];
        let between = slices.len() as f64 - 1.0;
        let step: [f64; 3] = if slices.len() > 1 {
            std::array::from_fn(|k| (last.position[k] - slices[0].position[k]) / between)
        } else {
            normal.map(|v| v * thickness)
        };
        let steps: Vec<f64> = slices.windows(2).map(|pair| depth(&pair[1]) - depth(&pair[0])).collect();
        check_steps(&steps)?;
        // Slices that are shifted along themselves, or images of a slice that do not lie on each other.
        let finest = first.spacing[0].min(first.spacing[1]);
        for (place, &slice) in places.iter().zip(&index) {
            let along = depth(place) - depth(&slices[0]);
            let off: f64 = (0..3)
                .map(|k| (place.position[k] - slices[0].position[k] - along * normal[k]).powi(2))
                .sum::<f64>()
                .sqrt();
            if off > 0.1 * finest {
                return Err(format!(
                    "slice {} lies {off:.2} mm beside slice 1; the slices must lie straight behind each other",
                    slice + 1
                ));
            }
        }
        Ok((Self { columns, rows, places: slices, step }, index))
    }

    /// The affine in NIfTI's millimetres.
    pub fn affine(&self) -> Affine {
        let Place { position, row, column, spacing } = self.places[0];
        Affine(std::array::from_fn(|k| {
            let side = if k < 2 { -1.0 } else { 1.0 };
            [row[k] * spacing[0], column[k] * spacing[1], self.step[k], position[k]].map(|v| side * v + 0.0)
        }))
    }

    /// Reports whether another stack has the same size and place.
    pub fn same(&self, other: &Self) -> bool {
        let near = |a: &Place, b: &Place| {
            let off = |a: [f64; 3], b: [f64; 3], by: f64| (0..3).all(|k| (a[k] - b[k]).abs() <= by);
            off(a.position, b.position, 0.1 * a.spacing[0].min(a.spacing[1]))
                && off(a.row, b.row, SAME_DIRECTION)
                && off(a.column, b.column, SAME_DIRECTION)
                && (0..2).all(|axis| (a.spacing[axis] / b.spacing[axis] - 1.0).abs() <= 1e-3)
        };
        (self.columns, self.rows, self.places.len()) == (other.columns, other.rows, other.places.len())
            && self.places.iter().zip(&other.places).all(|(a, b)| near(a, b))
    }
}

/// Checks that slices are equally spaced.
fn check_steps(steps: &[f64]) -> Result<(), String> {
    let mut sorted = steps.to_vec();
    sorted.sort_by(f64::total_cmp);
    // The smaller one of the two in the middle: of two steps, the larger one is the gap.
    let Some(&usual) = sorted.get(sorted.len().saturating_sub(1) / 2) else { return Ok(()) };
    let tolerance = (SAME_STEP * usual).max(2.0 * SAME_POSITION_MM);
    for (i, &step) in steps.iter().enumerate() {
        if (step - usual).abs() <= tolerance {
            continue;
        }
        let missing = (step / usual).round() - 1.0;
        let whole = ((missing + 1.0) * usual - step).abs() <= tolerance * (missing + 1.0);
        return Err(if missing >= 1.0 && whole {
            format!(
                "{missing} slice{} missing between slice {} and slice {}, which lie {step:.2} mm apart where others lie \
                 {usual:.2} mm apart; add the missing files",
                if missing > 1.0 { "s are" } else { " is" },
                i + 1,
                i + 2
            )
        } else {
            format!(
                "its slices are not equally spaced: slices {} and {} lie {step:.2} mm apart, others {usual:.2} mm; put \
                 slices of one spacing into a folder of their own",
                i + 1,
                i + 2
            )
        });
    }
    Ok(())
}

pub(super) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|k| a[k] * b[k]).sum()
}

pub(super) fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub(super) fn normalised(v: [f64; 3]) -> Option<[f64; 3]> {
    let length = dot(v, v).sqrt();
    (length > 1e-6).then(|| v.map(|c| c / length))
}
