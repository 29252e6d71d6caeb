//! Assigns memory to buffers: buffers whose lifetimes do not overlap can share one allocation.

use super::record::{Dispatch, Node, Role};
use std::ops::Range;

/// Gives every node except a host's a slot, and returns the labels and sizes in bytes of the slots. Scratch nodes share
/// slots over time, but never within one dispatch; the other nodes have a slot each. A buffer that is used both inside
/// and outside of the `repeated` dispatches lives through all repetitions.
pub fn assign(
    nodes: &mut [Node],
    dispatches: &[Dispatch],
    repeated: &Range<usize>,
) -> Vec<(&'static str, u64)> {
    let mut slots: Vec<(&'static str, u64)> = Vec::new();
    for node in nodes.iter_mut().filter(|n| !matches!(n.role, Role::Scratch | Role::External(_))) {
        node.slot = slots.len();
        slots.push((node.label, node.bytes));
    }
    let uses = |i: usize, d: &Dispatch| d.bound.iter().any(|b| b.buffer().is_some_and(|b| b.0 == i));
    let mut lives: Vec<(usize, usize, usize)> = (0..nodes.len())
        .filter(|&i| matches!(nodes[i].role, Role::Scratch))
        .map(|i| {
            let first = dispatches.iter().position(|d| uses(i, d)).unwrap_or(0);
            let last = dispatches.iter().rposition(|d| uses(i, d)).unwrap_or(0);
            match repeated {
                Range { start, end } if first < *start && last >= *start => (first, last.max(end - 1), i),
                Range { start, end } if (*start..*end).contains(&first) && last >= *end => (*start, last, i),
                _ => (first, last, i),
            }
        })
        .collect();
    lives.sort_unstable();

    let mut free: Vec<usize> = Vec::new();
    let mut busy: Vec<(usize, usize)> = Vec::new();
    for (first, last, i) in lives {
        busy.retain(|&(until, slot)| {
            let still = until >= first;
            if !still {
                free.push(slot);
            }
            still
        });
        let need = nodes[i].bytes;
        // The slot that wastes the least memory, or else the slot that must grow the least.
        let best = (0..free.len()).min_by_key(|&k| {
            let size = slots[free[k]].1;
            (size < need, size.abs_diff(need))
        });
        let slot = match best {
            Some(k) => free.swap_remove(k),
            None => {
                slots.push((nodes[i].label, 0));
                slots.len() - 1
            }
        };
        slots[slot].1 = slots[slot].1.max(need);
        nodes[i].slot = slot;
        busy.push((last, slot));
    }
    slots
}
