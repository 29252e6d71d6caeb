//! The part of a factorisation that does not depend on the values.

use super::graph::Graph;
use super::tree::{Group, Tree};
use crate::error::{Error, Result};
use num_complex::Complex64;

/// Marks an unknown that is held, or a pair that is not stored.
pub(super) const NONE: u32 = u32::MAX;

/// Unknowns that are eliminated together. Their columns of the factor form one dense panel of [`Front::height`] rows
/// by `pivots` columns, column-major.
pub(super) struct Front {
    /// The first unknown; the others follow.
    pub first: usize,
    pub pivots: usize,
    /// The range of its rows below the pivots in [`Symbolic::rows`] and [`Symbolic::place`].
    pub below: std::ops::Range<usize>,
    /// The start of its panel in the factor.
    pub panel: usize,
    /// The number of waiting updates that are added to this front.
    pub children: usize,
}

impl Front {
    pub fn height(&self) -> usize {
        self.pivots + self.below.len()
    }
}

/// The memory of a factorisation with this pattern, in bytes. It is known before anything is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// The values of one matrix.
    pub matrix: usize,
    /// The factor.
    pub factor: usize,
    /// The peak of the dense fronts while the factor is computed.
    pub fronts: usize,
    /// The indices, shared by all matrices of the pattern.
    pub pattern: usize,
}

/// The sparsity pattern of a mesh's matrix, its elimination order and the layout of its factor. It is computed once
/// for a mesh, and shared by all matrices on it.
///
/// Vectors have one entry for each component of each node of the mesh, components fastest. Held components have
/// prescribed values; they are in the vectors but not among the unknowns.
pub struct Symbolic {
    components: usize,
    /// The unknown for each entry of a vector, or [`NONE`] if the entry is held.
    pub(super) unknown: Vec<u32>,
    /// The entry of a vector for each unknown, in elimination order.
    pub(super) entry: Vec<u32>,
    /// The lower triangle, column by column: `start` of each column, its `row` indices ascending, and `local`, the
    /// place of each row in the column's front.
    pub(super) start: Vec<u32>,
    pub(super) row: Vec<u32>,
    pub(super) local: Vec<u32>,
    pub(super) fronts: Vec<Front>,
    /// The unknowns below the pivots, front by front, and the place of each in the parent's front.
    pub(super) rows: Vec<u32>,
    pub(super) place: Vec<u32>,
    /// Each element's nodes, and the target index among the values for each entry of its lower triangle, row by row.
    element: Vec<u32>,
    nodes: Vec<u32>,
    target_start: Vec<usize>,
    target: Vec<u32>,
    /// The number of values in the factor, and the peak of those in waiting updates.
    pub(super) factor: usize,
    pub(super) waiting: usize,
}

impl Symbolic {
    /// The pattern of matrices in which all components of an element's nodes are coupled.
    ///
    /// `free` has one entry for each component of each node, components fastest: true for an unknown, false for a
    /// held component. `elements` lists the nodes of every element.
    ///
    /// # Errors
    /// [`Error::Usage`] if the lengths do not match, or an element names a node twice or a node that does not exist.
    /// [`Error::Data`] if the mesh is too large for 32-bit indices.
    pub fn new<E: AsRef<[usize]>>(components: usize, free: &[bool], elements: &[E]) -> Result<Symbolic> {
        check(components, free, elements)?;
        let weights: Vec<u32> =
            free.chunks(components).map(|node| node.iter().filter(|&&f| f).count() as u32).collect();
        let graph = Graph::new(&weights, elements)?;
        let tree = Tree::new(&graph, &graph.order()?, &weights);

        let (mut unknown, mut entry) = (vec![NONE; free.len()], Vec::new());
        let mut first = Vec::with_capacity(tree.order.len() + 1);
        for &node in &tree.order {
            first.push(entry.len());
            for i in (node * components..(node + 1) * components).filter(|&i| free[i]) {
                unknown[i] = entry.len() as u32;
                entry.push(i as u32);
            }
        }
        first.push(entry.len());
        let mut symbolic = Symbolic {
            components,
            unknown,
            entry,
            start: vec![0],
            row: Vec::new(),
            local: Vec::new(),
            fronts: Vec::new(),
            rows: Vec::new(),
            place: Vec::new(),
            element: vec![0],
            nodes: Vec::new(),
            target_start: vec![0],
            target: Vec::new(),
            factor: 0,
            waiting: 0,
        };
        symbolic.lay_out(&tree.groups, &first);
        symbolic.columns(&graph, &tree, &first)?;
        symbolic.place_elements(elements);
        Ok(symbolic)
    }

