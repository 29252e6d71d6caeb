//! The assembly tree: groups of nodes that are eliminated together, and the later nodes they affect.

use super::graph::Graph;

/// Nodes that are eliminated together, numbered in the final order.
pub(super) struct Group {
    /// The first node; the others follow.
    pub first: usize,
    /// The number of nodes.
    pub nodes: usize,
    /// The later nodes that the group affects, ascending.
    pub rows: Vec<u32>,
    /// The number of preceding groups whose updates are added here.
    pub children: usize,
}

/// Groups in elimination order, with every child before its parent; and the nodes in the final order (new to old).
pub(super) struct Tree {
    pub groups: Vec<Group>,
    pub order: Vec<usize>,
}

const NONE: usize = usize::MAX;

impl Tree {
    /// The assembly tree of `graph`, eliminated approximately in `order`. `weights` is the number of unknowns of each
    /// node.
    pub fn new(graph: &Graph, order: &[usize], weights: &[u32]) -> Tree {
        let n = order.len();
        let mut place = vec![0; n];
        for (new, &old) in order.iter().enumerate() {
            place[old] = new;
        }
        let weight: Vec<usize> = order.iter().map(|&old| weights[old] as usize).collect();
        let (parent, rows) = eliminate(graph, order, &place);
        let below: Vec<usize> =
            rows.iter().map(|r| r.iter().map(|&i| weight[i as usize]).sum::<usize>()).collect();
        let group = amalgamate(&parent, &weight, &below);

        // The tree of the groups. Each group is identified by its last node; groups without unknowns are left out.
        let mut children = vec![Vec::new(); n];
        let mut members = vec![Vec::new(); n];
        for j in 0..n {
            members[group[j]].push(j);
        }
        let mut peak = vec![0usize; n];
        let mut roots = Vec::new();
        for top in (0..n).filter(|&j| group[j] == j && weight[j] > 0) {
            peak[top] = deepest(&mut children[top], &peak, &below, below[top]);
            let up = if parent[top] == NONE { &mut roots } else { &mut children[group[parent[top]]] };
            up.push(top);
        }
        deepest(&mut roots, &peak, &below, 0);

        let mut tree = Tree { groups: Vec::new(), order: Vec::with_capacity(n) };
        let mut position = vec![0u32; n];
        let mut stack: Vec<(usize, bool)> = roots.iter().rev().map(|&r| (r, false)).collect();
        let mut tops = Vec::new();
        while let Some((top, ready)) = stack.pop() {
            if !ready {
                stack.push((top, true));
                stack.extend(children[top].iter().rev().map(|&c| (c, false)));
                continue;
            }
            let first = tree.order.len();
            for &j in &members[top] {
                position[j] = tree.order.len() as u32;
                tree.order.push(order[j]);
            }
            tops.push(top);
            let nodes = members[top].len();
            tree.groups.push(Group { first, nodes, rows: Vec::new(), children: children[top].len() });
        }
        for (group, top) in tree.groups.iter_mut().zip(tops) {
            group.rows = rows[top].iter().map(|&i| position[i as usize]).collect();
            group.rows.sort_unstable();
        }
        tree
    }
}

/// The elimination tree, and the rows below the diagonal of every column of the factor. Nodes are numbered by their
/// position in `order`.
fn eliminate(graph: &Graph, order: &[usize], place: &[usize]) -> (Vec<usize>, Vec<Vec<u32>>) {
    let n = order.len();
    let mut parent = vec![NONE; n];
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); n];
    let mut children = vec![Vec::new(); n];
    let mut seen = vec![NONE; n];
    for j in 0..n {
        seen[j] = j;
        let mut column = Vec::new();
        let mut add = |i: usize| {
            if i > j && seen[i] != j {
                seen[i] = j;
                column.push(i as u32);
            }
        };
        graph.neighbours(order[j]).for_each(|old| add(place[old]));
        for &child in &children[j] {
            let below: &Vec<u32> = &rows[child];
            below.iter().for_each(|&i| add(i as usize));
        }
        if let Some(&first) = column.iter().min() {
            parent[j] = first as usize;
            children[first as usize].push(j);
        }
        rows[j] = column;
    }
    (parent, rows)
}

/// The group of every column, identified by its last column. A child joins its parent if the stored zeros stay a
/// small part of the front. Small fronts may store a larger part, because there calls cost more than arithmetic.
fn amalgamate(parent: &[usize], weight: &[usize], below: &[usize]) -> Vec<usize> {
    let n = parent.len();
    let mut children = vec![Vec::new(); n];
    let (mut pivots, mut zeros) = (weight.to_vec(), vec![0usize; n]);
    let mut joined = vec![false; n];
    for j in 0..n {
        // The child with the fewest additional zeros comes first.
        let mut offers: Vec<usize> = std::mem::take(&mut children[j]);
        offers.sort_by_key(|&c| (pivots[c] * (weight[j] + below[j] - below[c]), c));
        for c in offers {
            let more = zeros[j] + zeros[c] + pivots[c] * (pivots[j] + below[j] - below[c]);
            let width = pivots[j] + pivots[c];
            let size = width * (width + 1) / 2 + width * below[j];
            let part = more as f64 / size as f64;
            if worth(width, part) {
                (pivots[j], zeros[j], joined[c]) = (width, more, true);
            }
        }
        if parent[j] != NONE {
            children[parent[j]].push(j);
        }
    }
    let mut group: Vec<usize> = (0..n).collect();
    for j in (0..n).rev().filter(|&j| joined[j]) {
        group[j] = group[parent[j]];
    }
    group
}

/// Reports whether a front with `width` pivots may store this part of zeros.
fn worth(width: usize, part: f64) -> bool {
    let limit = if width <= 16 {
        0.6
    } else if width <= 48 {
        0.2
    } else {
        0.06
    };
    part <= limit
}

/// Sorts `siblings` so that the updates waiting for their parent need the least memory. Returns the peak of that
/// memory, including the parent's own update of `own` rows.
fn deepest(siblings: &mut [usize], peak: &[usize], below: &[usize], own: usize) -> usize {
    let update = |c: usize| below[c] * below[c];
    siblings.sort_by_key(|&c| (std::cmp::Reverse(peak[c] - update(c)), c));
    let (mut waiting, mut most) = (0, 0);
    for &c in siblings.iter() {
        most = most.max(waiting + peak[c]);
        waiting += update(c);
    }
    most.max(waiting + own * own)
}
