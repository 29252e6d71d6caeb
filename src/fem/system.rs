//! Assembly of integrals and a form into equations, condensation of the bubbles, and the solution.

use super::form::{Term, WeakForm};
use super::integrals::{Integrals, Material, NODES, PAIRS, Table, integrals};
use super::mesh::element::{bubble, shape};
use super::mesh::{Mesh, MeshPlace};
use super::solve::{Factor, Matrix, Memory, Symbolic};
use crate::error::{Error, Result};
use crate::memory::available;
use num_complex::Complex64;
use std::f64::consts::TAU;

/// 1 kg/m³ · rad²/s² in kPa/mm².
const INERTIA: f64 = 1e-9;

/// A mesh with its material at one frequency, ready for any form with the same unknowns.
pub struct System<'a> {
    mesh: &'a Mesh,
    symbolic: &'a Symbolic,
    integrals: Vec<Integrals>,
    /// The squared angular frequency, times [`INERTIA`].
    inertia: f64,
    factor: Option<Factor<'a>>,
    condensed: Vec<Condensed>,
}

/// A displacement. It has one entry for each component of each node and of each triangle's bubble, components
/// fastest.
pub struct Solution {
    components: usize,
    /// The values at the nodes.
    pub nodes: Vec<Complex64>,
    bubbles: Vec<Complex64>,
    /// The relative residual ‖b − A x‖ / ‖b‖ of the equations.
    pub residual: f64,
}

/// The amplitudes of a bubble: `constants` minus `rows` times the amplitudes at the element's other nodes.
#[derive(Clone)]
struct Condensed {
    rows: Vec<Complex64>,
    constants: Vec<Complex64>,
}

/// The sparsity pattern of the equations on `mesh` with `components` unknowns per node. `free` is true for entries
/// that are not held.
///
/// # Errors
/// As [`Symbolic::new`], and [`Error::Data`] if the equations need more memory than the machine has free.
pub fn pattern(mesh: &Mesh, components: usize, free: &[bool]) -> Result<Symbolic> {
    let elements: Vec<[usize; 6]> = mesh.triangles.iter().map(|t| t.map(|i| i as usize)).collect();
    let symbolic = Symbolic::new(components, free, &elements)?;
    // Without this check, the operating system may kill the process when memory runs out.
    let need = memory(&symbolic, mesh, components) as u64;
    match available() {
        Some(free) if need > free => Err(Error::Data(format!(
            "the equations have {} unknowns and need {} MiB of memory, but {} MiB are free; use a lower frequency, a higher modulus, fewer nodes per wavelength or a smaller body",
            symbolic.unknowns(),
            need >> 20,
            free >> 20
        ))),
        _ => Ok(symbolic),
    }
}

/// The memory of the equations on `mesh`, in bytes: matrix, factor, integrals and bubbles.
fn memory(symbolic: &Symbolic, mesh: &Mesh, components: usize) -> usize {
    let Memory { matrix, factor, fronts, pattern } = symbolic.memory();
    let bubble = 7 * components * components * size_of::<Complex64>();
    matrix + factor + fronts + pattern + mesh.triangles.len() * (size_of::<Integrals>() + bubble)
}