    /// Computes the fronts, their rows and their memory.
    fn lay_out(&mut self, groups: &[Group], first: &[usize]) {
        let mut place = vec![0u32; self.entry.len()];
        let (mut waiting, mut stack) = (0, Vec::<usize>::new());
        for group in groups {
            let from = self.rows.len();
            for &node in &group.rows {
                self.rows.extend(first[node as usize] as u32..first[node as usize + 1] as u32);
            }
            let front = Front {
                first: first[group.first],
                pivots: first[group.first + group.nodes] - first[group.first],
                below: from..self.rows.len(),
                panel: self.factor,
                children: group.children,
            };
            self.place.resize(self.rows.len(), 0);
            // The updates that are added to this front come from the fronts on top of the stack.
            let below = &self.rows[front.below.clone()];
            for (i, &row) in below.iter().enumerate() {
                place[row as usize] = (front.pivots + i) as u32;
            }
            for i in 0..front.pivots {
                place[front.first + i] = i as u32;
            }
            self.factor += front.height() * front.pivots;
            self.waiting = self.waiting.max(waiting + below.len() * below.len());
            waiting += below.len() * below.len();
            for child in stack.split_off(stack.len() - group.children) {
                let rows = self.fronts[child].below.clone();
                waiting -= rows.len() * rows.len();
                for i in rows {
                    self.place[i] = place[self.rows[i] as usize];
                }
            }
            stack.push(self.fronts.len());
            self.fronts.push(front);
        }
    }

    /// Computes the columns of the lower triangle.
    fn columns(&mut self, graph: &Graph, tree: &Tree, first: &[usize]) -> Result<()> {
        let mut position = vec![usize::MAX; graph.nodes()];
        for (new, &old) in tree.order.iter().enumerate() {
            position[old] = new;
        }
        let mut place = vec![0u32; self.entry.len()];
        for (group, front) in tree.groups.iter().zip(&self.fronts) {
            for (i, &row) in self.rows[front.below.clone()].iter().enumerate() {
                place[row as usize] = (front.pivots + i) as u32;
            }
            for i in 0..front.pivots {
                place[front.first + i] = i as u32;
            }
            for new in group.first..group.first + group.nodes {
                let mut later: Vec<usize> =
                    graph.neighbours(tree.order[new]).map(|old| position[old]).filter(|&i| i > new).collect();
                later.sort_unstable();
                for j in first[new]..first[new + 1] {
                    let own = j as u32..first[new + 1] as u32;
                    self.row.extend(own);
                    for &i in &later {
                        self.row.extend(first[i] as u32..first[i + 1] as u32);
                    }
                    let from = self.local.len();
                    self.local.extend(self.row[from..].iter().map(|&i| place[i as usize]));
                    let end = u32::try_from(self.row.len()).ok().filter(|&end| end < NONE);
                    self.start.push(end.ok_or_else(|| {
                        Error::Data("the matrix has too many entries; use larger elements".into())
                    })?);
                }
            }
        }
        Ok(())
    }

    /// Computes the target indices of the elements' matrices.
    fn place_elements<E: AsRef<[usize]>>(&mut self, elements: &[E]) {
        for element in elements {
            let nodes = element.as_ref();
            self.nodes.extend(nodes.iter().map(|&node| node as u32));
            self.element.push(self.nodes.len() as u32);
            let unknowns: Vec<u32> =
                self.components_of(nodes.iter().copied()).map(|i| self.unknown[i]).collect();
            for (i, &a) in unknowns.iter().enumerate() {
                for &b in &unknowns[..=i] {
                    self.target.push(if a == NONE || b == NONE {
                        NONE
                    } else {
                        self.find(a.max(b), a.min(b))
                    });
                }
            }
            self.target_start.push(self.target.len());
        }
    }

    /// The index of the entry at (`row`, `column`) of the lower triangle among the values.
    fn find(&self, row: u32, column: u32) -> u32 {
        let from = self.start[column as usize];
        let rows = &self.row[from as usize..self.start[column as usize + 1] as usize];
        from + rows.partition_point(|&r| r < row) as u32
    }

    fn components_of(&self, nodes: impl Iterator<Item = usize>) -> impl Iterator<Item = usize> {
        let components = self.components;
        nodes.flat_map(move |node| node * components..(node + 1) * components)
    }

    /// The entries of a vector that belong to element `e`, in the order of its matrix's rows.
    pub fn element(&self, e: usize) -> impl Iterator<Item = usize> + '_ {
        let nodes = self.element[e] as usize..self.element[e + 1] as usize;
        self.components_of(self.nodes[nodes].iter().map(|&node| node as usize))
    }

    /// The target indices of the lower triangle of element `e`'s matrix, row by row; [`NONE`] for held entries.
    pub(super) fn targets(&self, e: usize) -> &[u32] {
        &self.target[self.target_start[e]..self.target_start[e + 1]]
    }

    /// Reports whether a vector's entry is an unknown.
    pub fn is_free(&self, entry: usize) -> bool {
        self.unknown[entry] != NONE
    }

    /// The number of elements.
    pub fn elements(&self) -> usize {
        self.element.len() - 1
    }

    /// The number of unknowns.
    pub fn unknowns(&self) -> usize {
        self.entry.len()
    }

    /// The number of entries of a vector: unknowns and held entries.
    pub fn entries(&self) -> usize {
        self.unknown.len()
    }

    /// Formats the node and the component of unknown `k`.
    pub(super) fn name(&self, k: usize) -> String {
        let entry = self.entry[k] as usize;
        format!("component {} of node {}", entry % self.components, entry / self.components)
    }

    /// The memory of a factorisation.
    pub fn memory(&self) -> Memory {
        let number = size_of::<Complex64>();
        let words = self.unknown.len()
            + self.entry.len()
            + self.start.len()
            + 2 * self.row.len()
            + 2 * self.rows.len()
            + self.element.len()
            + self.nodes.len()
            + 2 * self.target_start.len()
            + self.target.len();
        Memory {
            matrix: self.row.len() * number,
            factor: self.factor * number,
            fronts: self.waiting * number,
            pattern: 4 * words + self.fronts.len() * size_of::<Front>(),
        }
    }
}

fn check<E: AsRef<[usize]>>(components: usize, free: &[bool], elements: &[E]) -> Result<()> {
    let bad = |what: String| Err(Error::Usage(what));
    if components == 0 || !free.len().is_multiple_of(components) {
        return bad(format!(
            "{} entries are not a whole number of nodes with {components} components",
            free.len()
        ));
    }
    let nodes = free.len() / components;
    let mut seen = vec![usize::MAX; nodes];
    for (e, element) in elements.iter().enumerate() {
        for &node in element.as_ref() {
            if node >= nodes {
                return bad(format!("element {e} names node {node}, but there are {nodes} nodes"));
            }
            if std::mem::replace(&mut seen[node], e) == e {
                return bad(format!("element {e} names node {node} twice"));
            }
        }
    }
    Ok(())
}