impl<'a> System<'a> {
    /// Computes the integrals. `radial` is for the forms of a body of revolution.
    pub fn new(
        mesh: &'a Mesh,
        symbolic: &'a Symbolic,
        material: &Material,
        frequency_hz: f64,
        radial: bool,
    ) -> System<'a> {
        let inertia = (TAU * frequency_hz).powi(2) * INERTIA;
        let condensed = Condensed { rows: vec![], constants: vec![] };
        System {
            mesh,
            symbolic,
            integrals: integrals(mesh, material, radial),
            inertia,
            factor: None,
            condensed: vec![condensed; mesh.triangles.len()],
        }
    }

    /// The memory of a solution, in bytes: matrix, factor, integrals and bubbles.
    pub fn memory(&self) -> usize {
        memory(self.symbolic, self.mesh, self.symbolic.entries() / self.mesh.nodes.len())
    }

    /// The mesh.
    pub fn mesh(&self) -> &Mesh {
        self.mesh
    }

    /// The number of unknowns.
    pub fn unknowns(&self) -> usize {
        self.symbolic.unknowns()
    }

    /// Solves the equations of `form`.
    ///
    /// `held` has one entry for each component of each node; entries that are not free are prescribed values. `given`
    /// has the form's given fields at the nodes. `loads` is added to the right-hand side: the work of given tractions
    /// on each entry. It may be empty.
    ///
    /// # Errors
    /// [`crate::Error::Data`] if the equations cannot be solved.
    pub fn solve(
        &mut self,
        form: &WeakForm,
        held: &[Complex64],
        given: &[Vec<Complex64>],
        loads: &[Complex64],
    ) -> Result<Solution> {
        let components = form.components;
        let mut right =
            if loads.is_empty() { vec![Complex64::default(); held.len()] } else { loads.to_vec() };
        let System { mesh, symbolic, integrals, inertia, factor, condensed } = &mut *self;
        let mut work = Work::new(form, *inertia);
        let mut assemble = |matrix: &mut Matrix<'a>| {
            matrix.clear();
            for (t, triangle) in mesh.triangles.iter().enumerate() {
                let nodes = triangle.map(|i| i as usize);
                work.element(form, &integrals[t], |field, i| {
                    if i < 6 { given[field][nodes[i]] } else { Complex64::default() }
                });
                work.condense(&mut condensed[t]);
                matrix.add(t, &work.matrix);
                for (i, load) in work.load.iter().enumerate() {
                    right[nodes[i / components] * components + i % components] += load;
                }
                let prescribed = |node: &usize| {
                    held[node * components..(node + 1) * components]
                        .iter()
                        .any(|v| *v != Complex64::default())
                };
                if nodes.iter().any(prescribed) {
                    matrix.lift(t, &work.matrix, held, &mut right);
                }
            }
        };
        match factor {
            Some(factor) => factor.again(assemble)?,
            empty => {
                let mut matrix = Matrix::new(symbolic);
                assemble(&mut matrix);
                *empty = Some(Factor::new(matrix)?);
            }
        }
        let factor = self.factor.as_ref().expect("the factor was made above");
        // Held entries keep their values.
        let entry = |i: usize| if self.symbolic.is_free(i) { right[i] } else { held[i] };
        let mut nodes: Vec<Complex64> = (0..held.len()).map(entry).collect();
        let residual = factor.solve(&mut nodes)?;
        let mut bubbles = Vec::with_capacity(self.condensed.len() * components);
        for (triangle, condensed) in self.mesh.triangles.iter().zip(&self.condensed) {
            let around: Vec<Complex64> = triangle
                .iter()
                .flat_map(|i| &nodes[*i as usize * components..(*i as usize + 1) * components])
                .copied()
                .collect();
            for (row, constant) in condensed.rows.chunks(6 * components).zip(&condensed.constants) {
                bubbles.push(constant - row.iter().zip(&around).map(|(a, x)| a * x).sum::<Complex64>());
            }
        }
        Ok(Solution { components, nodes, bubbles, residual })
    }
}

impl Solution {
    /// The value of component `component` at a place.
    pub fn at(&self, mesh: &Mesh, place: &MeshPlace, component: usize) -> Complex64 {
        self.first::<1>(mesh, place, component)[0]
    }

    /// The first three components at a place.
    pub fn all(&self, mesh: &Mesh, place: &MeshPlace) -> [Complex64; 3] {
        self.first::<3>(mesh, place, 0)
    }

    /// The components from `first` on at a place.
    fn first<const N: usize>(&self, mesh: &Mesh, place: &MeshPlace, first: usize) -> [Complex64; N] {
        let t = place.triangle as usize;
        let swell = bubble(place.at);
        let mut sum: [Complex64; N] =
            std::array::from_fn(|c| swell * self.bubbles[t * self.components + first + c]);
        for (node, weight) in mesh.triangles[t].iter().zip(shape(place.at)) {
            let at = *node as usize * self.components + first;
            sum.iter_mut().zip(&self.nodes[at..]).for_each(|(sum, value)| *sum += weight * value);
        }
        sum
    }

    /// The root mean square over the nodes of the displacement's magnitude.
    pub fn size(&self) -> f64 {
        let nodes = self.nodes.len() / self.components;
        (self.nodes.iter().map(|v| v.norm_sqr()).sum::<f64>() / nodes as f64).sqrt()
    }
}

/// Buffers for the equations of one element.
struct Work {
    components: usize,
    inertia: f64,
    /// For each pair of components, row-major: the stiffness without the factor 1 + iη, and the mass.
    blocks: Vec<(Table, Table)>,
    /// The condensed matrix, row-major, ordered by node then component; and the condensed load.
    matrix: Vec<Complex64>,
    load: Vec<Complex64>,
    /// The full matrix and load. The bubble's rows come last.
    whole: Vec<Complex64>,
    whole_load: Vec<Complex64>,
}

impl Work {
    fn new(form: &WeakForm, inertia: f64) -> Work {
        let n = form.components;
        let zero = Complex64::default();
        Work {
            components: n,
            inertia,
            blocks: vec![([[0.0; NODES]; NODES], [[0.0; NODES]; NODES]); n * (n + form.given)],
            matrix: vec![zero; 36 * n * n],
            load: vec![zero; 6 * n],
            whole: vec![zero; NODES * NODES * n * n],
            whole_load: vec![zero; NODES * n],
        }
    }

    /// Computes the equations of one element. `given(field, node)` is the value of a given field at a node of the
    /// element.
    fn element(&mut self, form: &WeakForm, integrals: &Integrals, given: impl Fn(usize, usize) -> Complex64) {
        let n = self.components;
        let columns = n + form.given;
        for (stiffness, mass) in &mut self.blocks {
            *stiffness = [[0.0; NODES]; NODES];
            *mass = [[0.0; NODES]; NODES];
        }
        for (terms, tables) in [(&form.shear, &integrals.shear), (&form.pressure, &integrals.pressure)] {
            // For the unknowns, the lower triangle is enough.
            for term in terms.iter().filter(|t| t.column <= t.row || t.column >= n) {
                accumulate(&mut self.blocks[term.row * columns + term.column].0, term, tables);
            }
        }
        for term in form.mass.iter().filter(|t| t.column <= t.row || t.column >= n) {
            let table = &mut self.blocks[term.row * columns + term.column].1;
            for (row, from) in table.iter_mut().zip(&integrals.mass) {
                row.iter_mut().zip(from).for_each(|(value, m)| *value += term.factor * m);
            }
        }
        let lossy = Complex64::new(1.0, integrals.damping);
        let size = NODES * n;
        let value = |(stiffness, mass): &(Table, Table), i: usize, j: usize| {
            lossy * stiffness[i][j] - self.inertia * mass[i][j]
        };
        for a in 0..n {
            for b in 0..=a {
                let block = &self.blocks[a * columns + b];
                for i in 0..NODES {
                    for j in 0..NODES {
                        let [row, column] = [i * n + a, j * n + b];
                        self.whole[row.max(column) * size + row.min(column)] = value(block, i, j);
                    }
                }
            }
        }
        self.whole_load.fill(Complex64::default());
        for a in 0..n {
            for field in 0..form.given {
                let block = &self.blocks[a * columns + n + field];
                for i in 0..NODES {
                    for j in 0..6 {
                        self.whole_load[i * n + a] -= value(block, i, j) * given(field, j);
                    }
                }
            }
        }
    }

    /// Eliminates the bubble's unknowns.
    fn condense(&mut self, condensed: &mut Condensed) {
        let n = self.components;
        let (size, kept) = (NODES * n, 6 * n);
        let Work { whole, whole_load, .. } = self;
        // Gaussian elimination in the lower triangle, from the last unknown of the bubble to its first.
        for pivot in (kept..size).rev() {
            let inverse = whole[pivot * size + pivot].inv();
            let (above, row) = whole.split_at_mut(pivot * size);
            let row = &mut row[..pivot];
            let load = whole_load[pivot];
            for (i, r) in row.iter().enumerate().filter(|(_, r)| **r != Complex64::default()) {
                let factor = r * inverse;
                let line = &mut above[i * size..=i * size + i];
                line.iter_mut().zip(&*row).for_each(|(value, r)| *value -= factor * r);
                whole_load[i] -= factor * load;
            }
            row.iter_mut().for_each(|v| *v *= inverse);
            whole_load[pivot] = load * inverse;
        }
        // Unknown k of the bubble is its load minus its row times the earlier unknowns. The bubble's own earlier
        // unknowns are substituted, so only the six nodes' unknowns remain.
        condensed.rows.clear();
        condensed.constants.clear();
        for k in 0..n {
            let row = &whole[(kept + k) * size..(kept + k) * size + kept + k];
            let mut coefficients = row[..kept].to_vec();
            let mut constant = whole_load[kept + k];
            for (j, factor) in row[kept..].iter().enumerate() {
                for (c, earlier) in coefficients.iter_mut().zip(&condensed.rows[j * kept..]) {
                    *c -= factor * earlier;
                }
                constant -= factor * condensed.constants[j];
            }
            condensed.rows.extend(coefficients);
            condensed.constants.push(constant);
        }
        for i in 0..kept {
            for j in 0..=i {
                let value = whole[i * size + j];
                (self.matrix[i * kept + j], self.matrix[j * kept + i]) = (value, value);
            }
        }
        self.load.copy_from_slice(&whole_load[..kept]);
    }
}

/// Adds the integrals of a term to a block.
fn accumulate(block: &mut Table, term: &Term, tables: &[Table; 6]) {
    let pair = [term.left, term.right];
    for (kept, table) in PAIRS.iter().zip(tables) {
        if *kept == pair {
            for (row, from) in block.iter_mut().zip(table) {
                row.iter_mut().zip(from).for_each(|(value, t)| *value += term.factor * t);
            }
        } else if [kept[1], kept[0]] == pair {
            for (i, row) in block.iter_mut().enumerate() {
                row.iter_mut().zip(table).for_each(|(value, from)| *value += term.factor * from[i]);
            }
        }
    }
}
